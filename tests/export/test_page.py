"""Pages as documents: what is in them. Whether they live, tests/browser/test_export_page.py asks."""

from __future__ import annotations

import itertools
import json
import logging
import os
import stat
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
import traitlets

from cnnviz_widgets import export
from cnnviz_widgets.errors import ExportError
from cnnviz_widgets.export import recording_of
from cnnviz_widgets.export.values import Values, to_levels
from cnnviz_widgets.widgets.base import BaseWidget
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.slider import OptionSlider
from cnnviz_widgets.widgets.status import Status
from cnnviz_widgets.widgets.tabs import Tabs
from cnnviz_widgets.widgets.tiles import Tiles
from tests.support.exported import cam_view, content_of, recorded_states


def canvas() -> PictureCanvas:
    made = PictureCanvas(mode="window", label="noise")
    made.show(np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8))
    made.overlay(np.eye(4, dtype=np.float32), "x", scales=[("unit", 0, 1)])
    return made


def test_a_tree_is_packed_with_its_state() -> None:
    picture = canvas()
    box = ipywidgets.HBox([picture, ipywidgets.Label("text", layout={"width": "9em", "grid_gap": "2px"})])
    box.add_class("mine")
    root, packed, label = content_of(export.page(box, title="t"))["widgets"]
    assert (root["kind"], root["children"], root["state"]["_dom_classes"]) == ("row", [1, 2], ["mine"])
    assert packed["state"]["_picture"] == {"pixels": picture._picture["pixels"], "size": [40, 30]}
    assert packed["state"]["_map"]["values"] == picture.map
    assert label["state"] == {
        "_dom_classes": [],
        "description": "",
        "layout": {"grid-gap": "2px", "width": "9em"},
        "tooltip": None,
        "value": "text",
    }


def test_scripts_and_equal_bytes_are_there_once() -> None:
    one = export.page(ipywidgets.VBox([canvas()]), title="t")
    three = export.page(ipywidgets.VBox([canvas(), canvas(), canvas()]), title="t")
    assert {widget.get("script") for widget in content_of(three)["widgets"]} == {None, "picture"}
    assert content_of(three)["scripts"] == []  # the page's own script has it
    assert len(three) - len(one) < 40 * 30 * 3


def test_a_widget_that_is_shown_twice_is_packed_once() -> None:
    status = Status()
    widgets = content_of(export.page(ipywidgets.VBox([status, ipywidgets.HBox([status])]), title="t"))["widgets"]
    assert [widget.get("children") for widget in widgets] == [[1, 2], None, [1]]


def test_the_same_state_is_the_same_page() -> None:
    assert export.page(canvas(), title="t") == export.page(canvas(), title="t")


def test_what_would_ask_a_kernel_is_left_out_and_named() -> None:
    kept = Picker(options=["a"], index=0, description="kept")
    parts = [
        kept,
        OptionSlider(options=["a"], description="layer"),
        ipywidgets.Button(description="Go"),
        Tabs(titles=["t"]),
    ]
    parts += [canvas(), ipywidgets.Image(value=b"")]
    document = export.page(ipywidgets.VBox(parts), title="t", recorded=[recording_of(kept, ({},))])
    picker, picture, image = content_of(document)["widgets"][1:]
    assert picker["state"]["disabled"] is False and picker["state"]["index"] == 0
    assert (picture["state"]["mode"], image["kind"]) == ("view", "absent")
    assert "kept (1)." in document
    assert "Left out, as it needs a kernel: layer, Go, Tabs." in document
    assert "Not shown, as it needs a kernel: Image." in document
    assert "threshold" in document


def test_a_script_of_others_is_taken_along_and_allowed() -> None:
    class Other(BaseWidget):
        _esm = "export default { render({ el }) { el.textContent = 'other'; } }"

    document = export.page(ipywidgets.VBox([Other(), Other(), Status()]), title="t")
    content = content_of(document)
    assert content["scripts"] == [Other._esm]
    assert [widget.get("script") for widget in content["widgets"]] == [None, 0, 0, "status"]
    assert "' blob:; style-src" in document
    assert "blob:; style-src" not in export.page(Status(), title="t")


def test_the_window_is_outlined_where_it_was() -> None:
    picture = canvas()
    picture.place_window((3, 4, 10, 12))
    (packed,) = content_of(export.page(picture, title="t"))["widgets"]
    assert packed["state"]["box"] == [3, 4, 13, 16]
    assert picture.box is None


