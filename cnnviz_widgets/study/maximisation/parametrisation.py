"""Parametrisations of a picture that is optimised: the spectrum of its decorrelated colours, or its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

ParametrisationName = Literal["fourier", "pixels"]

#: A square root of the covariance of colours in ImageNet (Olah et al. 2017, Distill, section preconditioning). Its
#: columns are lightness, warm against cold, and magenta against green; rows are red, green, blue. It is scaled so that
#: the longest column has length 1. With the identity instead, single colours would be oversaturated.
_COLOUR_BASIS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
#: Standard deviation of the noise at the start, in units of one parameter. Larger values start from a visible pattern.
_INITIAL_DEVIATION = 0.01
#: Factor from the inverse Fourier transform to the argument of the sigmoid, without unit. With a larger one a step of
#: the same `rate` changes the picture more.
_FOURIER_GAIN = 0.25


class Parametrisation(Protocol):
    """A map from parameters, float32 of any shape, to a picture."""

    def start(self, generator: torch.Generator) -> Tensor:
        """Parameters, on the CPU, of a nearly grey picture with faint noise."""
        ...

    def picture(self, parameters: Tensor) -> Tensor:
        """The picture (C, H, W), 0 for black to 1 for white; differentiable."""
        ...

    def blur(self, parameters: Tensor, deviation: float) -> Tensor:
        """Parameters of the picture after a Gaussian blur of `deviation` pixels, with edges wrapped around."""
        ...


@dataclass(frozen=True)
class Pixels:
    """One parameter for each colour of each pixel: the argument of a sigmoid. `size` is (C, H, W)."""

    size: tuple[int, int, int]

    def start(self, generator: torch.Generator) -> Tensor:
        return _INITIAL_DEVIATION * torch.randn(self.size, generator=generator)

    def picture(self, parameters: Tensor) -> Tensor:
        return parameters.sigmoid()

    def blur(self, parameters: Tensor, deviation: float) -> Tensor:
        spectrum = torch.fft.rfft2(parameters) * _gaussian(self.size, deviation).to(parameters.device)
        blurred: Tensor = torch.fft.irfft2(spectrum, s=self.size[1:])
        return blurred


@dataclass(frozen=True)
class Fourier:
    """The parameters are the picture's Fourier coefficients in decorrelated colours. `size` is (C, H, W).

    Amplitudes are scaled with 1 / frequency, as in natural pictures, so that a step along the gradient changes coarse
    and fine detail alike; a step in pixels is nearly all fine noise. Colours are decorrelated for three channels only.
    Olah et al. 2017 (Distill), preconditioning.
    """

    size: tuple[int, int, int]

    def start(self, generator: torch.Generator) -> Tensor:
        channels, height, width = self.size
        return _INITIAL_DEVIATION * torch.randn(channels, height, width // 2 + 1, 2, generator=generator)

    def picture(self, parameters: Tensor) -> Tensor:
        channels, height, width = self.size
        lowest = 1 / max(height, width)
        scale = (height * width) ** 0.5 / _frequencies(self.size).clamp_min(lowest)
        spectrum = torch.view_as_complex(parameters.contiguous()) * scale.to(parameters.device)
        values = _FOURIER_GAIN * torch.fft.irfft2(spectrum, s=(height, width))
        if channels == 3:
            colours = torch.tensor(_COLOUR_BASIS, device=parameters.device)
            values = torch.einsum("rc,chw->rhw", colours / colours.norm(dim=0).max(), values)
        picture: Tensor = values.sigmoid()
        return picture

    def blur(self, parameters: Tensor, deviation: float) -> Tensor:
        return parameters * _gaussian(self.size, deviation).to(parameters.device)[..., None]


#: The parametrisations by name.
PARAMETRISATIONS: Mapping[ParametrisationName, type[Pixels | Fourier]] = {"fourier": Fourier, "pixels": Pixels}


def _frequencies(size: tuple[int, int, int]) -> Tensor:
    """Cycles per pixel of each entry of a real picture's spectrum, (H, W // 2 + 1)."""
    _, height, width = size
    return torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None])


def _gaussian(size: tuple[int, int, int], deviation: float) -> Tensor:
    """The factor of each frequency under a Gaussian blur of `deviation` pixels, (H, W // 2 + 1)."""
    return torch.exp(-2 * (torch.pi * deviation * _frequencies(size)) ** 2)
