"""Watching a PyTorch training loop through the step hooks of its optimizers.

Only hooks that PyTorch offers for this are used, so that the adapter works under any trainer. Gradients are read where
the optimizer reads them: after clipping and unscaling, after all micro-batches have been accumulated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from optiscope.errors import ArgumentError
from optiscope.frameworks.protocol import Capability
from optiscope.frameworks.pytorch.meter import Meter
from optiscope.frameworks.pytorch.scaler import watch_scaler
from optiscope.frameworks.pytorch.transfer import Resolved, Transfer, to_array
from optiscope.frameworks.shadow import Shadow
from optiscope.recording.measurement import Labels
from optiscope.recording.pending import Pending
from optiscope.recording.plan import Plan
from optiscope.recording.recorder import Recorder
from optiscope.recording.reductions import Reduction
from optiscope.recording.source import Settings, StepSource

_WRAPPERS = {
    "DistributedDataParallel": "module",
    "DataParallel": "module",
    "OptimizedModule": "_orig_mod",
}
"""Wrappers, and the attribute with the wrapped module, which they put into the names of parameters."""


class PytorchAdapter:
    """Watches the parameters of `model` and the steps of `optimizers`."""

    framework = "pytorch"
    capabilities = frozenset(Capability)
    reductions = frozenset(Reduction)

    def __init__(
        self, modules: Mapping[str, nn.Module], optimizers: Mapping[str, Optimizer], scaler: Any = None
    ) -> None:
        """Prepare to watch; modules and optimizers by name, with the name "" when there is only one."""
        self._modules = modules
        self._names: dict[int, str] = {}
        self._parameters: dict[str, Tensor] = {}
        for prefix, module in modules.items():
            wrappers = wrapped_attributes(module)
            for name, parameter in module.named_parameters():
                plain = clean_name(name, wrappers)
                plain = f"{prefix}.{plain}" if prefix else plain
                self._names[id(parameter)] = plain
                self._parameters[plain] = parameter
        self._watched = [WatchedOptimizer(self, name, optimizer) for name, optimizer in optimizers.items()]
        self._scaler = scaler
        self._scaler_shadow: Shadow | None = None

    def name_of(self, parameter: Tensor, group: int, index: int) -> str:
        """The parameter's name in the model, or its place in the optimizer when the model does not have it."""
        return self._names.get(id(parameter), f"group {group}.{index}")

    def shares_parameters(self) -> bool:
        """Whether the optimizers hold any parameter of the model."""
        return any(id(parameter) in self._names for watched in self._watched for parameter in watched.parameters())

    def describe_model(self) -> dict[str, Any]:
        """Class name, number of parameters, and each tensor."""
        in_optimizer = {id(parameter) for watched in self._watched for parameter in watched.parameters()}
        return {
            "name": " + ".join(_unwrapped(module).__class__.__name__ for module in self._modules.values()),
            "framework": self.framework,
            "framework_version": torch.__version__,
            "parameters": sum(parameter.numel() for parameter in self._parameters.values()),
            "tensors": [
                {
                    "name": name,
                    "shape": list(parameter.shape),
                    "dtype": str(parameter.dtype).removeprefix("torch."),
                    "trainable": parameter.requires_grad,
                    "in_optimizer": id(parameter) in in_optimizer,
                }
                for name, parameter in self._parameters.items()
            ],
        }

    def describe_optimizers(self) -> list[dict[str, Any]]:
        """Class name, parameter groups and plain hyperparameters of each optimizer."""
        return [watched.describe() for watched in self._watched]

    def attach(self, recorder: Recorder) -> None:
        """Put the step hooks on the optimizers."""
        recorder.attach(self)
        for watched in self._watched:
            watched.attach(recorder)
        if self._scaler is not None:
            self._scaler_shadow = watch_scaler(self._scaler, [w.optimizer for w in self._watched], recorder)

    def detach(self) -> None:
        """Take the hooks off again."""
        for watched in self._watched:
            watched.detach()
        if self._scaler_shadow is not None:
            self._scaler_shadow.remove()

    def scalar(self, value: object) -> float | Pending[float]:
        """A number from a tensor of one element (without waiting for its device), or from anything NumPy takes."""
        if isinstance(value, Tensor):
            if value.numel() != 1:
                raise ArgumentError(
                    "A metric is a single number; log its mean or its elements. "
                    f"Received: a tensor of shape {tuple(value.shape)}"
                )
            if value.device.type == "cpu":
                return float(value.item())
            return Resolved([Transfer(value.detach().clone())], lambda arrived: float(arrived[0].item()))
        array = np.asarray(value)
        if array.size != 1 or array.dtype.kind not in "biuf":
            raise ArgumentError(f"A metric is a single number. Received: {value!r}")
        return float(array.reshape(())[()])

    def copy_parameters(self) -> Pending[Mapping[str, NDArray[Any]]]:
        """A copy of all parameters of the model; bfloat16 becomes float32, complex a last axis of two."""
        names = list(self._parameters)
        with torch.no_grad():
            # On CUDA the transfer is ordered before what training does next; elsewhere the copy has to be made now.
            copies = [
                Transfer(parameter.detach() if parameter.is_cuda else parameter.detach().clone())
                for parameter in self._parameters.values()
            ]
        return Resolved(
            copies, lambda arrived: {name: to_array(tensor) for name, tensor in zip(names, arrived, strict=True)}
        )

    def parameter_bytes(self) -> int:
        """Size of all parameters, in bytes."""
        return sum(parameter.numel() * parameter.element_size() for parameter in self._parameters.values())

    def copies_of_parameters(self) -> float:
        """Lasting copies, against the memory of the parameters."""
        return sum(watched.held_bytes() for watched in self._watched) / max(1, self.parameter_bytes())


