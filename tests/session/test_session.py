"""What views share is of one piece: nothing refused stays, nothing of an old classifier is seen with a new one."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
import traitlets
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import ClassifierError, ExplanationError, LayerError, PictureError, TargetError
from cnnviz_widgets.picture import Picture
from cnnviz_widgets.session import Example, Session, as_classifier
from tests.support.tally import Tally

PATIENCE = 20.0


class Net(nn.Module):
    """A small network that takes pictures of any size; counts its passes."""

    passes = Tally()

    def __init__(self, width: int = 4, classes: int = 3) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.first = nn.Conv2d(3, width, 3)
            self.second = nn.Conv2d(width, 2 * width, 3)
            self.head = nn.Linear(2 * width, classes)
        self.passes = 0

    def forward(self, pixels: Tensor) -> Tensor:
        self.passes += 1
        return self.head(self.second(self.first(pixels)).mean(dim=(2, 3)))


class Other(nn.Module):
    """A network whose layers have other names."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())

    def forward(self, pixels: Tensor) -> Tensor:
        return self.body(pixels).mean(dim=(2, 3))


def photo(seed: int = 0) -> PIL.Image.Image:
    return PIL.Image.fromarray(np.random.default_rng(seed).integers(0, 255, (12, 12, 3), dtype=np.uint8))


@pytest.fixture
def session() -> Session:
    return Session(Classifier(Net(), class_names=["ant", "bee", "cat"], input_size=12), photo())


def test_begins_with_the_default_layer_and_the_predicted_class(session: Session) -> None:
    assert session.layer == "second"
    assert session.target is session.channel is None
    assert session.selection == ()
    assert isinstance(session.picture, Picture)
    scene = session.scene
    assert scene.class_index == session.example.predicted == int(session.example.logits.argmax())
    assert (scene.layer, scene.channel, scene.classifier) == ("second", None, session.classifier)


def test_everything_can_be_given_at_once_in_any_order() -> None:
    session = Session(Net(), photo(), selection=[2, 1], channel=3, layer="first", target=1)
    assert (session.layer, session.channel, session.target, session.selection) == ("first", 3, 1, (2, 1))
    with pytest.raises(TypeError, match="Session has no colour"):
        Session(Net(), photo(), colour="red")
    with pytest.raises(TypeError, match="Session has no example"):
        Session(Net(), photo(), example=None)


def test_names_and_numbers_are_coerced(session: Session) -> None:
    session.target = "bee"
    assert session.target == 1
    session.target = np.int64(2)
    assert type(session.target) is int
    session.channel = torch.tensor(7)
    assert (session.channel, type(session.channel)) == (7, int)
    session.selection = np.array([3, 4])
    assert session.selection == (3, 4)
    session.picture = np.zeros((5, 5, 3), np.uint8)
    assert isinstance(session.picture, Picture)
    session.classifier = Other()
    assert isinstance(session.classifier, Classifier)
    session.layer = "body"
    assert session.layer == "body.1", "an alias stands for its layer"


REFUSED: list[tuple[str, Any, type[ExplanationError], str]] = [
    ("target", 3, TargetError, "has classes 0 to 2"),
    ("target", "cart", TargetError, "did you mean 'cat'"),
    ("target", 1.5, TargetError, "not 1.5"),
    ("layer", "third", LayerError, "has no layer 'third'"),
    ("layer", "head", LayerError, "no spatial extent"),
    ("layer", None, LayerError, "has no layer None"),
    ("layer", 3, LayerError, "has no layer 3"),
    ("channel", 8, TargetError, "second has channels 0 to 7, not 8"),
    ("channel", -1, TargetError, "not -1"),
    ("channel", True, TargetError, "not True"),
    ("channel", 1.0, TargetError, "not 1.0"),
    ("channel", "1", TargetError, "not '1'"),
    ("picture", "/no/such.png", PictureError, "does not exist"),
    ("picture", np.full((4, 4), np.nan), PictureError, "NaN"),
    ("classifier", nn.Linear(3, 4), ClassifierError, "no 2-D convolution"),
    ("classifier", 3, ClassifierError, "not int"),
    ("classifier", None, ClassifierError, "not NoneType"),
    ("classifier", "resnet19", ClassifierError, "no classifier 'resnet19'"),
    ("classifier", nn.Sequential(nn.Conv2d(3, 4, 224), nn.Flatten()), LayerError, "no layer with spatial extent"),
    ("selection", [1, -1], TargetError, "A selection is a list of indices"),
    ("selection", [1.5], TargetError, "A selection is a list of indices"),
    ("selection", 3, TargetError, "A selection is a list of indices"),
    ("selection", "12", TargetError, "A selection is a list of indices"),
    ("selection", None, TargetError, "A selection is a list of indices"),
]


