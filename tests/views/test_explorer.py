"""All views as one app."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import PIL.Image
import pytest
import torch
from ipywidgets.widgets.widget import _instances as instances
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset, TensorDataset
from torchvision.datasets import ImageFolder

from cnnviz_widgets import explore
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import ClassifierError, PictureError
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.explorer import TABS, Explorer
from cnnviz_widgets.views.parts import picture_list
from cnnviz_widgets.views.saliency import SaliencyView

from .conftest import Counting

pytestmark = pytest.mark.usefixtures("inline")


@pytest.fixture
def app(classifier: Classifier, picture: np.ndarray) -> Explorer:
    return explore(classifier, {"first": picture, "<b>second</b>": 255 - picture})


def send(widget: Any, buffers: list[bytes] | None = None, **message: Any) -> list[Any]:
    sent: list[Any] = []
    widget.send = lambda content, buffers=None: sent.append(content)
    widget._receive(None, {"kind": "event", "seq": 1, "final": True, **message}, buffers or [])
    return sent


def test_it_opens_with_the_first_picture_and_its_predictions(app: Explorer) -> None:
    assert app.strip.labels == ["first", "<b>second</b>"] and app.strip.selected == 0
    assert app.session.picture is app.pictures[0]
    assert app.predictions.status.text.startswith("Counting takes first for: ")
    assert list(TABS) == app.tabs.titles


def test_a_tab_is_made_and_computed_when_it_is_opened(app: Explorer, network: Counting) -> None:
    calls = network.calls
    assert send(app.tabs, index=1) == [{"kind": "ack", "seq": 1}]
    assert isinstance(app.view, CAMView)
    assert network.calls > calls
    send(app.tabs, index=0)
    calls = network.calls
    app.session.layer = "body.0"
    assert network.calls == calls, "a hidden tab computes nothing"


def test_a_picture_of_the_strip_is_looked_at(app: Explorer) -> None:
    send(app.strip, name="picked", index=1, modifiers=[], revision=app.strip.revision)
    assert app.session.picture is app.pictures[1]
    assert "<b>second</b>" in app.predictions.status.text


def png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def test_an_uploaded_picture_joins_the_strip(app: Explorer, picture: np.ndarray) -> None:
    assert send(app.upload, [png(picture[:, ::-1])], name="../mine.png") == [{"kind": "ack", "seq": 1}]
    assert app.strip.labels[-1] == "mine.png" and app.strip.selected == 2
    assert app.session.picture is app.pictures[2]
    assert app.upload.message == "mine.png is shown."


@pytest.mark.parametrize("data", [b"GIF89a", b"<script>alert(1)</script>", None])
def test_a_bad_upload_is_named_and_nothing_is_lost(app: Explorer, picture: np.ndarray, data: bytes | None) -> None:
    shown = app.session.picture
    data = data or png(picture)[:200]
    assert send(app.upload, [data], name="x.png") == [{"kind": "ack", "seq": 1}]
    assert app.upload.failed and "x.png" in app.upload.message
    assert app.session.picture is shown and len(app.pictures) == 2


def test_pictures_that_cannot_be_read_are_named_and_left_out(
    classifier: Classifier, picture: np.ndarray, tmp_path: Path
) -> None:
    PIL.Image.fromarray(picture).save(tmp_path / "b.png")
    (tmp_path / "a.png").write_bytes(b"not a picture")
    (tmp_path / "notes.txt").write_text("no picture at all")
    app = explore(classifier, tmp_path)
    assert app.strip.labels == ["b.png"]
    assert app.note.kind == "error" and "a.png" in app.note.text


def test_without_pictures_it_waits_for_an_upload(classifier: Classifier, picture: np.ndarray) -> None:
    app = explore(classifier)
    assert app.strip.count == 0
    assert "There is no picture yet" in app.view.status.text
    send(app.upload, [png(picture)], name="x.png")
    assert app.strip.selected == 0 and app.view.canvas.picture


def test_a_batch_of_pictures_or_a_single_one(classifier: Classifier, picture: np.ndarray) -> None:
    assert explore(classifier, picture).strip.count == 1
    assert explore(classifier, np.stack([picture, picture])).strip.count == 2
    assert explore(classifier, [picture, picture, picture]).strip.count == 3


def test_every_tab_opens_and_shows_a_result_without_an_error(classifier: Classifier, picture: np.ndarray) -> None:
    app = explore(classifier, picture, source=[np.roll(picture, shift, axis=1) for shift in range(8)])
    for title in TABS:
        view = app.open_tab(title)
        assert view is app.view and view.active
        assert view.status.kind != "error", f"{title}: {view.status.text}"


def test_tabs_over_a_data_set_look_in_the_source(classifier: Classifier, picture: np.ndarray) -> None:
    app = explore(classifier, picture, source=np.stack([picture, 255 - picture, picture // 2]))
    assert len(app.open_tab("Neighbours").store) == 3
    app = explore(classifier, [picture, 255 - picture])
    assert len(app.open_tab("Neighbours").store) == 2, "without a source, in the pictures"


def test_a_drawing_becomes_the_picture_of_the_open_tab(app: Explorer) -> None:
    app.draw()
    assert app.sketch is not None and app.sketch.active
    app.sketch._begin(20.0, 20.0)
    app.sketch._end()
    assert app.session.picture not in app.pictures
    assert app.view.canvas.picture == app.session.example.appearance.tobytes()
    app.draw(False)
    assert not app.sketch.active and app.draw_button.description == "Draw"


def test_a_source_that_is_none_is_refused_before_anything_opens(classifier: Classifier, picture: np.ndarray) -> None:
    with pytest.raises(PictureError, match="is no folder"):
        explore(classifier, picture, source="/no/such/folder")


def test_a_tab_that_cannot_be_opened_leaves_the_open_one_at_work(classifier: Classifier, picture: np.ndarray) -> None:
    class Broken(CAMView):
        def __init__(self, *_: object) -> None:
            raise PictureError("There is nothing to show; pass something.")

    app = Explorer(Session(classifier, picture), [], tabs={"Saliency": SaliencyView, "Broken": Broken})
    before = app.view
    assert send(app.tabs, index=1) == [{"kind": "ack", "seq": 1}]
    assert app.view is before and before.active and app.tabs.index == 0
    assert app.note.kind == "error" and "pass something" in app.note.text and app.note in app._notes.children


def test_work_rests_in_a_hidden_tab_and_is_done_on_return(classifier: Classifier, picture: np.ndarray) -> None:
    app = explore(classifier, [picture, 255 - picture])
    view = app.open_tab("Saliency")
    before = view.canvas.map
    app.open_tab("Occlusion")
    app.session.picture = app.pictures[1]
    assert view.canvas.map == before
    app.open_tab("Saliency")
    assert view.canvas.map != before


def test_many_large_pictures_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch, picture: np.ndarray) -> None:
    monkeypatch.setattr(picture_list, "MAX_PIXELS", 2 * picture.shape[0] * picture.shape[1])
    pictures, refused = picture_list.read_pictures([picture] * 5)
    assert len(pictures) == 3 and "first 3 pictures" in refused[0] and "source" in refused[0]


def test_a_closed_app_leaves_no_widget_behind(classifier: Classifier, picture: np.ndarray) -> None:
    before = set(instances)
    app = explore(classifier, [picture] * 4)
    for title in ("CAM", "Saliency", "Top patches"):
        app.open_tab(title)
    app.close()
    assert set(instances) == before


def test_open_tab_refuses_what_is_not_there(app: Explorer) -> None:
    with pytest.raises(ValueError, match="There is no tab 'Magic'"):
        app.open_tab("Magic")


def test_closing_leaves_no_observer(app: Explorer) -> None:
    app.open_tab("Saliency")
    app.close()
    app.session.target = 1


def test_in_fewer_bits_how_far_off_the_scores_are_stands_beside_them(picture: np.ndarray, network: Counting) -> None:
    app = explore(network, picture, class_names=list("abcd"), autocast="bfloat16")
    classifier = app.session.classifier
    assert classifier.autocast == "bfloat16"
    error = classifier.autocast_error(classifier.pixels(picture))
    assert app.predictions.status.text.endswith(f" In bfloat16: logits within {100 * error:.2g} % of float32.")
    app.session.classifier = classifier.with_autocast(None)
    assert "float" not in app.predictions.status.text
    app.close()


def test_a_classifier_in_fewer_bits_is_another_one(classifier: Classifier, picture: np.ndarray) -> None:
    app = explore(classifier, picture, autocast="float16")
    assert app.session.classifier is not classifier and app.session.classifier.autocast == "float16"
    assert classifier.autocast is None
    app.close()
    with pytest.raises(ClassifierError, match="`autocast` is 'bfloat16' or 'float16'"):
        explore(classifier, picture, autocast="float8")


# -- data sets as pictures --------------------------------------------------------------------------------------------


class Numbered(Dataset[Any]):
    """Pictures with labels; with `normalised`, network inputs as a loader's transform makes them."""

    def __init__(self, count: int, normalised: bool = False) -> None:
        self.targets = [index % 3 for index in range(count)]
        self.classes = ["x", "y", "z"]
        self._normalised = normalised

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        image = np.full((24, 32, 3), index, np.uint8)
        if self._normalised:
            return torch.full((3, 24, 32), index / 10), self.targets[index]
        return image, self.targets[index]


