"""Make the documentation's pictures by the demo networks: `.venv/bin/python scripts/doc_pictures.py [NAME ...]`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import PIL.Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cnnviz_widgets import (  # noqa: E402
    ActivationView,
    CAMView,
    EmbeddingView,
    FeatureStore,
    FilterView,
    MaximisationView,
    NeighbourView,
    OcclusionView,
    PatchView,
    SaliencyView,
    Session,
    demo,
    schedule,
)
from cnnviz_widgets.explain import Occlusion, SmoothGrad  # noqa: E402
from cnnviz_widgets.study import ActivationMaximisation  # noqa: E402
from cnnviz_widgets.views.panel import Panel  # noqa: E402

FOLDER = ROOT / "notebooks" / "pictures"
#: Wider ones are made smaller: no column of the documentation is wider.
WIDTH = 760


def occlusion() -> Panel:
    view = OcclusionView(demo.classifier(), picture("coffee"), techniques=[Occlusion(window=64, stride=16)])
    view.compute_map()
    return view


def gradcam() -> Panel:
    return CAMView(Session(demo.classifier(), picture("chelsea"), target="Egyptian cat"))


def cam() -> Panel:
    view = CAMView(demo.classifier(), picture("coffee"))
    view.technique = "CAM"
    return view


def saliency() -> Panel:
    return SaliencyView(demo.classifier(), picture("rocket"), techniques=[SmoothGrad(samples=32)])


def activation() -> Panel:
    return ActivationView(Session(demo.classifier(), picture("chelsea"), layer="_blocks.15"))


def filters() -> Panel:
    return FilterView(demo.classifier())


def patches() -> Panel:
    return PatchView(demo.classifier(), picture("chelsea"), source=demo.crops(120))


def class_visual() -> Panel:
    return MaximisationView(
        Session(demo.classifier(), target="daisy"), technique=ActivationMaximisation(iterations=128), started=True
    )


def neighbours() -> Panel:
    return NeighbourView(demo.classifier(), picture("chelsea"), source=demo.lit_crops())


def embedding() -> Panel:
    classifier = demo.digits_classifier()
    return EmbeddingView(classifier, store=FeatureStore.build(classifier, demo.digits(), batch=64))


MADE: tuple[Callable[[], Panel], ...] = (
    occlusion,
    gradcam,
    cam,
    saliency,
    activation,
    filters,
    patches,
    class_visual,
    neighbours,
    embedding,
)


def picture(name: str) -> object:
    return next(each for each in demo.pictures() if each.name == name)


def main(names: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for make in MADE:
        if names and make.__name__ not in names:
            continue
        path = FOLDER / f"{make.__name__}.png"
        with schedule.inline():
            view = make()
            view.save(path)
            view.close()
        image = PIL.Image.open(path).convert("RGB")
        image.thumbnail((WIDTH, 10_000), PIL.Image.Resampling.LANCZOS)
        image.convert("P", palette=PIL.Image.Palette.ADAPTIVE, colors=128).save(path, optimize=True)
        print(f"{path.relative_to(ROOT)}: {image.width} x {image.height}, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
