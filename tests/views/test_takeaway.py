"""What is taken away from a panel: figures without a browser, tables, code, and the state of an app."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import PIL.Image
import pytest

from cnnviz_widgets import explore, schedule
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import ExplanationError, ExportError, LayerError, PictureError, StateError
from cnnviz_widgets.explain import GradCAM, LayerCAM, Occlusion, ScoreCAM
from cnnviz_widgets.paint import color_table, colorize, table_names
from cnnviz_widgets.picture import read_picture
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.embedding import EmbeddingView
from cnnviz_widgets.views.explorer import Explorer
from cnnviz_widgets.views.maximisation import MaximisationView
from cnnviz_widgets.views.neighbours import NeighbourView
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.patches import PatchView
from cnnviz_widgets.views.saliency import SaliencyView
from cnnviz_widgets.views.take import lettering, marks
from cnnviz_widgets.views.take.blocks import block
from cnnviz_widgets.views.take.code import code_of
from cnnviz_widgets.views.take.figure import parts_of, scale_in_use, table_in_use
from cnnviz_widgets.views.take.lettering import clean, cut, width_of, wrapped
from cnnviz_widgets.views.take.marks import Drawing, Image, Line, Rectangle, Text
from cnnviz_widgets.views.take.parts import MapPart, TilesPart
from cnnviz_widgets.views.take.png import png
from cnnviz_widgets.views.take.save import figure
from cnnviz_widgets.views.take.svg import svg
from tests.support.exported import content_of

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def session(classifier: Classifier, picture: np.ndarray, inline: None) -> Session:
    return Session(classifier, picture)


def data() -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (12, 24, 32, 3), dtype=np.uint8))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def images_of(panel: Panel) -> list[Image]:
    return [mark for mark in figure(panel).marks if isinstance(mark, Image)]


# -- figures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("technique", ["Grad-CAM", "LayerCAM"])
def test_a_map_is_drawn_in_the_colours_of_the_page(session: Session, tmp_path: Path, technique: str) -> None:
    view = CAMView(session)
    view.technique = technique
    view.technique = type(view.technique)(relu=False)
    drawn = np.asarray(PIL.Image.open(view.save(tmp_path / "map.png")))
    cells = view.heatmap.cells
    (_, low, high), place = scale_in_use(view.canvas), images_of(view)[1]
    assert view.heatmap.signed and -low == high >= np.abs(cells).max()
    colours = colorize(cells, low, high, table_names(signed=True)[0])
    rows, columns = cells.shape
    for row, column in ((0, 0), (rows // 2, columns // 3), (rows - 1, columns - 1)):
        y = place.y + round((row + 0.5) * place.height / rows)
        x = place.x + round((column + 0.5) * place.width / columns)
        assert drawn[y, x].tolist() == colours[row, column].tolist()


def test_the_map_over_the_picture_is_clear_where_it_says_nothing(session: Session) -> None:
    view = SaliencyView(session)
    over = images_of(view)[2].pixels
    part = parts_of(view)[0]
    assert isinstance(part, MapPart)
    values, end = view.heatmap.values, part.high
    strongest = values >= end
    assert strongest.any()
    np.testing.assert_array_equal(over[strongest], np.broadcast_to(color_table(part.table)[255], over[strongest].shape))
    grey = np.asarray(PIL.Image.fromarray(part.picture).convert("L"))
    share = np.clip(values / end, 0, 1)[..., None]
    expected = grey[..., None] * (1 - share) + colorize(values, 0, end, part.table) * share
    assert np.abs(over - expected).max() <= 0.51


def test_a_figure_has_the_quantity_the_ends_of_the_scale_and_what_the_view_says(session: Session) -> None:
    view = CAMView(session)
    said = " ".join(mark.text for mark in figure(view).marks if isinstance(mark, Text))
    for text in ("Grad-CAM", "Counting", view.heatmap.quantity, "scale: ", view.status.text[:30]):
        assert text in said
    _, low, high = scale_in_use(view.canvas)
    texts = [mark.text for mark in figure(view).marks if isinstance(mark, Text)]
    assert low == 0 and "0" in texts and f"{high:.3g}" in texts


def test_the_scale_and_colours_are_those_of_the_page(session: Session) -> None:
    view = CAMView(session)
    assert scale_in_use(view.canvas)[0] == view.canvas.scales[0][0]
    quantity = view.canvas.quantity
    view.canvas.view_state = {"scale": "all layers", "colors": "magma"}
    assert scale_in_use(view.canvas)[0] == "all layers" and table_in_use(view.canvas) == "magma"
    held = {"quantity": quantity, "signed": False, "low": 0, "high": 7}
    view.canvas.view_state = {"held": held}
    assert scale_in_use(view.canvas) == ("held", 0.0, 7.0)
    for state in ({"held": {**held, "high": "7"}}, {"held": {**held, "quantity": "x"}}, {"scale": [1], "colors": {}}):
        view.canvas.view_state = state
        assert scale_in_use(view.canvas)[0] == view.canvas.scales[0][0] and table_in_use(view.canvas) == "viridis"


def test_the_patch_is_on_the_picture(session: Session) -> None:
    view = OcclusionView(session, technique=Occlusion(window=8), run_ahead=False)
    view.window = (2, 3, 8, 8)
    shown = images_of(view)[0].pixels
    filling = np.frombuffer(view.canvas.baseline, np.uint8).reshape(24, 32, 3)
    whole = session.example.appearance.copy()
    whole[2:10, 3:11] = filling[2:10, 3:11]
    np.testing.assert_array_equal(shown, whole)


def test_names_do_no_harm_in_svg(classifier: Classifier, picture: np.ndarray, inline: None, tmp_path: Path) -> None:
    view = CAMView(classifier, read_picture(picture, f'{HOSTILE}"&\ud800\x07'))
    view.session.target = 2
    text = view.save(tmp_path / "map.svg").read_text(encoding="utf-8")
    assert HOSTILE not in text and "&lt;script&gt;" in text
    root = ElementTree.fromstring(text)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {"svg", "title", "rect", "image", "text"}
    references = [value for element in root.iter() for name, value in element.items() if name.endswith("href")]
    assert references and all(value.startswith("data:image/png;base64,") for value in references)


def test_every_mark_is_drawn_alike_by_both() -> None:
    image = np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8)
    drawing = Drawing(
        60,
        40,
        [
            Image(2, 3, 20, 10, image),
            Rectangle(30, 3, 10, 10, fill="#0000ff"),
            Rectangle(30, 20, 10, 10, stroke="#00ff00", stroke_width=2),
            Line([(2, 30), (20, 30)], "#123456", 3),
            marks.Dot(50, 30, 5, "#654321"),
            Text(2, 22, "a < b", 10),
        ],
    )
    pixels = np.asarray(PIL.Image.open(io.BytesIO(png(drawing))))
    assert pixels.shape == (40, 60, 3)
    places = {(8, 5): (255, 0, 0), (8, 18): (0, 255, 0), (8, 35): (0, 0, 255), (21, 35): (0, 255, 0)}
    places |= {(25, 35): (255, 255, 255), (30, 10): (0x12, 0x34, 0x56), (30, 50): (0x65, 0x43, 0x21)}
    assert {place: tuple(pixels[place].tolist()) for place in places} == places
    elements = [element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg(drawing))]
    assert elements == ["title", "rect", "image", "rect", "rect", "polyline", "circle", "text"]


def test_text_fits_its_column() -> None:
    text = "Grad-CAM of a cat " + "x" * 400 + " \N{MINUS SIGN}0.1 \u200f end"
    lines = wrapped(text, 200, 18)
    assert all(width_of(line, 18) <= 200 for line in lines)
    assert "".join(lines).replace(" ", "") == clean(text).replace(" ", "")
    assert width_of(cut(text, 90, 18), 18) <= 90 and cut("short", 90, 18) == "short"
    assert wrapped("", 100, 18) == [] and len(wrapped(text, 60, 18, most=3)) == 3


def test_letters_that_the_font_lacks_come_from_one_that_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lettering.font_of("Grad-CAM of a cat", 18).getname()[0] == "Aileron"
    korean = "\ud55c\uad6d 1"
    monkeypatch.setattr(lettering, "_OTHERS", ("missing.ttf", "there.ttf"))
    monkeypatch.setattr(lettering, "_has", lambda name, letter: name == "there.ttf" or (not name and letter < "\uac00"))
    monkeypatch.setattr(lettering, "_font", lambda name, size: (name, size))
    chosen = lettering.font_of.__wrapped__
    assert chosen(korean, 18) == ("there.ttf", 18) and chosen("cat", 18) == ("", 18)
    monkeypatch.setattr(lettering, "_OTHERS", ("missing.ttf",))
    assert chosen(korean, 18) == ("", 18)


def test_a_sheet_shows_every_tile(session: Session) -> None:
    view = NeighbourView(session, source=data())
    assert len(images_of(view)) == 1 + 2 * len(view.neighbours.features)
    view.close()


def test_of_very_many_tiles_the_first_are_drawn_and_the_caption_says_so() -> None:
    part = TilesPart("300 channels", np.zeros((300, 4, 4, 3), np.uint8), [f"#{at}" for at in range(300)], [], 72)
    drawn = block(part)
    assert sum(isinstance(mark, Image) for mark in drawn.marks) == 128 and drawn.height < 2000
    assert "300 channels; the first 128 of 300 are drawn" in {
        mark.text for mark in drawn.marks if isinstance(mark, Text)
    }


# -- tables ------------------------------------------------------------------------------------------------------


def test_the_csv_of_a_map_has_its_cells(session: Session, tmp_path: Path) -> None:
    view = CAMView(session)
    rows = rows_of(view.save(tmp_path / "map.csv"))
    cells = np.zeros_like(view.heatmap.cells)
    for row in rows:
        cells[int(row["row"]), int(row["column"])] = float(row["value"])
    np.testing.assert_array_equal(cells, view.heatmap.cells)
    assert len(rows) == cells.size and {row["quantity"] for row in rows} == {view.heatmap.quantity}
    assert view.frame()["value"].to_numpy(np.float32).tolist() == cells.ravel().tolist()


def test_the_patch_s_table_is_what_the_network_says(session: Session) -> None:
    view = OcclusionView(session, technique=Occlusion(window=8, stride=8), run_ahead=False)
    table = view.table()
    np.testing.assert_array_equal(np.float32(table["logit"]), session.example.logits)
    np.testing.assert_array_equal(np.float32(table["logit_covered"]), view.probe.logits)
    assert sum(table["probability_covered"]) == pytest.approx(1, abs=1e-6)  # type: ignore[arg-type]
    view.compute_map()
    np.testing.assert_array_equal(np.float32(view.table()["value"]), view.heatmap.cells.ravel())


def test_tables_of_a_data_set_are_those_of_the_results(session: Session) -> None:
    near = NeighbourView(session, source=data(), k=3)
    found, table = near.neighbours, near.table()
    assert table["space"] == ["features"] * 3 + ["pixels"] * 3
    assert table["item"] == [*found.features.rows.tolist(), *found.pixels.rows.tolist()]
    np.testing.assert_array_equal(np.float32(table["distance"][:3]), found.features.distances)
    embedded = EmbeddingView(session, source=data())
    positions = np.stack([embedded.table()["x"], embedded.table()["y"]], 1)
    np.testing.assert_array_equal(positions, embedded.embedding.positions)
    patches = PatchView(session, source=data(), k=4)
    assert patches.table()["activation"] == [location.value for location in patches.sheet.locations]
    for view in (near, embedded, patches):
        view.close()


# -- what stands in the way --------------------------------------------------------------------------------------


def test_what_cannot_be_saved_is_said_with_its_mend(session: Session, tmp_path: Path) -> None:
    view = CAMView(session)
    for name in ("map.pdf", "map", ".png"):
        with pytest.raises(ExportError, match=r"\.png, \.svg, \.csv, \.html"):
            view.save(tmp_path / name)
    for suffix in ("png", "svg", "csv", "html"):
        with pytest.raises(ExportError, match="folder that is there"):
            view.save(tmp_path / "none" / f"map.{suffix}")
    assert not list(tmp_path.iterdir())


def test_a_view_without_a_result_is_not_saved(classifier: Classifier, inline: None, tmp_path: Path) -> None:
    for kind in (CAMView, OcclusionView, SaliencyView):
        view = kind(classifier)
        for suffix in ("png", "csv", "html"):
            with pytest.raises(ExportError, match="nothing to take away yet"):
                view.save(tmp_path / f"map.{suffix}")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_stays_where_writing_fails(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = CAMView(session).save(tmp_path / "map.PNG")
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(ExportError, match="No space left"):
        CAMView(session).save(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


# -- pages -------------------------------------------------------------------------------------------------------


def test_the_page_has_the_slider_of_the_layers_and_the_view_stays_as_it_was(session: Session, tmp_path: Path) -> None:
    view = CAMView(session)
    view.technique = "Grad-CAM++"  # it begins at a layer of its own
    before, cells = view.state, view.heatmap.cells
    document = view.save(tmp_path / "map.html").read_text(encoding="utf-8")
    options = view.layer_slider.options
    assert (
        f"Recorded, with the numbers of the notebook: layer ({len(options)})." in document
        and content_of(document)["widgets"]
    )
    assert view.state == before and session.layer == session.classifier.default_layer
    np.testing.assert_array_equal(view.heatmap.cells, cells)
    view.technique = "Score-CAM"
    assert "Recorded" not in view.save(tmp_path / "map.html").read_text(encoding="utf-8")


# -- code and state ----------------------------------------------------------------------------------------------


def test_the_code_has_what_is_not_as_usual(session: Session) -> None:
    view = CAMView(session)
    assert code_of(view).splitlines() == [
        "from cnnviz_widgets import CAMView, Session",
        "",
        "# network: 'Counting'; picture: the one looked at",
        "session = Session(network, picture)",
        "view = CAMView(session)",
    ]
    view.technique = LayerCAM(relu=False)
    session.target, session.against = 2, 0
    assert view.code().splitlines()[3:] == [
        "# network: 'Counting'; picture: the one looked at",
        "session = Session(network, picture)",
        f"session.target = 2  # {HOSTILE!r}",
        "session.against = 0  # 'ant'",
        "view = CAMView(session)",
        "view.technique = LayerCAM(relu=False)",
    ]


def test_the_code_offers_a_technique_that_a_view_does_not_have(session: Session) -> None:
    view = CAMView(session, techniques=[GradCAM(), _Own(), ScoreCAM()])
    view.technique = "my own"
    assert "view = CAMView(session, techniques=[_Own()])" in view.code()
    assert f"from {__name__} import _Own" in view.code()


class _Own(GradCAM):
    label = "my own"


def test_the_code_of_a_map_makes_the_map(session: Session) -> None:
    view = OcclusionView(session, technique=Occlusion(window=8, stride=4), run_ahead=False)
    view.window = (1, 2, 8, 12)
    view.map_technique = "random masks (RISE)"
    view.compute_map()
    names: dict[str, Any] = {"network": session.classifier, "picture": session.picture}
    exec(view.code(), names)
    again = names["view"]
    assert again.map_technique == view.map_technique and again.window == (1, 2, 8, 12) and again.state == view.state
    np.testing.assert_array_equal(again.heatmap.values, view.heatmap.values)


def test_a_map_asked_for_at_once_is_made_when_the_picture_is_there(classifier: Classifier, picture: np.ndarray) -> None:
    with schedule.between_callbacks():
        view = OcclusionView(classifier, picture, technique=Occlusion(window=8, stride=8), run_ahead=False)
        assert view.probe is None and view.compute_map() is None
    schedule.WORKER.drain(timeout=60)
    assert view.heatmap is not None and view.heatmap.progress == 1
    view.close()


def test_a_technique_s_values_are_checked_as_those_of_the_hand(session: Session) -> None:
    view = SaliencyView(session)
    view.technique = "SmoothGrad"
    before = view.state
    technique = before["settings"]["technique"]
    wrong = [{"samples": 0}, {"samples": "8"}, {"samples": True}, {"samples": float("nan")}, {"samples": [8]}, {"x": 1}]
    for fields in [*wrong, {"unit": "furlong"}, {"unit": None}]:
        with pytest.raises(ExplanationError):
            view.state = {"version": 1, "settings": {"technique": {**technique, "fields": fields}}}
    assert view.state == before
    view.state = {"version": 1, "settings": {"technique": {"label": "SmoothGrad", "fields": {"samples": 4}}}}
    assert view.technique.samples == 4


def test_a_state_of_another_picture_says_what_to_do(classifier: Classifier, picture: np.ndarray, inline: None) -> None:
    state = CAMView(classifier, read_picture(picture, "first")).state
    other = CAMView(classifier, read_picture(255 - picture, "second"))
    with pytest.raises(PictureError, match="'first' of this state is not here: assign it"):
        other.state = state
    del state["session"]["picture"]
    other.state = state
    assert other.session.picture.name == "second"


def test_a_picture_for_a_channel_comes_back(session: Session) -> None:
    view = MaximisationView(session)
    view.of_channel = True
    state = json.loads(json.dumps(view.state))
    other = MaximisationView(Session(session.classifier, session.picture))
    other.state = state
    assert other.of_channel and state["settings"]["of_channel"] is True
    with pytest.raises(ExplanationError, match="True or False"):
        other.state = {"version": 1, "settings": {"of_channel": 1}}
    for one in (view, other):
        one.close()


@pytest.fixture
def pictures(picture: np.ndarray) -> dict[str, np.ndarray]:
    return {"first": picture, HOSTILE: 255 - picture}


@pytest.fixture
def app(classifier: Classifier, pictures: dict[str, np.ndarray], inline: None) -> Explorer:
    return explore(classifier, pictures)


def test_an_app_comes_back_as_it_was(app: Explorer, classifier: Classifier, pictures: dict[str, np.ndarray]) -> None:
    app.open_tab("CAM")
    app.session.picture = app.pictures[1]
    app.session.layer, app.session.target = "body.0", 1
    app.view.technique = LayerCAM(relu=False)  # type: ignore[attr-defined]
    state = json.loads(json.dumps(app.state))
    assert state["tab"] == "CAM" and state["session"]["picture"] == HOSTILE
    again = explore(classifier, pictures, state=state)
    assert again.state == state
    assert isinstance(again.view, CAMView) and again.view.technique == LayerCAM(relu=False)
    assert again.session.picture is again.pictures[1] and again.strip.selected == 1
    np.testing.assert_array_equal(again.view.heatmap.values, app.view.heatmap.values)  # type: ignore[attr-defined]
    assert [view.active for view in again.views.values()].count(True) == 1
    for one in (app, again):
        one.close()


def test_what_is_no_state_of_an_app_changes_nothing(app: Explorer) -> None:
    before, views = app.state, app.views
    cam = {"CAM": {"technique": "no such"}}
    wrong: list[tuple[type[ExplanationError], Any]] = [
        (StateError, None),
        (StateError, {"version": 3}),
        (StateError, {**before, "tab": "Taps"}),
        (StateError, {**before, "tab": ["Occlusion"]}),
        (StateError, {**before, "views": {"Taps": {}}}),
        (StateError, {**before, "views": []}),
        (StateError, {**before, "session": {"picture": HOSTILE, "layer": "body.0"}, "views": cam}),
        (LayerError, {**before, "session": {"layer": "head"}}),
        (PictureError, {**before, "session": {"picture": "third"}}),
    ]
    for kind, state in wrong:
        with pytest.raises(kind):
            app.state = state
        assert app.state == before and app.views == views
    app.close()


def test_an_app_that_cannot_begin_so_is_not_left_open(
    classifier: Classifier, picture: np.ndarray, inline: None
) -> None:
    with pytest.raises(StateError, match="version"):
        explore(classifier, picture, state={})
