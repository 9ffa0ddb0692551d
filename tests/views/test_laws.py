"""What holds for every view: its traits, its acknowledgements, and where its state is written."""

from __future__ import annotations

import ast
import functools
import inspect
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import ipywidgets
import numpy as np
import pytest
import traitlets

import cnnviz_widgets
from cnnviz_widgets import words
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import ExplanationError, GuessError
from cnnviz_widgets.explain import GradCAM, Occlusion, SmoothGrad
from cnnviz_widgets.session import Session
from cnnviz_widgets.study import ActivationMaximisation
from cnnviz_widgets.views.activation import ActivationView
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.camera import CameraView
from cnnviz_widgets.views.choice import Choice
from cnnviz_widgets.views.embedding import EmbeddingView
from cnnviz_widgets.views.evaluation import TestView
from cnnviz_widgets.views.filters import FilterView
from cnnviz_widgets.views.labelled import DataView
from cnnviz_widgets.views.maximisation import MaximisationView
from cnnviz_widgets.views.neighbours import NeighbourView
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.patches import PatchView
from cnnviz_widgets.views.predictions import PredictionView
from cnnviz_widgets.views.saliency import SaliencyView
from cnnviz_widgets.views.sketch import SketchView
from cnnviz_widgets.views.take.save import SUFFIXES
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.slider import OptionSlider

VIEWS = Path(inspect.getfile(Panel)).parent


def data() -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (12, 24, 32, 3), dtype=np.uint8))


def labelled_data() -> tuple[list[np.ndarray], list[int]]:
    return data(), [i % 4 for i in range(12)]


#: How to make each view quickly, its results, and a settable trait with another value.
MADE: dict[type[Panel], tuple[Callable[[Session], Panel], tuple[str, ...], tuple[str, Any] | None]] = {
    ActivationView: (ActivationView, ("activations",), ("off", frozenset({1}))),
    CAMView: (CAMView, ("heatmap",), ("technique", GradCAM(relu=False))),
    CameraView: (CameraView, (), None),
    DataView: (
        lambda s: DataView(s, source=labelled_data()),
        ("predictions",),
        ("order", "data"),
    ),
    EmbeddingView: (lambda s: EmbeddingView(s, source=data()), ("embedding",), ("selection", (1, 2))),
    FilterView: (FilterView, ("filters",), None),
    MaximisationView: (
        lambda s: MaximisationView(s, technique=ActivationMaximisation(iterations=2), started=True),
        ("visual", "visuals"),
        ("second", 1),
    ),
    NeighbourView: (lambda s: NeighbourView(s, source=data()), ("neighbours",), ("metric", "euclidean")),
    OcclusionView: (
        lambda s: OcclusionView(s, technique=Occlusion(window=8, stride=8), run_ahead=False),
        ("probe",),
        ("window", (2, 3, 8, 8)),
    ),
    PatchView: (lambda s: PatchView(s, source=data()), ("patches", "sheet"), ("rank", "median")),
    PredictionView: (PredictionView, (), None),
    SaliencyView: (SaliencyView, ("heatmap",), ("technique", SmoothGrad())),
    SketchView: (SketchView, (), None),
    # Negative values included: a map that is zero everywhere puts the pixels in no order, which the view says.
    TestView: (lambda s: TestView(s, technique=GradCAM(relu=False)), ("heatmap", "evaluation"), ("step", 3)),
}
kinds = pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.__name__)


@pytest.fixture
def session(classifier: Classifier, picture: np.ndarray) -> Session:
    return Session(classifier, picture)


@pytest.fixture
def made(kind: type[Panel], session: Session, inline: None) -> Iterator[Panel]:
    view = MADE[kind][0](session)
    yield view
    view.close()


