"""A shadow of a network: modules that share its weights, always evaluate, learn nothing, and are nobody else's."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from itertools import chain
from operator import is_
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from cnnviz_widgets.classifier.modules import inside, is_compiled
from cnnviz_widgets.classifier.shadow_values import Values, comparable

_HOOKS = frozenset({
    "_forward_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called",
    "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs",
})  # fmt: skip
#: Of no use to a forward pass.
_KEPT = frozenset({
    "_state_dict_hooks", "_state_dict_pre_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks",
    "_non_persistent_buffers_set",
})  # fmt: skip
#: What a shadow has whatever the module has. Backward hooks are left out: they change no score, and torch makes views
#: of what they are set on, which in-place steps do not bear.
_OWN: Mapping[str, Callable[[], Any]] = {
    "training": bool,
    "_compiled_call_impl": type(None),
    "_backward_hooks": OrderedDict,
    "_backward_pre_hooks": OrderedDict,
    "_is_full_backward_hook": type(None),
}

_EMPTY: dict[Any, Any] = {}

#: Where in the network a tensor is: the identity of the module, and the name of the attribute.
_Place = tuple[int, str]


class NoShadowError(Exception):
    """Of this network no shadow can be made; the message says why."""


class _Seen:
    """Dicts, and the keys and values that they had: all in one, as a thousand are looked at before each pass."""

    def __init__(self) -> None:
        self._dicts: list[Mapping[Any, Any]] = []
        self._lengths: list[int] = []
        self._keys: list[Any] = []
        self._values: list[Any] = []

    def add(self, found: Mapping[Any, Any], copy: Mapping[Any, Any]) -> None:
        self._dicts.append(found)
        self._lengths.append(len(copy))
        self._keys += copy
        self._values += copy.values()

    def holds(self) -> bool:
        """Whether nothing in them was added, removed, replaced or moved."""
        return (
            list(map(len, self._dicts)) == self._lengths
            and all(map(is_, chain.from_iterable([found.values() for found in self._dicts]), self._values))
            and all(map(is_, chain.from_iterable(self._dicts), self._keys))
        )

    def only_modes_changed(self) -> bool:
        """Whether no more is new than values of the key "training", which from now on are known."""
        if list(map(len, self._dicts)) != self._lengths:
            return False
        keys, values = list(chain.from_iterable(self._dicts)), [v for found in self._dicts for v in found.values()]
        for key, before, value, other in zip(keys, self._keys, values, self._values, strict=True):
            if key is not before or (value is not other and key != "training"):
                return False
        self._values = values
        return True


class _Shared:
    """A tensor of the network, what the shadow has for it, and a tensor in the same memory as the network's."""

    __slots__ = ("original", "place", "private", "shadow", "version", "witness")

    def __init__(self, original: Tensor, shadow: Tensor, witness: Tensor, place: _Place) -> None:
        self.original, self.shadow, self.witness, self.place = original, shadow, witness, place
        self.private = shadow is not witness
        # Inference tensors count no versions.
        self.version: int | None = None if shadow.is_inference() else shadow._version

    def holds(self) -> bool:
        """Whether the network's tensor is where it was: assigning to `.data` moves it."""
        witness, original = self.witness, self.original
        try:
            return witness.is_set_to(original) and witness.dtype is original.dtype
        except RuntimeError:
            return witness.device == original.device  # sparse or quantised: not to be told

    def was_written(self) -> bool:
        """Whether a pass wrote to what the shadow has."""
        return self.version is not None and self.shadow._version != self.version

    def differs(self) -> bool:
        """Whether it did so through `.data`, where the shadow has a copy."""
        return self.private and not torch.equal(self.shadow, self.witness)