@pytest.mark.parametrize(("name", "value", "kind", "sentence"), REFUSED)
@pytest.mark.parametrize("held", [False, True])
def test_what_is_refused_changes_nothing(
    session: Session, name: str, value: Any, kind: type[Exception], sentence: str, held: bool
) -> None:
    session.target, session.channel = 1, 2
    before = session.trait_values()
    seen: list[Any] = []
    session.observe(seen.append)
    with pytest.raises(kind, match=sentence):
        if held:
            with session.hold_trait_notifications():
                session.set_trait(name, value)
        else:
            setattr(session, name, value)
    assert session.trait_values() == before
    assert not seen


def test_a_new_classifier_resets_the_rest_before_anybody_sees_it(session: Session) -> None:
    seen: list[tuple[str, dict[str, Any]]] = []

    def look(change: Any) -> None:
        seen.append((change["name"], session.trait_values()))
        session.classifier.layer(session.layer)
        assert session.scene.layer == session.layer

    session.layer, session.channel, session.target = "first", 3, 2
    session.observe(look)
    session.classifier = Other()
    assert [name for name, _ in seen] == ["channel", "target", "layer", "classifier"]
    for _, values in seen:
        assert values["classifier"] is session.classifier
        assert (values["layer"], values["target"], values["channel"]) == ("body.1", None, None)
    assert session.picture is not None


def test_the_same_classifier_again_resets_nothing(session: Session) -> None:
    session.layer = "first"
    session.classifier = session.classifier
    assert session.layer == "first"


def test_a_channel_that_the_new_layer_lacks_is_dropped_before_anybody_sees_it(session: Session) -> None:
    seen: list[tuple[str, int | None]] = []
    session.channel = 3
    session.observe(lambda _: seen.append((session.layer, session.channel)), names=["layer", "channel"])
    session.layer = "first"
    assert (session.layer, session.channel) == ("first", 3)
    session.layer, session.channel = "second", 7
    seen.clear()
    session.layer = "first"
    assert session.channel is None
    assert set(seen) == {("first", None)}


def test_the_example_is_kept_until_picture_or_classifier_change(session: Session) -> None:
    example = session.example
    session.target, session.layer = 1, "first"
    assert session.example is example
    session.picture = session.picture
    assert session.example is example
    session.picture = photo(1)
    other = session.example
    assert other is not example
    session.classifier = Other()
    assert session.example is not other
    assert (session.example.picture, session.example.classifier) == (session.picture, session.classifier)
    session.picture = None
    with pytest.raises(PictureError, match="no picture yet"):
        _ = session.example
    with pytest.raises(PictureError, match="no picture yet"):
        _ = session.scene


def test_a_network_trained_on_is_asked_again(session: Session) -> None:
    example = session.example
    before = example.logits
    network = session.classifier.network
    network.eval()(session.example.pixels)
    with session.classifier.recording("second"):
        assert session.example is example
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    network(example.pixels).square().sum().backward()
    optimiser.step()
    assert session.example is not example
    with torch.no_grad():
        np.testing.assert_array_equal(session.example.logits, network.eval()(example.pixels)[0].numpy())
    assert not np.array_equal(session.example.logits, before)


def test_a_scene_is_a_snapshot(session: Session) -> None:
    scene = session.scene
    example = session.example
    session.picture, session.target, session.layer = photo(1), 2, "first"
    assert (scene.example, scene.target, scene.layer) == (example, None, "second")
    assert scene.class_index == example.predicted
    assert session.scene.class_index == 2


def test_an_example_is_what_the_classifier_makes_of_the_picture(session: Session) -> None:
    example, classifier = session.example, session.classifier
    assert torch.equal(example.pixels, classifier.pixels(photo()))
    assert np.array_equal(example.appearance, np.asarray(photo()))
    expected = classifier.logits(example.pixels)[0]
    assert example.logits == pytest.approx(expected.numpy())
    assert example.probabilities == pytest.approx(expected.softmax(dim=0).numpy())
    passes = classifier.network.passes
    _ = example.logits, example.probabilities, example.predicted, session.scene.class_index
    assert classifier.network.passes == passes