def subclasses(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def test_every_view_is_held_to_the_laws() -> None:
    public = {getattr(cnnviz_widgets, name) for name in cnnviz_widgets.__all__ if name.endswith("View")}
    assert public <= MADE.keys()


@kinds
def test_takes_two_positional_arguments(kind: type[Panel]) -> None:
    parameters = list(inspect.signature(kind).parameters.values())
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    assert positional == ["model", "picture"]


@kinds
def test_results_are_traits_that_only_the_view_sets(kind: type[Panel], made: Panel) -> None:
    for name in (*MADE[kind][1], "busy", "progress", "error"):
        with pytest.raises(traitlets.TraitError, match="read-only"):
            setattr(made, name, getattr(made, name))
    assert not made.busy and made.error == "" and made.progress == 1
    for name in MADE[kind][1]:
        assert getattr(made, name) not in (None, ()), name


@kinds
def test_results_are_told_to_observers_when_the_picture_changes(kind: type[Panel], made: Panel) -> None:
    names = [name for name in MADE[kind][1] if "picture" in kind.follows]
    seen: list[str] = []
    made.observe(lambda change: seen.append(change["name"]), names=names or ["active"])
    made.session.picture = np.full((24, 32, 3), 90, np.uint8)
    assert set(names) - {"embedding"} <= set(seen)  # a map of a data set stays, and the picture is placed on it


@kinds
def test_what_the_hand_sets_can_be_set_observed_and_linked(kind: type[Panel], made: Panel, session: Session) -> None:
    if MADE[kind][2] is None:
        return
    name, value = MADE[kind][2]
    other = MADE[kind][0](Session(session.classifier, session.picture))
    linked = traitlets.link((made, name), (other, name))
    seen: list[Any] = []
    other.observe(lambda change: seen.append(change["new"]), names=name)
    setattr(made, name, value)
    assert getattr(made, name) == getattr(other, name) == value and seen[-1] == value
    linked.unlink()
    other.close()


#: A guess of each kind.
GUESSES: dict[str, Any] = {"box": (2, 3, 8, 8), "class": 1, "order": "B", "lasso": [0, 1, 2]}

#: A channel that the network of these tests has not left dead.
LIVE = 1
#: What a page would draw of a result.
RESULTS = {"_map", "sheet", "text", "points"}


def names_in(key: Any) -> set[str] | None:
    """The traits that `Widget.send_state` is told to send; None: all."""
    return key if key is None else {key} if isinstance(key, str) else set(key)


def on_page(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from on_page(child)


@kinds
def test_hides_its_result_takes_a_guess_and_reveals_what_is_true(kind: type[Panel], made: Panel) -> None:
    made.session.channel = LIVE
    before = made.children
    made.guess()
    assert made.guessing.hidden and made.guessing.stage is not None
    stays = {one for widget in made.guessing.beside for one in on_page(widget)}
    hidden = {one for widget in (*made.content, made.status) for one in on_page(widget)} - stays
    assert hidden and not hidden & set(on_page(made))
    assert all(one._holding_sync for one in hidden)
    assert not len(made.guesses)
    with pytest.raises(GuessError, match="Mark a guess"):
        made.reveal()
    question = made.question()
    assert question is not None
    made.guess(GUESSES[question.kind], {question.answers[0]: 3})
    made.reveal()
    assert not made.guessing.hidden and not any(one._holding_sync for one in hidden)
    assert hidden <= set(on_page(made)) and set(before) <= set(made.children)
    (row,) = made.guesses.to_dict("records")
    assert list(row) == ["time", "view", "picture", "kind", "guess", "truth", "score", "hands"]
    assert row["view"] == kind.__name__ and row["truth"] and row["hands"][question.answers[0]] == 3
    assert np.isnan(row["score"]) or 0 <= row["score"] <= 1
    made.guess()
    made.guessing.skip()
    assert made.children == before and len(made.guesses) == 1


@kinds
def test_opens_hidden_where_that_is_asked_for(kind: type[Panel], session: Session, inline: None) -> None:
    shown: list[Any] = []
    made = MADE[kind][0]
    with pytest.MonkeyPatch.context() as patch:
        session.channel = LIVE
        patch.setattr(kind, "__init__", functools.partialmethod(kind.__init__, guess=True))
        patch.setattr(ipywidgets.Widget, "send_state", lambda self, key=None: shown.append((self, names_in(key))))
        view = made(session)
        assert view.guessing.hidden and view.guessing.stage is not None and view.status not in view.children
        hidden = {one for widget in (*view.content, view.status) for one in on_page(widget)}
        assert not [one for one, key in shown if one in hidden and (key is None or RESULTS & key)]
    view.close()


@kinds
def test_back_restores_what_was_there_before_a_change(kind: type[Panel], made: Panel) -> None:
    session = made.session
    owner, (name, value) = (made, MADE[kind][2]) if MADE[kind][2] else (session, ("target", 2))
    before = getattr(owner, name)
    depth = made.history.depth
    setattr(owner, name, value)
    assert made.history.depth == depth + 1
    other = session.layer
    session.layer = next(layer.name for layer in session.classifier.layers if layer.name != other)
    session.picture = np.full((24, 32, 3), 90, np.uint8)
    shown = session.picture
    made.back()
    made.back()
    assert session.layer == other and session.picture is not shown and getattr(owner, name) == value
    made.back()
    assert getattr(owner, name) == before and made.history.depth == depth
    setattr(owner, name, value)
    made.reset()
    assert getattr(owner, name) == before and session.layer == other
    made.back()
    assert getattr(owner, name) == value


@kinds
def test_a_closed_view_leaves_no_guess_and_no_past_behind(kind: type[Panel], session: Session, inline: None) -> None:
    made = MADE[kind][0]
    session.channel = LIVE
    made(session).close()
    live = set(ipywidgets.widgets.widget._instances.values())
    listening = sum(len(ones) for kinds in session._trait_notifiers.values() for ones in kinds.values())
    for hidden in (False, True):
        view = made(session)
        view.guess()
        question = view.question()
        assert question is not None
        view.guess(GUESSES[question.kind])
        if not hidden:
            view.reveal()
        session.target = 1
        view.close()
        session.target = None
        assert set(ipywidgets.widgets.widget._instances.values()) <= live
        assert sum(len(ones) for kinds in session._trait_notifiers.values() for ones in kinds.values()) == listening


@kinds
def test_says_what_went_wrong_in_a_trait(kind: type[Panel], made: Panel) -> None:
    made.fail(RuntimeError("the cable is loose"))
    assert "the cable is loose" in made.error and made.status.kind == "error"
    made.say("all is well")
    assert made.error == ""


@kinds
def test_is_printed_in_one_line(kind: type[Panel], made: Panel) -> None:
    assert repr(made).startswith(f"<{kind.__name__} ") and repr(made).count("\n") == 0


#: What of a result is compared where a view is made again.
SEEN: dict[str, Callable[[Any], Any]] = {
    "activations": lambda found: found.maps,
    "embedding": lambda found: found.positions,
    "evaluation": lambda found: np.stack([curve.scores for curve in (found.insertion, found.deletion, *found.random)]),
    "filters": lambda found: found.weights,
    "heatmap": lambda found: found.values,
    "neighbours": lambda found: np.concatenate([found.features.rows, found.pixels.rows]),
    "patches": lambda found: found.done,
    "predictions": lambda found: np.stack([found.items, found.labels, found.predicted]),
    "probe": lambda found: found.logits,
    "sheet": lambda found: found.tiles,
    "visual": lambda found: found.appearance,
    "visuals": lambda found: np.stack([one.appearance for one in found if one is not None]),
}


def change(made: Panel, kind: type[Panel]) -> None:
    """Set a view and its session otherwise than a new one is."""
    made.session.layer = "body.0"
    made.session.target, made.session.channel = 2, 1
    made.session.selection = (3, 4)
    if MADE[kind][2] is not None and MADE[kind][2][0] != "selection":
        setattr(made, *MADE[kind][2])
    choice = getattr(made, "choice", None)
    if choice is not None and kind not in (MaximisationView, OcclusionView):
        made.technique = choice.options[-2].label  # type: ignore[attr-defined]


@kinds
def test_the_code_makes_the_view_again(kind: type[Panel], made: Panel, session: Session) -> None:
    change(made, kind)
    source = labelled_data() if kind is DataView else data()
    names: dict[str, Any] = {"network": session.classifier, "picture": session.picture, "source": source}
    exec(made.code(), names)
    again = names["view"]
    assert type(again) is kind and again.state == made.state
    for name in MADE[kind][1]:
        seen = SEEN[name]
        np.testing.assert_array_equal(seen(getattr(again, name)), seen(getattr(made, name)), err_msg=made.code())
    again.close()


@kinds
def test_its_state_is_json_and_comes_back(kind: type[Panel], made: Panel, session: Session) -> None:
    other = MADE[kind][0](Session(session.classifier, session.picture))
    first = other.state
    change(made, kind)
    state = json.loads(json.dumps(made.state))
    assert state == made.state != first
    other.state = state
    assert other.state == state
    for name in MADE[kind][1]:
        np.testing.assert_array_equal(SEEN[name](getattr(other, name)), SEEN[name](getattr(made, name)))
    other.state = first
    assert other.state == first
    other.close()


@kinds
def test_what_is_no_state_of_it_changes_nothing(kind: type[Panel], made: Panel) -> None:
    change(made, kind)
    before = made.state
    wrong: list[Any] = [
        None,
        [],
        {**before, "version": 2},
        {**before, "version": True},
        {**before, "view": "OtherView"},
        {**before, "run": "import os"},
        {**before, "session": {**before["session"], "classifier": 1}},
        {**before, "session": {**before["session"], "picture": "another"}},
        {**before, "session": {**before["session"], "target": None, "layer": "no such layer"}},
        {**before, "session": {**before["session"], "target": 0, "channel": 10**9}},
        {**before, "session": {**before["session"], "target": 0, "selection": [-1]}},
        {**before, "session": {"layer": "body.2", "target": 1}, "settings": {"session": None}},
    ]
    for name in kind.settings:
        wrong += [
            {**before, "session": {"layer": "body.2", "target": 1}, "settings": {name: value}}
            for value in ({}, {"label": "x"}, {"label": []}, "no such value", -(10**9), [[[1]], {}], 1.5, {"fields": 1})
        ]
    for state in wrong:
        with pytest.raises(ExplanationError):
            made.state = state
        assert made.state == before, state


@kinds
def test_it_is_saved_as_figure_table_and_page(kind: type[Panel], made: Panel, tmp_path: Path) -> None:
    before = made.state
    for suffix in SUFFIXES:
        path = tmp_path / f"view{suffix}"
        assert made.save(str(path)) == path and path.stat().st_size > 100
        first = path.read_bytes()
        made.save(path)
        assert suffix == ".html" or path.read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"view{suffix}" for suffix in SUFFIXES)
    assert made.state == before
    svg = (tmp_path / "view.svg").read_text(encoding="utf-8")
    assert "<script" not in svg and ElementTree.fromstring(svg).tag.endswith("svg")
    table = made.table()
    assert table and len({len(column) for column in table.values()}) == 1
    assert made.frame().shape == (len(next(iter(table.values()))), len(table))


def inside(root: Any) -> Iterator[Any]:
    """`root` and every widget inside it."""
    yield root
    for child in getattr(root, "children", ()):
        yield from inside(child)


@kinds
def test_asks_a_question_with_help_at_its_head(kind: type[Panel], made: Panel) -> None:
    if not kind.topic:
        assert "question" not in made.head.texts["en"]
        return
    assert made.children[0].children[0] is made.head
    assert made.head.texts["en"]["question"] == words.text(f"tab.{kind.topic}.question")


@kinds
@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_control_says_what_it_is_for(kind: type[Panel], session: Session, inline: None, language: str) -> None:
    made = MADE[kind][0](session) if language == "en" else kind(session, language=language)
    choices = [widget for widget in inside(made) if isinstance(widget, Choice)]
    choices += [value for value in vars(made).values() if isinstance(value, Choice)]
    for choice in choices:
        for option in choice.options:
            choice.value = option.label
            for control in inside(made):
                if isinstance(control, OptionSlider | Picker | ipywidgets.Button):
                    assert control.tooltip, f"{control.description!r} of {kind.__name__}"
    texts = set(words.catalogue(language).values())
    controls = [each for each in inside(made) if isinstance(each, OptionSlider | Picker)]
    assert all(control.tooltip in texts for control in controls), {
        c.description for c in controls if c.tooltip not in texts
    }
    made.close()


#: Methods whose names are the same in every language.
METHODS = re.compile(
    r"(\S*CAM(\+\+)?|\S*Grad-CAM|EigenCAM|Guided backprop|guided .*|SmoothGrad|VarGrad|LRP.*|t-SNE|PCA|UMAP)$"
)


def shown(control: Any, language: str) -> list[str]:
    """What the page shows of a control under `language`, but for its numbers."""
    if isinstance(control, ipywidgets.Button):
        return [control.get_state(["description"])["description"], control.tooltip or ""]
    said = [control.description, *control.options, getattr(control, "placeholder", ""), control.tooltip or ""]
    return [control.texts[language].get(text, text) for text in said]


@kinds
def test_under_korean_no_control_is_named_in_english(kind: type[Panel], session: Session, inline: None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "__init__", functools.partialmethod(kind.__init__, language="ko"))
        made = MADE[kind][0](session)
    assert made.language == "ko"
    own = set(session.classifier.class_names)
    english = set()
    for choice in [value for value in vars(made).values() if isinstance(value, Choice)] or [None]:
        for option in choice.options if choice else [None]:
            if choice:
                choice.value = option.label
            for control in inside(made):
                if isinstance(control, OptionSlider | Picker | ipywidgets.Button):
                    english |= {text for text in shown(control, "ko") if text.isascii() and re.search("[a-z]{2}", text)}
    assert not [text for text in english - own if not METHODS.match(text)]
    made.close()


@kinds
def test_a_page_that_chooses_its_language_is_sent_both(kind: type[Panel], session: Session, inline: None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "__init__", functools.partialmethod(kind.__init__, language=None))
        made = MADE[kind][0](session)
    for control in inside(made):
        if isinstance(control, OptionSlider | Picker):
            assert shown(control, "en")[-1] in words.catalogue("en").values()
            assert shown(control, "ko")[-1] in words.catalogue("ko").values(), control.description
    made.close()


def functions_of(tree: ast.AST) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Each function with the name of the class it belongs to, or ""."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    yield node.name, member
        elif isinstance(node, ast.Module):
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    yield "", member


def yields(function: ast.FunctionDef) -> bool:
    """Whether a function is a generator itself, and not only one inside it, or is made one; a `with` block is none."""
    made = {decorator.id for decorator in function.decorator_list if isinstance(decorator, ast.Name)}
    if made & {"one_step", "contextmanager"}:
        return "one_step" in made
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return False


def written(function: ast.FunctionDef) -> set[str]:
    """Names of which a function sets an attribute."""
    targets = [
        target
        for node in ast.walk(function)
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    return {
        target.value.id
        for target in targets
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)
    }


@pytest.mark.parametrize("path", sorted(VIEWS.rglob("*.py")), ids=lambda path: path.name)
def test_what_runs_on_the_worker_is_no_method_of_a_panel_and_sets_no_field(path: Path) -> None:
    panels = {kind.__name__ for kind in (Panel, *subclasses(Panel))}
    generators = [(owner, one) for owner, one in functions_of(ast.parse(path.read_text())) if yields(one)]
    assert not [f"{owner}.{one.name}" for owner, one in generators if owner in panels]
    assert not {one.name: names for _, one in generators if (names := written(one))}


def test_the_law_of_the_worker_sees_what_it_forbids() -> None:
    bad = ast.parse(
        "class CAMView:\n def steps(self):\n  self.tape = 1\n  yield 2\ndef f(view):\n view.x = 1\n yield 1"
    )
    generators = [(owner, one) for owner, one in functions_of(bad) if yields(one)]
    assert [owner for owner, _ in generators] == ["", "CAMView"]
    assert [written(one) for _, one in generators] == [{"view"}, {"self"}]
