"""What holds for every view: its traits, its acknowledgements, and where its state is written."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest
import traitlets

import cnnviz_widgets
from cnnviz_widgets import words
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.explain import Occlusion
from cnnviz_widgets.session import Session
from cnnviz_widgets.study import ActivationMaximisation
from cnnviz_widgets.views.activation import ActivationView
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.choice import Choice
from cnnviz_widgets.views.embedding import EmbeddingView
from cnnviz_widgets.views.filters import FilterView
from cnnviz_widgets.views.maximisation import MaximisationView
from cnnviz_widgets.views.neighbours import NeighbourView
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.patches import PatchView
from cnnviz_widgets.views.predictions import PredictionView
from cnnviz_widgets.views.saliency import SaliencyView
from cnnviz_widgets.views.sketch import SketchView
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.slider import OptionSlider

VIEWS = Path(inspect.getfile(Panel)).parent


def data() -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (12, 24, 32, 3), dtype=np.uint8))


#: How to make each view quickly, its results, and a settable trait with another value.
MADE: dict[type[Panel], tuple[Callable[[Session], Panel], tuple[str, ...], tuple[str, Any] | None]] = {
    ActivationView: (ActivationView, ("activations",), ("off", frozenset({1}))),
    CAMView: (CAMView, ("heatmap",), None),
    EmbeddingView: (lambda s: EmbeddingView(s, source=data()), ("embedding",), ("selection", (1, 2))),
    FilterView: (FilterView, ("filters",), None),
    MaximisationView: (
        lambda s: MaximisationView(s, technique=ActivationMaximisation(iterations=2)),
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
    SaliencyView: (SaliencyView, ("heatmap",), None),
    SketchView: (SketchView, (), None),
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


@kinds
def test_says_what_went_wrong_in_a_trait(kind: type[Panel], made: Panel) -> None:
    made.fail(RuntimeError("the cable is loose"))
    assert "the cable is loose" in made.error and made.status.kind == "error"
    made.say("all is well")
    assert made.error == ""


@kinds
def test_is_printed_in_one_line(kind: type[Panel], made: Panel) -> None:
    assert repr(made).startswith(f"<{kind.__name__} ") and repr(made).count("\n") == 0


def inside(root: Any) -> Iterator[Any]:
    """`root` and every widget inside it."""
    yield root
    for child in getattr(root, "children", ()):
        yield from inside(child)


@kinds
def test_asks_a_question_with_help_at_its_head(kind: type[Panel], made: Panel) -> None:
    if not kind.topic:
        assert made.head is None
        return
    assert made.children[0] is made.head
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
    """Whether a function is a generator itself, and not only one inside it."""
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
