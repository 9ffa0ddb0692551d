"""The shadow computes what the network computes, from the same memory, and nothing done to it shows in the network."""

from __future__ import annotations

import functools
import types
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, prune

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.shadow import Shadow
from cnnviz_widgets.errors import ClassifierError

SIZE = (12, 16)
PIXELS = torch.randn(2, 3, *SIZE, generator=torch.Generator().manual_seed(0))


class Plain(nn.Module):
    """Convolution, batch norm, ReLU, dropout, convolution, mean, linear layer; in train mode like all that follow."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(inplace=True))
        self.drop = nn.Dropout(0.5)
        self.conv = nn.Conv2d(6, 6, 3, padding=1)
        self.head = nn.Linear(6, 4)

    def features(self, pixels: Tensor) -> Tensor:
        return self.conv(self.drop(self.stem(pixels))).relu()

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.features(pixels).mean((2, 3)))


KINDS: dict[str, Callable[[], nn.Module]] = {}


def kind(build: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    KINDS[build.__name__] = build
    return build


kind(Plain)


@kind
def tied() -> nn.Module:
    network = Plain()
    network.other = nn.Conv2d(6, 6, 3, padding=1)
    network.other.weight = network.conv.weight
    network.again = network.conv
    network.features = types.MethodType(lambda self, x: self.again(self.other(self.conv(self.stem(x)))), network)
    return network


@kind
def recurrent() -> nn.Module:
    class Recurrent(Plain):
        def __init__(self) -> None:
            super().__init__()
            self.rows = nn.LSTM(6, 6, 2, batch_first=True, dropout=0.5)

        def features(self, pixels: Tensor) -> Tensor:
            values = self.stem(pixels)
            return self.rows(values.mean(2).transpose(1, 2))[0].transpose(1, 2)[:, :, None]

    return Recurrent()


@kind
def attention() -> nn.Module:
    class Attending(Plain):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.TransformerEncoderLayer(6, 2, 12, batch_first=True)

        def features(self, pixels: Tensor) -> Tensor:
            values = self.stem(pixels)
            return self.encoder(values.flatten(2).transpose(1, 2)).transpose(1, 2)[..., None]

    return Attending()


@kind
def normed_by_hooks() -> nn.Module:
    network = Plain()
    with pytest.warns(FutureWarning):
        nn.utils.weight_norm(network.stem[0])
    nn.utils.spectral_norm(network.conv)
    return network


@kind
def parametrised() -> nn.Module:
    network = Plain()
    parametrizations.weight_norm(network.stem[0])
    parametrizations.spectral_norm(network.conv)
    parametrizations.orthogonal(network.head)
    return network


@kind
def pruned() -> nn.Module:
    network = Plain()
    prune.random_unstructured(network.conv, "weight", 0.5)
    return network


@kind
def forward_replaced_by_a_method() -> nn.Module:
    network = Plain()
    network.forward = types.MethodType(lambda self, x: self.head(self.conv(self.stem(x)).mean((2, 3))), network)
    return network


@kind
def forward_replaced_by_a_closure() -> nn.Module:
    network = Plain()
    network.forward = lambda x: network.head(network.conv(network.stem(x)).mean((2, 3)))
    return network


@kind
def forward_wrapped() -> nn.Module:
    network = Plain()

    def wrapping(inner: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        @functools.wraps(inner)
        def wrapper(values: Tensor) -> Tensor:
            return inner(values) * 2

        return wrapper

    for module in (network.conv, network.head, network):
        module.forward = wrapping(module.forward)
    return network


by_global_name: nn.Module


@kind
def forward_that_knows_the_network_by_a_global_name() -> nn.Module:
    global by_global_name
    by_global_name = network = Plain()
    network.forward = lambda x: torch.stack([by_global_name.head(row) for row in network_free(x)])
    return network


def network_free(pixels: Tensor) -> Tensor:
    return pixels.repeat(1, 2, 1, 1).mean((2, 3))


@kind
def hidden_in_containers() -> nn.Module:
    network = Plain()
    parts = [nn.Conv2d(6, 6, 1).eval(), nn.BatchNorm2d(6).eval()]
    network.hidden = {"list": parts, "pair": (network.conv, nn.Parameter(torch.ones(6, 1, 1)))}
    network.steps = [functools.partial(network.drop.forward), network.conv.forward]
    network.holder = SimpleNamespace(conv=network.conv)

    def features(self: Any, pixels: Tensor) -> Tensor:
        values = self.hidden["list"][1](self.hidden["list"][0](self.stem(pixels)))
        for step in self.steps:
            values = step(values)
        conv, scale = self.hidden["pair"]
        return self.holder.conv(conv(values) * scale)

    network.features = types.MethodType(features, network)
    return network


@kind
def children_that_know_their_parents() -> nn.Module:
    class Child(nn.Module):
        def __init__(self, parent: nn.Module) -> None:
            super().__init__()
            object.__setattr__(self, "parent", parent)
            self.reference = weakref.ref(parent)

        def forward(self, values: Tensor) -> Tensor:
            return self.reference().conv(self.parent.drop(values))

    network = Plain()
    network.child = Child(network)
    network.features = types.MethodType(lambda self, x: self.child(self.stem(x)), network)
    return network


@kind
def wrapped_by_getattr() -> nn.Module:
    class Wrapper(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def __getattr__(self, name: str) -> Any:
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(super().__getattr__("inner"), name)

        def forward(self, pixels: Tensor) -> Tensor:
            return self.head(self.features(pixels).mean((2, 3)))

    return Wrapper(Plain())


@kind
def hooks_that_are_part_of_the_network() -> nn.Module:
    network = Plain()
    kept: dict[str, Tensor] = {}
    network.stem.register_forward_hook(lambda _, __, output: kept.update(skip=output.clone()))
    network.conv.register_forward_hook(lambda _, __, output: output + kept["skip"])
    network.conv.register_forward_pre_hook(lambda _, inputs: (inputs[0] * 2,))
    network.head.register_forward_hook(
        lambda module, args, kwargs, output: output + module.bias + network.head.bias, with_kwargs=True
    )
    return network


@kind
def backward_hooks_before_in_place_steps() -> nn.Module:
    network = Plain()
    for module in (network.stem[1], network.stem, network):
        module.register_full_backward_hook(lambda *_: None)
    return network


@kind
def quantised() -> nn.Module:
    return torch.ao.quantization.quantize_dynamic(Plain().eval(), {nn.Linear}, dtype=torch.qint8)


@kind
def traced_by_fx() -> nn.Module:
    return torch.fx.symbolic_trace(Plain())


@kind
def parallel_inside() -> nn.Module:
    network = Plain()
    network.stem = nn.DataParallel(network.stem)
    return network


@kind
def weights_of_a_class_of_their_own() -> nn.Module:
    class Marked(nn.Parameter):
        pass

    network = Plain()
    network.conv.weight = Marked(network.conv.weight.data)
    network.conv.weight.mark = "kept"
    network.conv.register_forward_pre_hook(lambda module, _: None if module.weight.mark == "kept" else 1 / 0)
    return network


class Remembering(Plain):
    """Writes to itself in all the ways there are, also in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("largest", torch.zeros(()))
        self.register_buffer("passes", torch.zeros(()))
        self.plain = torch.zeros(3)
        self.log: list[int] = []
        self.cache: dict[str, Any] = {"deep": []}
        self.count = 0
        self.grid: Tensor | None = None

    def forward(self, pixels: Tensor) -> Tensor:
        with torch.no_grad():
            self.largest.copy_(pixels.detach().abs().max() + self.largest)
            self.passes = self.passes + 1
            self.plain += 1
            self.conv.weight.clamp_(-0.05, 0.05)
            self.head.weight.data.mul_(0.5)
        self.log.append(len(pixels))
        self.cache["deep"].append(1)
        self.cache["new"] = pixels
        self.count += 1
        if self.grid is None:
            self.grid = torch.ones(pixels.shape[2:])
            self.extra = nn.Linear(1, 1)
            self.register_buffer("late", torch.zeros(1), persistent=False)
            self.conv.register_forward_hook(lambda *_: None)
        self.drop.p = 0.3
        self.stem.train()
        self.stem.eval()
        self.head.requires_grad_(True)
        return super().forward(pixels * self.grid) + self.largest + self.passes + self.plain.sum() + self.count


