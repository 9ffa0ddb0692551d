"""How a picture that is optimised is written down: as the spectrum of its colours, or pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

Parametrisation = Literal["fourier", "pixels"]

#: A square root of the covariance of the colours of natural pictures: uncorrelated amounts of light, of warm against
#: cold and of magenta against green become red, green and blue. Olah et al. 2017 (Distill), preconditioning; of
#: ImageNet, and scaled so that the largest axis has length 1.
_COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
#: Standard deviation of the spectrum at the start, in units of what a frequency's amplitude is scaled with.
_START = 0.01
#: How much a step in the spectrum changes the picture, against one in its pixels.
_GAIN = 0.25


class Written(Protocol):
    """Turns parameters, float32 of any shape, into a picture, and softens them."""

    def start(self, generator: torch.Generator) -> Tensor:
        """Parameters, on the CPU, of a nearly grey picture with faint noise."""
        ...

    def shares(self, parameters: Tensor) -> Tensor:
        """The picture (C, H, W), 0 for black to 1 for white; differentiable."""
        ...

    def blurred(self, parameters: Tensor, deviation: float) -> Tensor:
        """Parameters of a picture with less detail: a Gaussian of `deviation` pixels, edges wrapped around."""
        ...


@dataclass(frozen=True)
class Pixels:
    """Each colour of each pixel is a parameter of its own, through a sigmoid."""

    size: tuple[int, int, int]

    def start(self, generator: torch.Generator) -> Tensor:
        return _START * torch.randn(self.size, generator=generator)

    def shares(self, parameters: Tensor) -> Tensor:
        return parameters.sigmoid()

    def blurred(self, parameters: Tensor, deviation: float) -> Tensor:
        spectrum = torch.fft.rfft2(parameters) * _gaussian(self.size, deviation).to(parameters.device)
        softened: Tensor = torch.fft.irfft2(spectrum, s=self.size[1:])
        return softened


@dataclass(frozen=True)
class Fourier:
    """The parameters are the picture's frequencies, scaled as in natural pictures, of uncorrelated colours.

    A step along the gradient then changes coarse and fine detail alike; in pixels it is nearly all fine noise.
    Olah et al. 2017 (Distill), preconditioning and parameterisation. Amplitudes fall as 1 / frequency; colours are
    decorrelated where the network takes three of them.
    """

    size: tuple[int, int, int]

    def start(self, generator: torch.Generator) -> Tensor:
        channels, height, width = self.size
        return _START * torch.randn(channels, height, width // 2 + 1, 2, generator=generator)

    def shares(self, parameters: Tensor) -> Tensor:
        channels, height, width = self.size
        lowest = 1 / max(height, width)
        scale = (height * width) ** 0.5 / _frequencies(self.size).clamp_min(lowest)
        spectrum = torch.view_as_complex(parameters.contiguous()) * scale.to(parameters.device)
        values = _GAIN * torch.fft.irfft2(spectrum, s=(height, width))
        if channels == 3:
            colours = torch.tensor(_COLOURS, device=parameters.device)
            values = torch.einsum("rc,chw->rhw", colours / colours.norm(dim=0).max(), values)
        shares: Tensor = values.sigmoid()
        return shares

    def blurred(self, parameters: Tensor, deviation: float) -> Tensor:
        return parameters * _gaussian(self.size, deviation).to(parameters.device)[..., None]


WRITTEN: Mapping[Parametrisation, type[Pixels | Fourier]] = {"fourier": Fourier, "pixels": Pixels}


def _frequencies(size: tuple[int, int, int]) -> Tensor:
    """Cycles per pixel of each entry of a real picture's spectrum, (H, W // 2 + 1)."""
    _, height, width = size
    return torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None])


def _gaussian(size: tuple[int, int, int], deviation: float) -> Tensor:
    """By what a Gaussian blur multiplies each frequency."""
    return torch.exp(-2 * (torch.pi * deviation * _frequencies(size)) ** 2)