class Shadow:
    """Modules that compute what those of `network` compute in eval mode, from the same memory.

    Nothing that is done to them shows in the network's: not modes, hooks or attributes, and no version counter of a
    tensor, so that an optimiser's step between a forward and a backward pass is an error for nobody. Tensors that
    passes write to are copies, as long as it is `private` all of them. Hidden modules, which are in no
    `named_modules`, keep the mode that they have. Raises NoShadowError, here and in `refresh`.
    """

    def __init__(self, network: nn.Module, private: bool = True) -> None:
        self._network = network
        self._private = private
        self._volatile: set[_Place] = set()
        self._builds = 0
        self._build()

    @property
    def root(self) -> nn.Module:
        """The shadow of the network itself, as of the last `refresh`."""
        return self._root

    @property
    def makeup(self) -> tuple[int, ...]:
        """What changes when the network's modules, hooks or callable attributes do."""
        return self._makeup

    def has(self, module: nn.Module) -> bool:
        """Whether `module` is one of the network's own, and not of the shadow's."""
        return id(module) in self._modules and id(module) not in self._blanks

    def was_written(self) -> bool:
        """Whether a pass has written to a tensor, since the last `refresh`."""
        return any(tensor.was_written() or tensor.differs() for tensor in self._tensors.values())

    def form(self) -> Hashable:
        """What is another when an attribute of the network was, or something that one leads to, at the last `refresh`.

        The network's modules and tensors count as themselves, whatever their values.
        """
        values = {id(value): value for _, _, _, value in self._varying}
        return self._builds, tuple(map(comparable, values.values()))

    def twin(self) -> Shadow:
        """Another shadow of the network, which shares all its tensors."""
        return Shadow(self._network, private=False)

    @property
    def is_plain(self) -> bool:
        """Whether nothing of the user's is called but the modules themselves, and no pass has written to a tensor."""
        hooked = any(getattr(module, name) for module, _ in self._modules.values() for name in _HOOKS)
        compiled = any(map(is_compiled, self._network.modules()))
        return not (self._private or self._volatile or hooked or compiled or self.was_written())

    def refresh(self) -> None:
        """Follow what has changed in the network, and take back what passes did to the shadow."""
        for _ in range(3):
            try:
                if not (self._is_as_seen() and self._restored()):
                    self._build()
            except RuntimeError as error:
                # Another thread adds something to the network at this very moment.
                if "changed size" not in str(error) and "mutated" not in str(error):
                    raise
            else:
                return
        self._build()

    def settle(self) -> None:
        """From now on share the memory of all tensors that passes have not written to."""
        self._volatile |= {
            tensor.place for tensor in self._tensors.values() if tensor.was_written() or tensor.differs()
        }
        self._private = False
        self._build()

    # -- making it -----------------------------------------------------------------------------------------------

    # What is made in inference mode could not take part in a graph later.
    @torch.inference_mode(False)
    def _build(self) -> None:
        self._builds += 1
        self._modules: dict[int, tuple[nn.Module, nn.Module]] = {}
        #: The shadow's modules: a hook of the user's may lead to them, as by a classifier that it refers to.
        self._blanks: set[int] = set()
        self._tensors: dict[int, _Shared] = {}
        #: Each module with its class and dict, its shadow, and what that has to begin with.
        self._filled: list[tuple[nn.Module, type, dict[str, Any], nn.Module, dict[str, Any]]] = []
        self._inner: list[tuple[dict[Any, Any], dict[Any, Any]]] = []
        self._seen, self._own = _Seen(), _Seen()
        self._varying: list[tuple[nn.Module, nn.Module, str, Any]] = []
        self._waiting: list[tuple[nn.Module, nn.Module]] = []
        self._place: _Place = (0, "")
        self._registered = {id(module) for module in self._network.modules()}
        self._values = Values(self._module, self._tensor, self._registered)
        makeup: list[int] = []
        self._root = self._module(self._network)
        while self._waiting or not self._restored():
            while self._waiting:
                makeup += self._fill(*self._waiting.pop(0))
        self._makeup = tuple(makeup)

    def _module(self, module: nn.Module) -> nn.Module:
        known = self._modules.get(id(module))
        if known is None:
            wrapped = inside(module)  # which is run as it was written
            if wrapped is None:
                known = module, _blank(module)
                self._blanks.add(id(known[1]))
                self._waiting.append(known)
            else:
                known = module, self._module(wrapped)
            self._modules[id(module)] = known
        return known[1]

    def _fill(self, original: nn.Module, shadow: nn.Module) -> list[int]:
        """Give a module of the shadow its attributes; returned is what `makeup` has of it."""
        owner = original.__dict__
        found = dict(owner)
        self._seen.add(owner, found)
        made: dict[str, Any] = {}
        makeup = [id(original), id(type(original))]
        for name, value in found.items():
            if name == "_modules":
                made[name] = self._copied(value, lambda _, child: None if child is None else self._module(child))
            elif name in ("_parameters", "_buffers"):
                made[name] = self._copied(value, lambda leaf, item: self._tensor_at(original, leaf, item))
            elif name in _HOOKS:
                made[name] = self._copied(value, lambda _, hook: self._values.of(hook))
                makeup += value
            elif name in _OWN:
                hidden = name == "training" and id(original) not in self._registered
                made[name] = value if hidden else _OWN[name]()
                if isinstance(made[name], dict):
                    self._keep(made[name], {})
            elif name in _KEPT:
                made[name] = value.copy()
            elif self._values.may_vary(value):
                makeup.append(id(value))
                self._varying.append((original, shadow, name, value))
            else:
                self._place = (id(original), name)
                made[name] = self._values.of(value)
        self._filled.append((original, type(original), owner, shadow, made))
        return makeup

    def _copied(self, value: dict[Any, Any], made: Callable[[Any, Any], Any]) -> dict[Any, Any]:
        """A dict of the shadow for one of the network's."""
        # Most are empty, of hooks that nobody has set: a thousand of them are not made anew.
        found = dict(value) if value else _EMPTY
        self._seen.add(value, found)
        pristine = found and {key: made(key, item) for key, item in found.items()}
        copied = OrderedDict(pristine) if isinstance(value, OrderedDict) else dict(pristine)
        self._keep(copied, pristine)
        return copied

    def _keep(self, copied: dict[Any, Any], pristine: dict[Any, Any]) -> None:
        self._inner.append((copied, pristine))
        self._own.add(copied, pristine)

    def _tensor_at(self, original: nn.Module, name: str, value: Any) -> Any:
        self._place = (id(original), name)
        return self._values.of(value)

    def _tensor(self, tensor: Tensor) -> Tensor:
        known = self._tensors.get(id(tensor))
        if known is None:
            witness = _alias(tensor, tensor.data)
            shadow = witness
            if self._private or self._place in self._volatile:
                shadow = _alias(tensor, tensor.data.clone())
            known = self._tensors[id(tensor)] = _Shared(tensor, shadow, witness, self._place)
        return known.shadow

    # -- keeping it ----------------------------------------------------------------------------------------------

    def _is_as_seen(self) -> bool:
        if not self._seen.holds() and not self._seen.only_modes_changed():
            return False
        for module, kind, owner, _, _ in self._filled:
            if type(module) is not kind or module.__dict__ is not owner:
                return False
        return all(map(_Shared.holds, self._tensors.values()))

    def _restored(self) -> bool:
        """Undo what passes did to the shadow; whether all that it needs is there."""
        tensors = list(self._tensors.values())
        if written := {tensor.place for tensor in tensors if tensor.was_written() and not tensor.private}:
            self._volatile |= written
            return False
        for tensor in tensors:
            if tensor.private:
                with torch.inference_mode(False), torch.no_grad():
                    tensor.shadow.data.copy_(tensor.witness)
        for _, _, _, shadow, made in self._filled:
            object.__setattr__(shadow, "__dict__", made.copy())
        if not self._own.holds():
            for copied, pristine in self._inner:
                copied.clear()
                copied.update(pristine)
        self._values.forget()
        for original, shadow, name, value in self._varying:
            self._place = (id(original), name)
            shadow.__dict__[name] = self._values.of(value)
        return not self._waiting and len(self._tensors) == len(tensors)


def _blank(module: nn.Module) -> nn.Module:
    """An empty module of the same class. Raises NoShadowError."""
    kind = type(module)
    if isinstance(module, torch.jit.ScriptModule):
        raise NoShadowError("has TorchScript inside")
    if getattr(kind, "training", None) is not None or any(vars(base).get("__slots__") for base in kind.__mro__):
        raise NoShadowError(f"keeps the state of {kind.__name__} in `__slots__` or properties")
    blank: nn.Module = object.__new__(kind)
    return blank


def _alias(tensor: Tensor, data: Tensor) -> Tensor:
    """`data` as a tensor of the same class that requires no gradient. Raises NoShadowError."""
    kind = type(tensor)
    if kind is Tensor:
        return data
    if is_lazy(tensor) or kind.__torch_dispatch__ is not Tensor.__torch_dispatch__:
        raise NoShadowError(f"has weights of the class {kind.__name__}")
    alias = Tensor._make_subclass(kind, data.as_subclass(Tensor), False)
    alias.__dict__.update(tensor.__dict__)
    return alias
