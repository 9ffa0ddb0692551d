"""Recordings: what a control changes, and that nothing else is left changed."""

from __future__ import annotations

import ipywidgets
import pytest

from cnnviz_widgets import export, schedule
from cnnviz_widgets.errors import ExportError
from cnnviz_widgets.explain import GradCAM
from cnnviz_widgets.export import recording_of
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.slider import OptionSlider
from cnnviz_widgets.widgets.status import Status
from cnnviz_widgets.widgets.tabs import Tabs
from cnnviz_widgets.widgets.tiles import Tiles
from tests.support.exported import cam_view


def linked() -> tuple[Picker, Status, Status]:
    """A picker, a line that says what is chosen, and one that says always the same."""
    picker, line, still = Picker(options=["a", "b", "c"], index=1, description="letter"), Status(), Status(text="still")

    def say(_: object = None) -> None:
        line.say(picker.options[picker.index])
        line.layout.display = "none" if picker.index == 2 else None

    picker.observe(say, names="index")
    say()
    return picker, line, still


def test_what_changes_is_recorded_and_nothing_else() -> None:
    picker, line, still = linked()
    recording = export.record(picker, lambda index: picker.set_trait("index", index), [picker, line, still])
    assert [dict(state) for state in recording.states] == [
        {line: {"text": "a", "layout": {}}},
        {line: {"text": "b", "layout": {}}},
        {line: {"text": "c", "layout": {"display": "none"}}},
    ]
    assert recording.axes[0].controls == (picker,) and recording.axes[0].start == 1


def test_afterwards_all_is_as_before() -> None:
    picker, line, still = linked()
    export.record(picker, export.hand_on(picker), [ipywidgets.VBox([line, ipywidgets.HBox([picker, still])])])
    assert (picker.index, line.text, line.layout.display) == (1, "b", None)


def test_also_when_choosing_raises() -> None:
    picker, line, _ = linked()

    def choose(index: int) -> None:
        picker.index = index
        if index == 2:
            raise RuntimeError("no c")

    with pytest.raises(RuntimeError, match="no c"):
        export.record(picker, choose, [line])
    assert (picker.index, line.text) == (1, "b")


def test_recorded_values_are_copies() -> None:
    picker, _, _ = linked()
    held = Tiles(labels=["x"])
    labels = [["x"], ["y"], ["z"]]
    picker.observe(lambda change: held.set_trait("labels", labels[change["new"]]), names="index")
    held.labels = labels[1]
    recording = export.record(picker, export.hand_on(picker), [held])
    labels[0].append("later")
    assert [state[held]["labels"] for state in recording.states] == [["x"], ["y"], ["z"]]


def test_a_panel_is_recorded_by_the_hand_alone() -> None:
    view, recording = cam_view()
    layers = view.layer_slider.names
    example = view.session.scene.example
    for layer, state in zip(layers, recording.states, strict=True):
        cells = GradCAM(layer)(example.classifier, example.pixels, view.session.scene.class_index).cells
        assert state[view.canvas]["_map"]["values"] == cells.astype("<f4").tobytes()
    assert {name for _, name in recording.changing} == {
        *("_map", "selected"),  # the film strip goes along
        *("text", "answer", "detail"),
    }
    assert view.layer_slider.index == len(layers) - 1
    assert view.canvas.map == recording.states[-1][view.canvas]["_map"]["values"]


def test_work_that_is_under_way_is_waited_for() -> None:
    picker, line, _ = linked()
    schedule.WORKER.submit(lambda: line.say("from the worker"))
    recording = export.record(picker, lambda index: None, [line])
    assert recording.final[line]["text"] == "from the worker"


def test_what_has_nothing_chosen_cannot_be_recorded() -> None:
    with pytest.raises(ExportError, match="Nothing is chosen in letter"):
        export.record(Picker(options=["a"], description="letter"), print, [])


def test_what_has_no_options_cannot_be_recorded() -> None:
    with pytest.raises(ExportError, match="no options"):
        recording_of(Status(), ())
    for control in (Status(), OptionSlider(), Tabs(titles=["a"])):
        with pytest.raises(ExportError, match="no options"):
            export.record(control, print, [])


def test_each_option_needs_a_state() -> None:
    with pytest.raises(ExportError, match="1 states for the 2 options"):
        recording_of(Picker(options=["a", "b"], index=0), ({},))


def test_options_that_change_cannot_be_recorded() -> None:
    picker, _, _ = linked()
    with pytest.raises(ExportError, match="options of letter change"):
        export.record(picker, lambda index: picker.set_trait("options", ["a", "b", "c", "d"]), [])


def test_widgets_that_come_and_go_cannot_be_recorded() -> None:
    picker, line, _ = linked()
    box = ipywidgets.VBox([line])
    with pytest.raises(ExportError, match="which widgets there are in VBox"):
        export.record(picker, lambda index: box.set_trait("children", [Status()]), [box])