def test_a_recorded_panel_is_packed_as_it_was_recorded() -> None:
    view, recording = cam_view()
    packed = recorded_states(content_of(export.page(view, title="t", recorded=[recording])))
    for state, recorded in zip(packed, recording.states, strict=True):
        assert sorted(json.dumps(traits, default=repr) for traits in state.values()) == sorted(
            json.dumps(traits, default=repr) for traits in recorded.values()
        )


def test_widgets_that_are_not_on_the_page_are_left_out_of_recordings() -> None:
    view, recording = cam_view()
    box = ipywidgets.VBox([view.layer_slider, view.canvas])
    recorded = content_of(export.page(box, title="t", recorded=[recording]))["recorded"]
    assert {(trait["widget"], trait["trait"]) for trait in recorded} == {(2, "_map")}


def test_a_trait_is_packed_for_the_axes_that_it_depends_on() -> None:
    one, two = (Picker(options=["a", "b", "c"], index=0, description=name) for name in ("one", "two"))
    both, second = Status(), Status()

    def say(_: object = None) -> None:
        both.say(f"{one.index}{two.index}")
        second.say(str(two.index))

    for picker in (one, two):
        picker.observe(say, names="index")
    say()
    recording = export.record_all([export.axis_of(one), export.axis_of(two)], [both, second])
    content = content_of(export.page(ipywidgets.VBox([one, two, both, second]), title="t", recorded=[recording]))
    assert [axis["name"] for axis in content["axes"]] == ["one", "two"]
    texts = {
        trait["widget"]: (trait["axes"], [content["values"][place] for place in trait["values"]])
        for trait in content["recorded"]
    }
    assert texts == {
        3: ([0, 1], [f"{first}{other}" for first in range(3) for other in range(3)]),
        4: ([1], ["0", "1", "2"]),
    }


def test_some_options_of_a_control_can_be_recorded() -> None:
    picker, line = Picker(options=["a", "b", "c", "d"], hints=["1", "2", "3", "4"], index=1), Status()
    picker.observe(lambda change: line.say(picker.options[change["new"]]), names="index")
    line.say("b")
    kept = (1, 3)
    axis = export.Axis((picker,), 2, lambda option: export.hand_on(picker)(kept[option]), lambda _: kept)
    recording = export.record_all([axis], [picker, line])
    content = content_of(export.page(ipywidgets.VBox([picker, line]), title="t", recorded=[recording]))
    state = content["widgets"][1]["state"]
    assert (state["options"], state["hints"], state["index"]) == (["b", "d"], ["2", "4"], 0)
    assert [one[2]["text"] for one in recorded_states(content)] == ["b", "d"]
    assert picker.index == 1


