"""What every technique is: a frozen dataclass of parameters whose `explain` yields ever better heatmaps."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from torch import Tensor

from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target, TargetLike

#: What a technique asks of the network, and so which panel shows it: scores of pictures with parts covered, a layer's
#: activations, or gradients with respect to the pixels.
Family = Literal["occlusion", "cam", "gradient"]


class Explainer:
    """Base of the techniques. Subclasses are frozen dataclasses, whose fields are the parameters, with `explain`.

    An explainer knows no network: one instance serves many, can be compared, and is changed with
    `dataclasses.replace`.
    """

    #: What panels call it.
    label: ClassVar[str]
    family: ClassVar[Family]
    #: What a value of the map is, of a network whose scores are logits.
    quantity: ClassVar[str]

    def explain(self, instance: Instance) -> Iterator[Heatmap]:
        """Yield ever better heatmaps of the instance's target.

        Each yield is a progress report, a preview and a point at which the work can be dropped.
        """
        raise NotImplementedError

    def steps(self, classifier: Classifier, pixels: Tensor, target: TargetLike | None = None) -> Iterator[Heatmap]:
        """Yield ever better heatmaps of one network input (1, C, H, W), as `explain`.

        `target` is a class index or name, a `Target`, or None for the predicted class. Raises PictureError,
        TargetError, LayerError, MethodError, ClassifierError.
        """
        yield from self.explain(Instance.of(classifier, pixels, target))

    def __call__(self, classifier: Classifier, pixels: Tensor, target: TargetLike | None = None) -> Heatmap:
        """The final heatmap of one network input, as `steps`."""
        (last,) = deque(self.steps(classifier, pixels, target), maxlen=1)
        return last

    def wording(self, instance: Instance, quantity: str | None = None) -> str:
        """`quantity`, by default the technique's, in the words that fit the network's scores."""
        return instance.classifier.readout.worded(self.quantity if quantity is None else quantity)

    def heatmap(
        self, instance: Instance, values: Tensor, *, signed: bool, progress: float = 1.0, quantity: str | None = None
    ) -> Heatmap:
        """The heatmap of values (H, W) that were computed pixel by pixel."""
        said = self.wording(instance, quantity)
        return Heatmap.of_values(values, said, signed=signed, target=instance.target, progress=progress)


@dataclass(frozen=True)
class LayerExplainer(Explainer):
    """Base of the techniques whose map lies on the grid of a layer, with `cells` or, in many passes, `explain`.

    `layer` is by default the one that the instance names, or else `layer_in(classifier)`. The map is upsampled
    bilinearly. Its negative values are cut off unless `relu` is False or the target is a difference, whose map is that
    of the one class minus that of the other. Nothing is rescaled: a map of zeros stays one, and the maps of two
    pictures can be compared.
    """

    layer: str | None = None
    relu: bool = True

    family = "cam"

    def layer_in(self, classifier: Classifier) -> str:
        """The layer of this network that is explained: `layer`, or the one to begin with. Raises LayerError."""
        return classifier.default_layer if self.layer is None else self.layer

    def place(self, instance: Instance) -> Instance:
        """The instance at the layer that is explained. Raises LayerError."""
        named = self.layer is None and instance.layer is not None
        return instance if named else instance.at(self.layer_in(instance.classifier))

    def cells(self, instance: Instance) -> Tensor:
        """The map (h, w) of the instance's layer before negative values are cut off."""
        raise NotImplementedError

    def explain(self, instance: Instance) -> Iterator[Heatmap]:
        """Yield once, after a forward pass where none is shared."""
        instance = self.place(instance)
        instance.tape.follow()
        yield self.remark(instance, self.map_of(instance, self.cells(instance)))

    def remark(self, instance: Instance, heatmap: Heatmap) -> Heatmap:
        """`heatmap`, which is finished, with what a reader should know of it."""
        return heatmap

    def is_signed(self, target: Target) -> bool:
        """Whether negative values mean something."""
        return target.signed or not self.relu

    def visible_cells(self, instance: Instance) -> Tensor:
        """The map (h, w) as it is drawn at the instance's layer, without notes: to compare layers on one tape."""
        return self._cut_off(self.cells(instance), instance.target)

    def map_of(self, instance: Instance, cells: Tensor, progress: float = 1.0, quantity: str | None = None) -> Heatmap:
        """The heatmap of cells (h, w)."""
        signed = self.is_signed(instance.target)
        heatmap = Heatmap.of_cells(
            self._cut_off(cells, instance.target),
            instance.size,
            self.wording(instance, quantity),
            signed=signed,
            target=instance.target,
            progress=progress,
        )
        uncut = None if signed else cells.detach().to("cpu", torch.float32).numpy()
        return dataclasses.replace(heatmap, uncut=uncut)

    def _cut_off(self, cells: Tensor, target: Target) -> Tensor:
        return cells if self.is_signed(target) else cells.clamp_min(0)
