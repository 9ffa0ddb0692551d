"""The architecture and the preprocessing of the small networks for the generated shapes and the digits."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from cnnviz_widgets.classifier.preprocess import ResizeAndCrop

#: Preprocessing of the shapes and of the digits, to values in -1..1.
SHAPE_PIXELS = ResizeAndCrop((64, 64), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
DIGIT_PIXELS = ResizeAndCrop((32, 32), mean=(0.5,), std=(0.5,))
#: (channels, kernel size, stride) of each stage.
Stages = tuple[tuple[int, int, int], ...]
SHAPE_STAGES: Stages = ((16, 5, 2), (32, 3, 2), (32, 3, 1), (48, 3, 1), (64, 3, 1))
DIGIT_STAGES: Stages = ((16, 3, 1), (32, 3, 2), (32, 3, 1), (48, 3, 2), (48, 3, 1))


class SmallNetwork(nn.Module):
    """Stages of convolution, batch norm and ReLU, global average pooling, and one linear layer, so that CAM applies.

    It maps pixels (N, channels, H, W) to logits (N, classes).
    """

    def __init__(self, channels: int, classes: int, stages: Stages) -> None:
        super().__init__()
        self.stages = nn.Sequential()
        for number, (width, kernel, stride) in enumerate(stages, start=1):
            convolution = nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False)
            parts = OrderedDict(conv=convolution, norm=nn.BatchNorm2d(width), relu=nn.ReLU())
            self.stages.add_module(f"stage{number}", nn.Sequential(parts))
            channels = width
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(channels, classes)

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.linear(self.pool(self.stages(pixels)).flatten(1))
        return logits