def tree(path: Path) -> Path:
    for name in ("cat", "dog"):
        (path / name).mkdir()
        for index in range(3):
            PIL.Image.new("RGB", (32, 24), (index * 20, 0, 0)).save(path / name / f"{index}.png")
    return path


DATA = {
    "folder of folders": tree,
    "ImageFolder": lambda path: ImageFolder(str(tree(path))),
    "data set": lambda _: Numbered(6),
    "loader": lambda _: DataLoader(Numbered(6), batch_size=2),
    "loader of network inputs": lambda _: DataLoader(Numbered(6, normalised=True), batch_size=2),
    "subset": lambda _: Subset(Numbered(9), range(6)),
    "parts": lambda _: ConcatDataset([Numbered(3), Numbered(3)]),
    "pairs": lambda _: list(Numbered(6)[index] for index in range(6)),
    "arrays": lambda _: (np.stack([Numbered(6)[index][0] for index in range(6)]), [0, 1, 2, 0, 1, 2]),
    "tensors": lambda _: TensorDataset(torch.zeros(6, 3, 24, 32), torch.arange(6)),
    "frame": lambda path: pandas.DataFrame({"path": [str(file) for file in sorted(tree(path).rglob("*.png"))]}),
}


@pytest.mark.parametrize("kind", DATA)
def test_a_data_set_opens_with_its_pictures_and_is_the_source(
    classifier: Classifier, tmp_path: Path, kind: str
) -> None:
    app = explore(classifier, DATA[kind](tmp_path))
    assert len(app.pictures) == 6 and not app.note.text and app.session.picture is app.pictures[0]
    view: Any = app.open_tab("Neighbours")
    assert len(view.store) == 6 and view.status.kind != "error"
    app.close()


