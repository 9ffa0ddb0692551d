"""What each view must show when nothing is under way, worked out anew from the session."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import torch

from cnnviz_widgets.classifier import Target
from cnnviz_widgets.explain import LayerExplainer, baseline_pixels
from cnnviz_widgets.explain.cam.channelwise import ChannelwiseCAM
from cnnviz_widgets.session import Scene
from cnnviz_widgets.study import Channel
from cnnviz_widgets.study.filters import convolution_of
from cnnviz_widgets.views.activation import ActivationView
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.embedding import EmbeddingView
from cnnviz_widgets.views.explorer import Explorer
from cnnviz_widgets.views.filters import FilterView
from cnnviz_widgets.views.heatmap import HeatmapView
from cnnviz_widgets.views.maximisation import MaximisationView
from cnnviz_widgets.views.neighbours import NeighbourView
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.patches import PatchView
from cnnviz_widgets.views.saliency import SaliencyView

Faults = Iterator[str]


def faults(app: Explorer) -> list[str]:
    """A line for everything in the app that is not as the session says; empty if all is well."""
    session, view = app.session, app.view
    scene = session.scene
    found = []
    name = scene.example.picture.name or "this picture"
    if f"{name} for: " not in app.predictions.status.text:
        found.append(f"predictions of another picture than {name}: {app.predictions.status.text}")
    shown = next((i for i, picture in enumerate(app.pictures) if picture is session.picture), None)
    if app.strip.selected != shown:
        found.append(f"the strip marks {app.strip.selected}, not {shown}")
    if view.status.kind != "error":
        of_kind = next(check for kind, check in _CHECKS if isinstance(view, kind))
        found += [f"{type(view).__name__}: {fault}" for fault in of_kind(view, scene)]
    return found


def of_occlusion(view: OcclusionView, scene: Scene) -> Faults:
    example, index, canvas = scene.example, scene.class_index, view.canvas
    name = example.classifier.class_names[index]
    if canvas.picture != example.appearance.tobytes():
        yield "another picture"
    filling = baseline_pixels(example.classifier, example.pixels, view.technique.baseline)
    if canvas.baseline != example.classifier.appearance(filling).tobytes():
        yield "another baseline"
    probe = view.probe
    if probe is None or (probe.example, probe.class_index, probe.box) != (example, index, canvas.window):
        yield f"a probe of {probe and (probe.class_index, probe.box)}, not of {index, canvas.window}"
    elif not probe.interpolated:
        top, left, height, width = probe.box
        pixels = example.pixels.clone()
        part = (..., slice(top, top + height), slice(left, left + width))
        pixels[part] = filling[part]
        with torch.no_grad():
            logits = example.classifier.logits(pixels)[0].numpy()
        if not np.allclose(logits, probe.logits, rtol=1e-3, atol=1e-3):
            yield "logits of another window"
    if canvas.map and not canvas.label.endswith(f"map of {name}"):
        yield f"a map labelled {canvas.label!r}, not {name}"
    if canvas.map and not canvas.label.startswith(f"{example.picture.name or 'picture'} under"):
        yield f"a map labelled {canvas.label!r}, of another picture"


def of_heatmap(view: HeatmapView, scene: Scene) -> Faults:
    example, index = scene.example, scene.class_index
    if view.status.text.startswith("stopped"):
        return
    name = example.classifier.class_names[index]
    head = f"{example.picture.name or 'picture'} under {view.technique.label} of {name}"
    if not view.canvas.label.startswith(head):
        yield f"{view.canvas.label!r}, not {head!r}"
    if view.canvas.picture != example.appearance.tobytes():
        yield "another picture"
    yield from of_line(view, name)


def of_line(view: HeatmapView | FilterView, name: str) -> Faults:
    """What is said after the answer begins with what it is of."""
    answer = "" if view.answer is None else f"{view.answer} "
    if not view.status.text.startswith(f"{answer}{name}: "):
        yield f"the line {view.status.text!r}, not of {name}"


def of_cam(view: CAMView, scene: Scene) -> Faults:
    yield from of_heatmap(view, scene)
    in_steps = isinstance(view.technique, ChannelwiseCAM) or not isinstance(view.technique, LayerExplainer)
    if in_steps or view.status.text.startswith("stopped"):
        return
    against = scene.against
    target = scene.class_index
    wanted = dataclasses.replace(view.technique, layer=scene.layer)(
        scene.classifier,
        scene.example.pixels,
        target if against is None or against == target else Target(target, against),
    ).cells
    drawn = np.frombuffer(view.canvas.map, "<f4").reshape(view.canvas.map_size)
    if drawn.shape != wanted.shape or not np.allclose(drawn, wanted, atol=1e-4 * max(1.0, float(np.abs(wanted).max()))):
        yield f"another map than {view.technique.label} of {target} at {scene.layer}"
    slider = view.layer_slider
    if slider.names[slider.index] != scene.layer:
        yield f"a slider at {slider.names[slider.index]}, not at {scene.layer}"


def of_activation(view: ActivationView, scene: Scene) -> Faults:
    maps, example = view.activations, scene.example
    if maps is None or maps.layer != scene.layer:
        yield f"maps of {maps and maps.layer}, not of {scene.layer}"
    if (
        f"{example.classifier.class_names[scene.class_index]}" not in view.status.text
        and "Cell" not in view.status.text
    ):
        yield f"the line {view.status.text!r}, of another class"
    if not view.canvas.label.startswith(example.picture.name or "picture"):
        yield f"{view.canvas.label!r}, of another picture"


def of_filters(view: FilterView, scene: Scene) -> Faults:
    wanted = convolution_of(scene.classifier, scene.layer).name
    if view.filters is None or view.filters.layer != wanted:
        yield f"filters of {view.filters and view.filters.layer}, not of {wanted}"
    else:
        yield from of_line(view, wanted)


def of_patches(view: PatchView, scene: Scene) -> Faults:
    wanted, sheet = (scene.layer, scene.channel or 0, view.rank), view.sheet
    if view.patches is None or scene.layer not in view.patches.layers:
        return
    if sheet is None or (sheet.layer, sheet.channel, sheet.rank) != wanted:
        yield f"patches of {sheet and (sheet.layer, sheet.channel, sheet.rank)}, not of {wanted}"
    elif sheet.locations and view.tiles.sheet != sheet.tiles.tobytes():
        yield "other tiles than those of its sheet"


def of_neighbours(view: NeighbourView, scene: Scene) -> Faults:
    found, store = view.neighbours, view.store
    if store is None or store.progress < 1:
        return
    if found is None or found.example is not scene.example or found.features.metric != view.metric:
        yield "neighbours of another picture, or by another metric"
    elif len(found.features.rows) != min(view.k, len(store) - (found.row is not None)):
        yield f"{len(found.features.rows)} neighbours, not {view.k}"


def of_visual(view: MaximisationView, scene: Scene) -> Faults:
    visual = view.visuals[0]
    wanted = Channel(scene.layer, scene.channel or 0) if view.of_channel else scene.class_index
    if visual is not None and visual.target != wanted and view.run_button.description == "Stop":
        yield f"a picture for {visual.target}, not for {wanted}"
    if visual is not None and view.canvases[0].picture != visual.appearance.tobytes():
        yield "another picture than its last"


def of_map(view: EmbeddingView, scene: Scene) -> Faults:
    if view.points is None or view.store is None:
        return
    rows = np.sort(view.store.rows_of(view.session.selection))
    if not np.array_equal(rows, np.sort(view.points.selected)):
        yield f"a selection of {view.points.selected}, not {rows}"


_CHECKS: list[tuple[type[Panel], Callable[..., Faults]]] = [
    (OcclusionView, of_occlusion),
    (CAMView, of_cam),
    (SaliencyView, of_heatmap),
    (ActivationView, of_activation),
    (FilterView, of_filters),
    (PatchView, of_patches),
    (NeighbourView, of_neighbours),
    (MaximisationView, of_visual),
    (EmbeddingView, of_map),
]