def test_maps_are_rounded_and_averaged_where_that_is_wanted_and_it_is_said() -> None:
    cells = np.random.default_rng(0).normal(size=(12, 9)).astype(np.float32)
    for finest, size in ((6, (6, 6)), (24, (12, 9))):
        values = Values(finest)
        packed = values.packed({"values": cells.tobytes(), "size": [12, 9], "scales": [], "signed": True})
        assert tuple(packed["size"]) == size
        begin, length = values.extents[packed["values"]["$levels"]]
        levels = np.frombuffer(values.block[begin : begin + length], np.uint8).reshape(size)
        low, high = packed["values"]["low"], packed["values"]["high"]
        restored = low + (high - low) * levels.astype(float) / 254
        expected = cells.astype(float)
        if finest == 6:
            starts = [9 * at // 6 for at in range(6)] + [9]
            expected = expected.reshape(6, 2, 9).mean(axis=1)
            pairs = itertools.pairwise(starts)
            expected = np.stack([expected[:, a:b].mean(axis=1) for a, b in pairs], axis=1)
        assert np.abs(restored - expected).max() <= values.rounding * (high - low) + 1e-6
        assert values.averaged == (finest == 6)
        assert 0 in {round(low + (high - low) * level / 254, 9) for level in range(255)}  # zero stays zero


def test_numbers_that_are_none_stay_so() -> None:
    cells = np.array([[np.nan, 1.0], [2.0, np.nan]], np.float32)
    levels, low, high = to_levels(cells)
    assert levels.tolist() == [[255, 0], [254, 255]] and (low, high) == (1, 2)


def test_a_panel_that_has_changed_since_is_refused() -> None:
    view, recording = cam_view()
    view.canvas.label = "another"
    with pytest.raises(ExportError, match="PictureCanvas has changed since layer was recorded: record it again"):
        export.page(view, title="t", recorded=[recording])


def test_what_the_page_itself_writes_may_change() -> None:
    view, recording = cam_view()
    view.canvas.view_state = {"opacity": 0.3}
    assert export.page(view, title="t", recorded=[recording])


def test_two_recordings_of_one_trait_are_refused() -> None:
    first, second, line = Picker(options=["a"], index=0, description="one"), Picker(options=["b"], index=0), Status()
    recorded = [recording_of(control, ({line: {"text": "x"}},)) for control in (first, second)]
    with pytest.raises(ExportError, match="one and Picker change the same 'text' of Status: record one of the two"):
        export.page(ipywidgets.VBox([first, second, line]), title="t", recorded=recorded)


def test_a_recorded_control_must_be_on_the_page() -> None:
    recording = recording_of(Picker(options=["a"], index=0, description="one"), ({},))
    with pytest.raises(ExportError, match="one was recorded but is not among the widgets"):
        export.page(Status(), title="t", recorded=[recording])


def test_a_state_that_is_no_json_is_refused() -> None:
    class Odd(BaseWidget):
        _esm = "export default {}"
        odd = traitlets.Any().tag(sync=True)

    with pytest.raises(ExportError, match="cannot hold the state of Odd: there is a set in it"):
        export.page(Odd(odd={"a": [{1}]}), title="t")


def test_numbers_that_json_has_not_become_null() -> None:
    (widget,) = content_of(export.page(Status(progress=float("nan")), title="t"))["widgets"]
    assert widget["state"]["progress"] is None


@pytest.mark.parametrize("hostile", ["</script><script>alert(1)</script>", "<!--<script>", "</title>&amp;\"'"])
def test_labels_do_not_end_what_they_stand_in(hostile: str) -> None:
    picker = Picker(options=[hostile], index=0, description=hostile)
    tiles = Tiles(description=hostile, labels=[hostile])
    box = ipywidgets.VBox([picker, tiles, ipywidgets.Label(hostile)])
    recording = recording_of(picker, ({tiles: {"badges": [hostile]}},))
    document = export.page(box, title=hostile, recorded=[recording])
    assert hostile not in document
    assert document.count("<script") == document.count("</script>") == 2
    content = content_of(document)
    assert content["widgets"][1]["state"]["options"] == [hostile]
    assert recorded_states(content) == [{2: {"badges": [hostile]}}]


def test_a_page_names_no_address() -> None:
    view, recording = cam_view()
    document = export.page(view, title="t", recorded=[recording])
    addresses = {word for word in document.replace('"', " ").split() if "http" in word and "://" in word}
    assert {address for address in addresses if "www.w3.org" not in address} == set()  # names, not addresses
    assert "default-src 'none'" in document


def test_a_page_of_a_small_network_is_small(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    view, recording = cam_view()
    path = tmp_path / "cam.html"
    with caplog.at_level(logging.INFO, "cnnviz_widgets"):
        size = export.write(path, view, title="shapes", recorded=[recording])
    assert size == path.stat().st_size / 1e6 < 0.3
    assert f"{path}: {size:.2f} MB" in caplog.text
    assert path.read_bytes().decode() == export.page(view, title="shapes", recorded=[recording])


def test_a_page_replaces_the_one_before_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.html"
    path.write_text("before")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
        with pytest.raises(ExportError, match=r"page\.html' \(Permission denied\): give a file in a folder"):
            export.write(path, Status(), title="t")
    assert path.read_text() == "before"
    export.write(str(path), Status(), title="t")
    assert path.read_text().startswith("<!doctype html>")
    assert os.listdir(tmp_path) == ["page.html"]


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes elsewhere")
def test_others_may_read_a_page_as_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    export.write(tmp_path / "page.html", Status(), title="t")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


@pytest.mark.parametrize("path", ["", "\0"])
def test_what_is_no_file_name_is_refused(path: str) -> None:
    with pytest.raises(ExportError, match="cannot be written"):
        export.write(path, Status(), title="t")


def test_a_title_that_is_no_text_can_be_written(tmp_path: Path) -> None:
    export.write(tmp_path / "page.html", Status(text="\ud800"), title="file \ud800")
    assert "<h1>file &#55296;</h1>" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["missing/page.html", "."])
def test_where_nothing_can_be_written_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(ExportError, match="cannot be written"):
        export.write(tmp_path / name, Status(), title="t")
    assert os.listdir(tmp_path) == []