kind(Remembering)


#: Not to be trained, or not twice.
UNTRAINED = {
    "Remembering",
    "quantised",
    "traced_by_fx",
    "backward_hooks_before_in_place_steps",
    "forward_that_knows_the_network_by_a_global_name",
}


def built(name: str) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return KINDS[name]().train()


def everything(network: nn.Module) -> dict[str, Any]:
    """All that a user can see of a network."""
    found: dict[str, Any] = {}
    for name, module in network.named_modules():
        state = dict(vars(module))
        for inner in [key for key, value in state.items() if isinstance(value, dict)]:
            state[inner] = dict(state[inner])
        found[name] = id(module), {key: repr(value) for key, value in state.items()}
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        found[f"{name} tensor"] = id(tensor), tensor.data_ptr(), tensor._version, tensor.requires_grad
    return found


def evaluated(network: nn.Module, pixels: Tensor) -> Tensor:
    """What the network answers in eval mode."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    with torch.no_grad():
        answer = network(pixels.clone())
    for module, mode in modes.items():
        module.training = mode
    return answer


@pytest.mark.filterwarnings("ignore:torch.ao.quantization:DeprecationWarning", "ignore:torch.quantize_per:UserWarning")
@pytest.mark.parametrize("name", [name for name in KINDS if name != "Remembering"])
def test_it_answers_as_the_network_does(name: str) -> None:
    network = built(name)
    expected = evaluated(network, PIXELS)
    before = everything(network)
    classifier = Classifier(network, input_size=SIZE)
    assert not classifier.runner.note
    assert classifier.shadow is not network
    assert everything(network) == before
    pixels = PIXELS.clone().requires_grad_()
    logits = classifier.logits(pixels)
    # Attention and recurrent layers have other kernels where weights require gradients.
    torch.testing.assert_close(logits.detach(), expected, rtol=1e-5, atol=1e-6)
    if name != "quantised":
        torch.autograd.grad(logits.sum(), pixels)
    assert everything(network) == before
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("name", [name for name in KINDS if name not in UNTRAINED])
def test_it_follows_a_training_step_and_a_step_between_its_passes_is_no_error(name: str) -> None:
    network, alone = built(name), built(name)
    classifier = Classifier(network, input_size=SIZE)

    def step(trained: nn.Module) -> None:
        optimiser = torch.optim.SGD(trained.parameters(), 0.1)
        torch.manual_seed(1)
        trained(PIXELS).square().sum().backward()
        optimiser.step()

    pixels = PIXELS.clone().requires_grad_()
    logits = classifier.logits(pixels)
    step(network)
    torch.autograd.grad(logits.sum(), pixels)
    step(alone)
    for ours, own in zip(network.state_dict().values(), alone.state_dict().values(), strict=True):
        assert not isinstance(ours, Tensor) or torch.equal(ours, own)
    torch.testing.assert_close(classifier.logits(PIXELS), evaluated(network, PIXELS), rtol=1e-5, atol=1e-6)
    assert not classifier.runner.note


def test_a_network_that_writes_to_itself_is_as_found_and_always_begins_as_it_is() -> None:
    network = built("Remembering")
    before, values = everything(network), {name: value.clone() for name, value in network.state_dict().items()}
    plain = network.plain.clone()
    classifier = Classifier(network, input_size=SIZE)
    first = classifier.logits(PIXELS)
    _ = classifier.layers
    assert torch.equal(classifier.logits(PIXELS), first)
    assert everything(network) == before
    assert all(torch.equal(value, values[name]) for name, value in network.state_dict().items())
    assert torch.equal(network.plain, plain)
    with torch.no_grad():
        network.largest += 100
    network.count = 1000
    assert torch.allclose(classifier.logits(PIXELS), first + 1100, atol=1e-3)


CHANGES: dict[str, Callable[[Any], Any]] = {
    "a module is replaced": lambda n: setattr(n, "conv", nn.Conv2d(6, 6, 1)),
    "a module is added": lambda n: n.stem.append(nn.Conv2d(6, 6, 1)),
    "a module in a list is replaced": lambda n: n.extras.__setitem__(0, nn.Conv2d(6, 6, 1)),
    "a module is appended to a list": lambda n: n.extras.append(nn.Conv2d(6, 6, 1)),
    "modules change places": lambda n: n.__dict__["_modules"].update(conv=n.other, other=n.conv),
    "a parameter is replaced": lambda n: setattr(n.conv, "weight", nn.Parameter(torch.randn(6, 6, 3, 3))),
    "data is assigned": lambda n: setattr(n.conv.weight, "data", torch.randn(6, 6, 3, 3)),
    "data is a view of itself": lambda n: setattr(n.conv.weight, "data", n.conv.weight.data.transpose(0, 1)),
    "data is written to": lambda n: n.conv.weight.data.mul_(2),
    "a buffer is replaced": lambda n: setattr(n.stem[1], "running_mean", torch.ones(6)),
    "a buffer is written to": lambda n: n.stem[1].running_mean.add_(1),
    "a state is loaded": lambda n: n.load_state_dict({k: v * 2 for k, v in n.state_dict().items()}),
    "an attribute is another": lambda n: setattr(n, "factor", 3.0),
    "an attribute of a part is another": lambda n: setattr(n.conv, "padding", (0, 0)),
    "an activation is another": lambda n: setattr(n, "activation", torch.sigmoid),
    "a plain tensor is written to": lambda n: n.offset.add_(1),
    "a hook is added": lambda n: n.conv.register_forward_hook(lambda _, __, output: output * 2),
    "forward is replaced": lambda n: setattr(n, "forward", lambda x: n.head(n.stem(x).mean((2, 3)))),
    "a class is another": lambda n: setattr(n.stem[2], "__class__", nn.Identity),
    "a weight is parametrised": lambda n: parametrize.register_parametrization(n.conv, "weight", nn.Softplus()),
    "a weight is pruned": lambda n: prune.l1_unstructured(n.conv, "weight", 0.5),
    "modes": lambda n: n.stem.eval(),
    "float64": lambda n: n.double(),
    "float64 and back": lambda n: n.double().float(),
}


class Changing(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.other = nn.Conv2d(6, 6, 3, padding=1)
        self.extras = [nn.Conv2d(6, 6, 1).requires_grad_(False)]
        self.factor = 1.0
        self.offset = torch.zeros(())
        self.activation = torch.tanh

    def features(self, pixels: Tensor) -> Tensor:
        values = self.conv(self.drop(self.stem(pixels))) * self.factor + self.offset
        for extra in self.extras:
            values = extra.to(values.dtype)(values)
        return self.activation(values)


@pytest.mark.parametrize("name", CHANGES)
def test_it_follows_a_change(name: str) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Changing().train()
        classifier = Classifier(network, input_size=SIZE)
        before = classifier.logits(PIXELS)
        with torch.no_grad():
            CHANGES[name](network)
        pixels = PIXELS.to(classifier.dtype)
        expected = evaluated(network, pixels).float()
        torch.testing.assert_close(classifier.logits(PIXELS), expected, rtol=0, atol=0)
        assert torch.equal(expected, before) == (name in ("modes", "float64 and back"))
        assert not classifier.notes


def test_what_is_not_changed_is_kept_between_passes() -> None:
    shadow = Shadow(Plain())
    shadow.settle()
    modules = list(shadow.root.modules())
    shadow.refresh()
    assert all(one is other for one, other in zip(modules, shadow.root.modules(), strict=True))


def test_hidden_modules_keep_their_mode_and_learn_nothing() -> None:
    network = Plain()
    network.hidden = [nn.BatchNorm2d(6).train()]
    network.features = types.MethodType(lambda self, x: self.hidden[0](self.stem(x)), network)
    classifier = Classifier(network, input_size=SIZE)
    assert classifier.one_at_a_time  # as that module normalises with what is in the batch
    expected = nn.functional.batch_norm(classifier.network.stem.eval()(PIXELS[:1]), None, None, training=True)
    found = classifier.logits(PIXELS[:1])
    assert torch.allclose(found, network.head(expected.mean((2, 3))), atol=1e-6)
    assert not found.requires_grad
    assert int(network.hidden[0].num_batches_tracked) == 0
    assert not network.hidden[0].running_mean.any()


def test_a_module_compiled_inside_runs_as_it_was_written() -> None:
    network = Plain()
    expected = evaluated(network, PIXELS)

    def refuse(*_: object) -> Any:
        raise AssertionError("compiled")

    # What torch.compile returns; importing the compiler takes longer than all other tests.
    compiled = type("OptimizedModule", (nn.Module,), {"forward": refuse})()
    compiled._orig_mod = network.stem
    network.stem = compiled
    network.conv._compiled_call_impl = refuse
    classifier = Classifier(network, input_size=SIZE)
    assert torch.equal(classifier.logits(PIXELS), expected)
    assert "stem.0" in [layer.name for layer in classifier.layers]
    assert not classifier.notes


class Closed:
    """Networks of which no shadow can be made."""

    @staticmethod
    def script() -> nn.Module:
        network = Plain()
        network.conv = torch.jit.trace(network.conv, torch.zeros(1, 6, *SIZE))
        return network

    @staticmethod
    def closure_of_a_class() -> nn.Module:
        inner = Plain()

        class Outer(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = inner

            def forward(self, pixels: Tensor) -> Tensor:
                return inner(pixels)

        return Outer()

    @staticmethod
    def registry() -> nn.Module:
        known: dict[int, nn.Module] = {}

        class Outer(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = Plain()
                known[id(self)] = self.inner

            def forward(self, pixels: Tensor) -> Tensor:
                return known[id(self)](pixels)

        return Outer()

    @staticmethod
    def slots() -> nn.Module:
        class Slotted(Plain):
            __slots__ = ("scale",)

            def __init__(self) -> None:
                super().__init__()
                object.__setattr__(self, "scale", 2.0)

            def forward(self, pixels: Tensor) -> Tensor:
                return super().forward(pixels) * self.scale

        return Slotted()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("name", ["script", "closure_of_a_class", "registry", "slots"])
def test_without_a_shadow_the_network_itself_is_run_and_left_as_found_and_a_note_says_so(name: str) -> None:
    torch.manual_seed(0)
    network = getattr(Closed, name)().train()
    expected = evaluated(network, PIXELS)
    before = everything(network)
    classifier = Classifier(network, input_size=SIZE)
    assert torch.equal(classifier.logits(PIXELS), expected)
    assert classifier.shadow is network
    assert len(classifier.notes) == 1
    assert "are in eval mode" in classifier.notes[0]
    _ = classifier.layers
    assert everything(network) == before


def test_a_network_that_comes_to_need_itself_is_run_itself_from_then_on() -> None:
    network = Plain()
    classifier = Classifier(network, input_size=SIZE)
    known = {"network": network}
    key = functools.partial(known.__getitem__, "network")  # a method of C leads nowhere that could be followed
    network.forward = lambda x: key().head(key().stem(x).mean((2, 3)))
    assert torch.equal(classifier.logits(PIXELS), evaluated(network, PIXELS))
    assert len(classifier.notes) == 1


def test_an_error_of_the_network_is_no_reason_to_run_it_itself() -> None:
    network = Plain()
    classifier = Classifier(network, input_size=SIZE)
    handle = network.conv.register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ClassifierError, match="ZeroDivision"):
        classifier.logits(PIXELS)
    handle.remove()
    classifier.logits(PIXELS)
    assert not classifier.notes


@pytest.mark.parametrize("name", ["shufflenet_v2_x0_5", "googlenet", "efficientnet_b0", "swin_t", "vit_b_32"])
def test_networks_of_torchvision(name: str) -> None:
    options = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torchvision.models.get_model(name, weights=None, num_classes=5, **options).train()
    size = 224 if name == "vit_b_32" else 64
    classifier = Classifier(network, input_size=size)
    pixels = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(classifier.logits(pixels), evaluated(network, pixels))
    assert not classifier.runner.note


def test_random_numbers_of_a_network_are_not_those_of_the_session() -> None:
    class Random(Plain):
        def forward(self, pixels: Tensor) -> Tensor:
            values = nn.functional.dropout(self.features(pixels), 0.5) + torch.rand(1) + torch.rand_like(pixels[:, :1])
            return self.head(values.mean((2, 3))) + torch.randn(4) + torch.randperm(4) + torch.randint(0, 3, (4,))

    network = Random()
    state = torch.get_rng_state()
    classifier = Classifier(network, input_size=SIZE)
    with torch.no_grad():
        first, second = classifier.logits(PIXELS), classifier.logits(PIXELS)
    assert classifier.runner.is_random
    assert torch.equal(first, second)  # it is given the same numbers each time
    assert not Classifier(built("attention"), input_size=SIZE).runner.is_random
    assert torch.equal(torch.get_rng_state(), state)
    assert not classifier.runner.note and "is random in eval mode" in classifier.notes[0]