def test_of_a_large_data_set_some_are_shown_and_all_are_searched(classifier: Classifier) -> None:
    app = explore(classifier, Numbered(100))
    assert len(app.pictures) == 40 and app.pictures[-1].name == "item 99"
    assert app.note.text.startswith("40 of 100 pictures are in the strip") and app.note.kind == "info"
    view: Any = app.open_tab("Neighbours")
    assert len(view.store) == 100 and view.store.class_names == ("x", "y", "z")
    app.session.picture = app.pictures[7]
    assert view.neighbours.row == int(np.linspace(0, 99, 40)[7])
    app.close()


def test_a_data_set_that_says_too_little_opens_with_a_sentence(
    classifier: Classifier, picture: np.ndarray, tmp_path: Path
) -> None:
    app = explore(classifier, (np.stack([picture] * 4), np.linspace(0, 1, 4)))
    assert len(app.pictures) == 4 and "fractions and no classes" in app.note.text and app.note.kind == "info"
    for nothing in ([], {}):
        assert "There are no pictures here; upload some" in explore(classifier, nothing).note.text
    with pytest.raises(PictureError, match="holds no pictures"):
        explore(classifier, tmp_path)
    with pytest.raises(PictureError, match="take some, as list"):
        explore(classifier, iter([picture]))
    with pytest.raises(PictureError, match="several data sets"):
        explore(classifier, {"train": Numbered(4), "test": Numbered(2)})


def test_a_folder_of_pictures_and_folders_says_what_it_leaves_out(classifier: Classifier, tmp_path: Path) -> None:
    PIL.Image.new("RGB", (32, 24)).save(tree(tmp_path) / "loose.png")
    app = explore(classifier, str(tmp_path))
    assert app.strip.labels == ["loose.png"] and app.note.text.endswith("for those pass one, as 'cat'.")
    assert app.note.kind == "info"


def test_a_data_set_of_which_nothing_fits_the_network_says_so(classifier: Classifier) -> None:
    app = explore(classifier, TensorDataset(torch.zeros(3, 5, 24, 32)))
    assert not app.pictures and app.note.kind == "error"
    assert "takes (3, 24, 32)" in app.note.text and "in the strip" not in app.note.text
