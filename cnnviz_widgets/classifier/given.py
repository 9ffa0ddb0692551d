"""The network in what somebody passes as one."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from cnnviz_widgets.errors import ClassifierError

_STATES = ("state_dict", "model_state_dict", "model_state", "net", "model", "weights")


def network_in(model: object, needed: str = "A classifier needs a torch.nn.Module") -> nn.Module:
    """`model` if it is a network, or that of a fastai Learner. Raises ClassifierError, which begins with `needed`."""
    if isinstance(model, nn.Module):
        return model
    inner = getattr(model, "model", None)
    if isinstance(inner, nn.Module) and hasattr(model, "dls"):
        return inner
    mend = _mend(model)
    raise ClassifierError(f"{needed}, not {type(model).__name__}{f'; {mend}' if mend else ''}.")


def _mend(model: object) -> str:
    if isinstance(model, Mapping):
        return _mend_of_items(model)
    if isinstance(model, str):
        return "`Classifier.of` takes torchvision's names, and weights in a file go into a network by `load_state_dict`"
    if type(model).__name__ == "ExportedProgram":
        return "pass the network that it was exported from: its own layers cannot be read"
    if isinstance(model, type) or type(model).__name__ in ("function", "builtin_function_or_method", "partial"):
        return "call it, and pass the network that it makes"
    for name in ("model", "module_", "module", "net", "network"):
        if isinstance(getattr(model, name, None), nn.Module):
            return f"pass its `.{name}`"
    if callable(getattr(model, "fit", None)) and callable(getattr(model, "predict", None)):
        return "only the layers of a torch network can be looked into"
    return ""


def _mend_of_items(items: Mapping[object, object]) -> str:
    networks = [name for name, value in items.items() if isinstance(value, nn.Module)]
    if networks:
        return f"pass its item {networks[0]!r}"
    state = "" if _is_state(items) else next((name for name in _STATES if _is_state(items.get(name))), None)
    if state is None:
        return ""
    which = f"its item {state!r} holds" if state else "these are"
    return f"{which} weights: make the network, call its `load_state_dict` with them, and pass the network"


def _is_state(value: object) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(item, Tensor) for item in value.values())