class WatchedOptimizer:
    """One optimizer with its hooks, its meter and its place in the recording."""

    def __init__(self, adapter: PytorchAdapter, name: str, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self._adapter = adapter
        self._name = name
        self._recorder: Recorder
        self._source: StepSource
        self._meter = Meter(self.parameters())
        self._identity = self._identities()
        self._plan = Plan()
        self._seen: list[list[Any]] = []
        self._settings: Settings = {}
        self._handles: list[Any] = []
        self._raw_handles: list[Any] = []
        self._is_in_step = False
        self._is_looking = False
        self._has_begun = False

    def parameters(self) -> list[Tensor]:
        """The parameters of all groups, each once."""
        unique = {id(parameter): parameter for group in self.optimizer.param_groups for parameter in group["params"]}
        return list(unique.values())

    def describe(self) -> dict[str, Any]:
        """Class name, and for each group its parameters and the hyperparameters that are plain values."""
        groups = [
            {
                "name": f"group {number}",
                "parameters": [self._adapter.name_of(p, number, i) for i, p in enumerate(group["params"])],
                "hyperparameters": {key: value for key, value in group.items() if _is_plain(value)},
            }
            for number, group in enumerate(self.optimizer.param_groups)
        ]
        # One of our own rules as an optimizer has the rule's title.
        name = getattr(self.optimizer, "title", type(self.optimizer).__name__)
        return {"name": name, "source": self._name, "groups": groups}

    def held_bytes(self) -> int:
        """Memory of the meter's lasting copies."""
        return self._meter.held_bytes()

    def attach(self, recorder: Recorder) -> None:
        """Put the hooks on."""
        self._recorder = recorder
        self._source = recorder.add_source(self._name, self._labels())
        self._handles = [
            self.optimizer.register_step_pre_hook(self._before_step),
            self.optimizer.register_step_post_hook(self._after_step),
        ]
        self._watch_raw_gradients()

    def detach(self) -> None:
        """Take the hooks off."""
        for handle in (*self._handles, *self._raw_handles):
            handle.remove()

    # ---------------------------------------------------------------------------------------------------------- hooks

    def _before_step(self, _: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._source.plan.is_empty and self._meter.is_alarmed():
            with self._recorder.guard:
                self._source.alarm()
        self._plan = self._source.plan
        self._is_looking = not (
            self._plan.is_empty
            and self._has_begun
            and self._meter.is_checked
            and not self._meter.overwrites_gradients
            and not self._has_other_groups
        )
        if not self._is_looking:
            return None
        with self._recorder.guard:
            self._is_in_step = True
            if self._identity != self._identities() or len(self.optimizer.param_groups) != len(
                self._source.labels.groups
            ):
                self._follow_groups()
            closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
            if closure is None:
                self._measure_before()
                return None
            # The gradient that enters such a step is the one that the closure computes first, at the weights before it.
            observed = self._observing(closure)
            if "closure" in kwargs:
                return args, {**kwargs, "closure": observed}
            return (args[0], observed, *args[2:]), kwargs
        return None

    def _observing(self, closure: Callable[[], Any]) -> Callable[[], Any]:
        first = True

        def observed() -> Any:
            nonlocal first
            result = closure()
            if first:
                first = False
                with self._recorder.guard:
                    self._measure_before()
            return result

        return observed

    def _measure_before(self) -> None:
        with torch.no_grad():
            if not self._has_begun:
                self._has_begun = True
                self._meter.keep_start()
                self._recorder.snapshot_start()
            elif not self._plan.is_empty and self._meter.is_outdated:
                self._meter = self._meter.successor(self._meter.parameters)
            self._meter.before(self._plan, getattr(self.optimizer, "grad_scale", None))

    def _after_step(self, *_: Any) -> None:
        with self._recorder.guard:
            self._is_in_step = False
            settings = self._settings_if_due(is_measured=not self._plan.is_empty)
            measurement = None
            if self._is_looking:
                versions_tell = not any(group.get("fused") for group in self.optimizer.param_groups)
                with torch.no_grad():
                    measurement = self._meter.after(self._plan, versions_tell=versions_tell)
            following = self._source.end(measurement, settings)
            if following.needs_previous_gradient:
                with torch.no_grad():
                    self._meter.keep_gradients(self._plan)
            if self._is_looking:
                self._meter.forget_gradients()

    # -------------------------------------------------------------------------------------------- groups and settings

    def _settings_if_due(self, *, is_measured: bool) -> Settings | None:
        """The settings when they have changed, and at measured steps."""
        seen = [[group.get(key) for key in _SEEN] for group in self.optimizer.param_groups]
        # A tensor may have been changed in place, so comparing it with itself tells nothing.
        if any(isinstance(value, Tensor) for group in seen for value in group):
            settings = self._current_settings()
            has_changed = settings != self._settings
            self._settings = settings
        elif has_changed := seen != self._seen:
            self._seen, self._settings = seen, self._current_settings()
        return self._settings if has_changed or is_measured else None

    def _current_settings(self) -> Settings:
        groups = self.optimizer.param_groups
        settings: dict[str, tuple[float, ...]] = {}
        for name, read in _SETTINGS.items():
            values = tuple(read(group) for group in groups)
            if any(value is not None for value in values):
                settings[name] = tuple(np.nan if value is None else value for value in values)
        return settings

    @property
    def _has_other_groups(self) -> bool:
        return len(self.optimizer.param_groups) != len(self._source.labels.groups)

    def _identities(self) -> tuple[int, ...]:
        return tuple(id(parameter) for group in self.optimizer.param_groups for parameter in group["params"])

    def _labels(self) -> Labels:
        names = {
            id(parameter): self._adapter.name_of(parameter, number, index)
            for number, group in enumerate(self.optimizer.param_groups)
            for index, parameter in enumerate(group["params"])
        }
        return Labels(
            tensors=tuple(names.values()),
            sizes=self._meter.sizes,
            groups=tuple(f"group {number}" for number in range(len(self.optimizer.param_groups))),
        )

    def _follow_groups(self) -> None:
        """Parameters have been added, removed or replaced: begin to measure those that are there now."""
        with torch.no_grad():
            self._meter = self._meter.successor(self.parameters())
        self._source.labels = self._labels()
        self._identity = self._identities()
        self._watch_raw_gradients()
        self._recorder.writer.event("parameters-changed", "The optimizer's parameters changed.", step=self._source.step)

    def _watch_raw_gradients(self) -> None:
        for handle in self._raw_handles:
            handle.remove()
        self._raw_handles = []
        if self._recorder.request.wants("raw_gradient_norm"):
            for index, parameter in enumerate(self._meter.parameters):
                if parameter.requires_grad and parameter.is_leaf:
                    hook = parameter.register_post_accumulate_grad_hook(self._raw_hook(index))  # type: ignore[no-untyped-call]
                    self._raw_handles.append(hook)

    def _raw_hook(self, index: int) -> Callable[[Tensor], None]:
        def measure(_: Tensor) -> None:
            if not self._is_in_step and Reduction.RAW_GRADIENT_NORM in self._source.plan.reductions:
                with self._recorder.guard, torch.no_grad():
                    self._meter.measure_raw(index)

        return measure


def wrapped_attributes(module: nn.Module) -> dict[str, str]:
    """Where in `module` a wrapper is, and the attribute that holds the wrapped module."""
    return {
        path: _WRAPPERS[type(inner).__name__]
        for path, inner in module.named_modules()
        if type(inner).__name__ in _WRAPPERS
    }


def clean_name(name: str, wrappers: Mapping[str, str]) -> str:
    """The parameter's name without what wrappers put into it; `wrappers` as `wrapped_attributes` gives them."""
    path: list[str] = []
    kept: list[str] = []
    for part in name.split("."):
        if wrappers.get(".".join(path)) != part:
            kept.append(part)
        path.append(part)
    return ".".join(kept)


def _unwrapped(module: nn.Module) -> nn.Module:
    attribute = _WRAPPERS.get(type(module).__name__)
    return module if attribute is None else _unwrapped(getattr(module, attribute))


def _number(group: Mapping[str, Any], key: str) -> float | None:
    value = group.get(key)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, Tensor):
        # A learning rate that lives on an accelerator cannot be read without waiting for it.
        return float(value) if value.device.type == "cpu" and value.numel() == 1 else None
    return float(value) if isinstance(value, int | float) else None


def _beta(group: Mapping[str, Any], index: int) -> float | None:
    betas = group.get("betas")
    if isinstance(betas, Sequence) and len(betas) > index:
        return _number({"beta": betas[index]}, "beta")
    return _number(group, f"beta{index + 1}")


_SETTINGS: dict[str, Callable[[Mapping[str, Any]], float | None]] = {
    "learning_rate": lambda group: _number(group, "lr"),
    "momentum": lambda group: _number(group, "momentum"),
    "beta1": lambda group: _beta(group, 0),
    "beta2": lambda group: _beta(group, 1),
    "weight_decay": lambda group: _number(group, "weight_decay"),
}


_SEEN = ("lr", "momentum", "betas", "beta1", "beta2", "weight_decay")
"""What the settings are read from."""


def _is_plain(value: object) -> bool:
    return (
        value is None
        or isinstance(value, bool | int | float | str)
        or (isinstance(value, tuple | list) and all(_is_plain(element) for element in value))
    )