def test_an_example_under_gradients_or_inference_mode_is_the_same(session: Session) -> None:
    for mode in (torch.enable_grad, torch.inference_mode):
        with mode():
            example = Example(session.classifier, session.picture)
            assert example.logits == pytest.approx(session.example.logits)


def test_two_threads_that_ask_for_an_example_compute_it_once(session: Session) -> None:
    classifier = session.classifier
    running, go = threading.Event(), threading.Event()

    def wait(*_: object) -> None:
        running.set()
        assert go.wait(PATIENCE)

    classifier.network.first.register_forward_pre_hook(wait)
    passes = classifier.network.passes
    results: list[tuple[Example, Any]] = []

    def ask() -> None:
        results.append((session.example, session.example.logits))

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert running.wait(PATIENCE)
    go.set()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert classifier.network.passes == passes + 1
    assert len({(id(example), id(logits)) for example, logits in results}) == 1


def test_an_example_that_failed_is_tried_again(session: Session) -> None:
    handle = session.classifier.network.first.register_forward_pre_hook(lambda *_: 1 // 0)
    for _ in range(2):
        with pytest.raises(ClassifierError, match="ZeroDivisionError"):
            _ = session.example.logits
    handle.remove()
    assert session.example.logits.shape == (3,)


def test_sessions_can_be_linked(session: Session) -> None:
    other = Session(session.classifier, session.picture)
    traitlets.link((session, "layer"), (other, "layer"))
    session.layer = "first"
    assert other.layer == "first"


# -- models --------------------------------------------------------------------------------------------------------


def test_models_of_many_kinds() -> None:
    classifier = Classifier(Net(), input_size=12)
    assert as_classifier(classifier) is classifier
    assert as_classifier(Net(), class_names=["a", "b", "c"]).class_names == ("a", "b", "c")
    with pytest.raises(ClassifierError, match="Give the class names to the Classifier"):
        as_classifier(classifier, class_names=["a", "b", "c"])
    with pytest.raises(ClassifierError, match="resnet18 brings its own class names"):
        as_classifier("resnet18", class_names=["a", "b", "c"])
    with pytest.raises(ClassifierError, match="Pass a torch network, a Classifier or a torchvision name, not dict"):
        as_classifier({})
    with pytest.raises(ClassifierError, match="must be 3 names"):
        as_classifier(Net(), photo(), class_names=["a"])


class Fixed(Net):
    """A network that takes one size only."""

    def forward(self, pixels: Tensor) -> Tensor:
        assert pixels.shape[2:] == (28, 28)
        return super().forward(pixels)


@pytest.mark.parametrize(
    ("network", "picture", "size"),
    [
        (Net, np.zeros((37, 53, 3), np.uint8), (37, 53)),
        (Net, torch.zeros(3, 300, 400), (300, 400)),
        (Net, np.zeros((300, 200, 3), np.uint8), (224, 224)),
        (Net, None, (224, 224)),
        (Fixed, np.zeros((37, 53, 3), np.uint8), (28, 28)),
        (Fixed, torch.zeros(3, 28, 28), (28, 28)),
    ],
)
def test_a_bare_network_takes_the_size_of_a_small_picture(network: Any, picture: Any, size: tuple[int, int]) -> None:
    assert as_classifier(network(), picture).input_size == size
    assert Session(network(), picture).classifier.input_size == size


def test_a_picture_that_cannot_be_read_is_said_first() -> None:
    with pytest.raises(PictureError, match="does not exist"):
        Session(Net(), "/no/such.png")


def test_a_session_is_printed_in_one_line() -> None:
    classifier = Classifier(Net(), class_names=["ant", "bee", "cow"], input_size=16, name="net")
    session = Session(classifier)
    assert repr(session) == "<Session net, no picture, the predicted class, layer 'second'>"
    session.picture = Picture(PIL.Image.new("RGB", (16, 16)), name="grass")
    session.target = "bee"
    assert repr(session) == "<Session net, 'grass', class 1 'bee', layer 'second'>"
