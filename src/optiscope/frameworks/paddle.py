"""Watching a PaddlePaddle training loop in dynamic graph mode.

Paddle's optimizers have no step hooks, so `step` and `minimize` are shadowed on the one optimizer that is watched. What
its `grad_clip` makes of the gradients is seen on its way, since that is what enters the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import paddle
from numpy.typing import NDArray

from optiscope.errors import ArgumentError
from optiscope.frameworks.protocol import Capability
from optiscope.frameworks.shadow import Shadow
from optiscope.recording.measurement import Labels, Measurement
from optiscope.recording.pending import Pending
from optiscope.recording.plan import Plan
from optiscope.recording.recorder import Recorder
from optiscope.recording.reductions import Reduction
from optiscope.recording.source import StepSource

Tensors = dict[int, Any]
"""Tensors by the id of their parameter."""


class PaddleAdapter:
    """Watches the parameters of one optimizer, under `step`, `minimize`, closures and `paddle.Model.fit`."""

    framework = "paddle"
    capabilities = frozenset({Capability.SNAPSHOTS})
    reductions = frozenset(Reduction) - {Reduction.RAW_GRADIENT_NORM}

    def __init__(self, model: Any, optimizer: Any) -> None:
        if not isinstance(model, paddle.nn.Layer):
            raise ArgumentError(f"A Paddle optimizer goes with a paddle.nn.Layer. Received: {type(model).__name__}")
        self._model = model
        self._optimizer = optimizer
        self._groups = _groups_of(optimizer)
        self._parameters = list({id(p): p for group in self._groups for p in group["params"]}.values())
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        if not any(id(parameter) in names for parameter in self._parameters):
            raise ArgumentError(
                "The optimizer holds none of the model's parameters, so nothing of it would be trained. Build it with "
                "parameters=model.parameters() of this very model."
            )
        self._names = {id(parameter): names.get(id(parameter), parameter.name) for parameter in self._parameters}
        self._recorder: Recorder
        self._source: StepSource
        self._shadows: list[Shadow] = []
        self._in_step = False
        self._has_begun = False
        self._plan = Plan()
        self._rate: float | None = None
        self._settings: dict[str, tuple[float, ...]] | None = None
        self._gradients: Tensors = {}
        self._previous: Tensors = {}
        self._before: Tensors = {}
        self._start: Tensors = {}

    # ------------------------------------------------------------------------------------------------- describing

    def describe_model(self) -> dict[str, Any]:
        """Class name, number of parameters, and each tensor."""
        parameters = dict(self._model.named_parameters())
        return {
            "name": type(self._model).__name__,
            "framework": self.framework,
            "framework_version": paddle.__version__,
            "parameters": sum(int(parameter.size) for parameter in parameters.values()),
            "tensors": [
                {
                    "name": name,
                    "shape": list(parameter.shape),
                    "dtype": str(parameter.dtype).removeprefix("paddle."),
                    "trainable": not parameter.stop_gradient,
                    "in_optimizer": id(parameter) in self._names,
                }
                for name, parameter in parameters.items()
            ],
        }

    def describe_optimizers(self) -> list[dict[str, Any]]:
        """The one optimizer, with its groups and their hyperparameters."""
        settings = self._current_settings()
        groups = [
            {
                "name": f"group {number}",
                "parameters": [self._names[id(parameter)] for parameter in group["params"]],
                "hyperparameters": {name: values[number] for name, values in settings.items()},
            }
            for number, group in enumerate(self._groups)
        ]
        return [{"name": type(self._optimizer).__name__, "source": "", "groups": groups}]

    # ------------------------------------------------------------------------------------------------- observing

    def attach(self, recorder: Recorder) -> None:
        """Shadow the methods that take a step, and those that clip its gradients."""
        labels = Labels(
            tensors=tuple(self._names.values()),
            sizes=np.array([int(parameter.size) for parameter in self._parameters], dtype=np.float64),
            groups=tuple(f"group {number}" for number in range(len(self._groups))),
        )
        recorder.attach(self)
        self._recorder = recorder
        self._source = recorder.add_source("", labels)
        clips = {id(group["grad_clip"]): group["grad_clip"] for group in self._groups if group["grad_clip"] is not None}
        self._shadows = [
            Shadow(self._optimizer, "step", self._observe_step),
            Shadow(self._optimizer, "minimize", self._observe_step),
            *(Shadow(clip, "_dygraph_clip", self._observe_clip) for clip in clips.values()),
        ]

    def detach(self) -> None:
        """Give the methods back."""
        for shadow in reversed(self._shadows):
            shadow.remove()

    def _observe_step(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def observed(*args: Any, **kwargs: Any) -> Any:
            if self._in_step:
                return step(*args, **kwargs)
            self._in_step = True
            try:
                with self._recorder.guard, paddle.no_grad():
                    self._before_step()
                result = step(*(self._observe_closure(a) for a in args), **_mapped(self._observe_closure, kwargs))
            finally:
                self._in_step = False
            with self._recorder.guard, paddle.no_grad():
                self._after_step()
            return result

        return observed

    def _observe_closure(self, argument: Any) -> Any:
        """A closure computes the gradient inside the step: the first one is that which enters it."""
        if isinstance(argument, paddle.Tensor) or not callable(argument):
            return argument
        self._gradients = {}

        def closure() -> Any:
            result = argument()
            if not self._gradients:
                with self._recorder.guard, paddle.no_grad():
                    self._gradients = {key: gradient.clone() for key, gradient in self._current_gradients().items()}
            return result

        return closure

    def _observe_clip(self, clip: Callable[..., Any]) -> Callable[..., Any]:
        def observed(pairs: Any) -> Any:
            clipped = clip(pairs)
            if self._in_step:
                with self._recorder.guard:
                    self._gradients.update((id(p), g) for p, g in clipped if id(p) in self._names and g is not None)
            return clipped

        return observed

    def _current_gradients(self) -> Tensors:
        return {id(p): p.grad for p in self._parameters if p.grad is not None and not p.stop_gradient}

    def _before_step(self) -> None:
        self._plan = self._source.plan
        rate = float(self._optimizer.get_lr())
        is_told = rate == self._rate and self._plan.is_empty
        self._settings, self._rate = None if is_told else self._current_settings(), rate
        if not self._has_begun:
            self._has_begun = True
            if self._recorder.request.wants("distance_from_start"):
                self._start = {id(parameter): parameter.clone() for parameter in self._parameters}
            self._recorder.snapshot_start()
        self._gradients = {} if self._plan.is_empty else self._current_gradients()
        if self._plan.needs_weights_before:
            self._before = {id(parameter): parameter.clone() for parameter in self._parameters}

    def _after_step(self) -> None:
        measurement = None
        if self._plan.reductions:
            gradients = {id(p): _dense(g, p) for p in self._parameters if (g := self._gradients.get(id(p))) is not None}
            self._gradients = gradients
            cells = [[self._cell(r, id(p), p) for p in self._parameters] for r in self._plan.reductions]
            measurement = Measurement(
                values=_Table(cells), present=tuple(id(parameter) in gradients for parameter in self._parameters)
            )
        gradients = self._gradients
        following = self._source.end(measurement, self._settings)
        self._before, self._previous, self._gradients = {}, {}, {}
        if following.needs_previous_gradient:
            gradients = gradients or self._current_gradients()
            self._previous = {
                id(p): _dense(gradients[id(p)], p).clone() for p in self._parameters if id(p) in gradients
            }

    # ------------------------------------------------------------------------------------------------- measuring

    def _cell(self, reduction: Reduction, key: int, weights: Any) -> Any:
        match reduction:
            case Reduction.WEIGHT_NORM:
                return _norm(_wide(weights))
            case Reduction.START_DISTANCE:
                return _norm(_wide(weights) - _wide(self._start[key]))
            case Reduction.UPDATE_NORM:
                return _norm(_wide(weights) - _wide(self._before[key]))
        if key not in self._gradients:
            return None
        g = _wide(self._gradients[key])
        match reduction:
            case Reduction.GRADIENT_NORM:
                return _norm(g)
            case Reduction.GRADIENT_SUM:
                return g.sum()
            case Reduction.GRADIENT_SPREAD:
                return paddle.square(g - g.mean()).sum()
            case Reduction.GRADIENT_ZEROS:
                return (g == 0).sum()
            case Reduction.GRADIENT_NONFINITE:
                return paddle.logical_not(paddle.isfinite(g)).sum()
            case Reduction.UPDATE_DOT_GRADIENT:
                return ((_wide(weights) - _wide(self._before[key])) * g).sum()
        if key not in self._previous:
            return None
        previous = _wide(self._previous[key])
        return _norm(previous) if reduction is Reduction.PREVIOUS_GRADIENT_NORM else (g * previous).sum()

    def _current_settings(self) -> dict[str, tuple[float, ...]]:
        settings: dict[str, tuple[float, ...]] = {}
        for name, read in _SETTINGS.items():
            values = [read(self._optimizer, group) for group in self._groups]
            if any(value is not None for value in values):
                settings[name] = tuple(np.nan if value is None else value for value in values)
        return settings

    # ------------------------------------------------------------------------------------------------- values

    def scalar(self, value: object) -> float | Pending[float]:
        """A number from a tensor of one element (without waiting for its device), or from anything NumPy takes."""
        if isinstance(value, paddle.Tensor):
            if value.size != 1:
                raise ArgumentError(
                    "A metric is a single number; log its mean or its elements. "
                    f"Received: a tensor of shape {tuple(value.shape)}"
                )
            if value.place.is_cpu_place():
                return float(value.item())
            return _Scalar(value.detach().clone())
        array = np.asarray(value)
        if array.size != 1 or array.dtype.kind not in "biuf":
            raise ArgumentError(f"A metric is a single number. Received: {value!r}")
        return float(array.reshape(())[()])

    def copy_parameters(self) -> Pending[Mapping[str, NDArray[Any]]]:
        """A copy of all parameters of the model; bfloat16 becomes float32, exactly."""
        with paddle.no_grad():
            copies = {name: parameter.clone() for name, parameter in self._model.named_parameters()}
        return _Arrays(copies)

    def parameter_bytes(self) -> int:
        """Size of all parameters, in bytes."""
        return _bytes_of(self._model.parameters())

    def copies_of_parameters(self) -> float:
        """The weights at the start, and in turn the gradient of the step before and the weights before the step."""
        held = _bytes_of(self._start.values()) + max(
            _bytes_of(self._before.values()), _bytes_of(self._previous.values())
        )
        return held / max(1, self.parameter_bytes())


class _Scalar:
    """A tensor of one element on an accelerator."""

    __slots__ = ("_tensor",)

    def __init__(self, tensor: Any) -> None:
        self._tensor = tensor

    def resolve(self) -> float:
        """Wait for the number."""
        return float(self._tensor.item())


class _Table:
    """Tensors of one element each, None where there is none; they become an array on the writer thread."""

    __slots__ = ("_cells",)

    def __init__(self, cells: list[list[Any]]) -> None:
        self._cells = cells

    def resolve(self) -> NDArray[np.float64]:
        """Wait for the numbers."""
        return np.array([[np.nan if cell is None else float(cell.item()) for cell in row] for row in self._cells])


class _Arrays:
    """Copies of tensors; they become arrays on the writer thread."""

    __slots__ = ("_tensors",)

    def __init__(self, tensors: dict[str, Any]) -> None:
        self._tensors = tensors

    def resolve(self) -> Mapping[str, NDArray[Any]]:
        """Wait for the copies."""
        return {name: _array(tensor) for name, tensor in self._tensors.items()}


def _groups_of(optimizer: Any) -> list[dict[str, Any]]:
    """The parameter groups; an optimizer without any has one."""
    groups = optimizer._param_groups
    if isinstance(groups[0], dict):
        return list(groups)
    return [{"params": list(groups), "grad_clip": optimizer._grad_clip}]


def _learning_rate(optimizer: Any, group: Mapping[str, Any]) -> float | None:
    # In a group it is a factor, not a rate.
    return float(optimizer.get_lr()) * float(group.get("learning_rate", 1.0))


def _setting(key: str) -> Callable[[Any, Mapping[str, Any]], float | None]:
    def read(optimizer: Any, group: Mapping[str, Any]) -> float | None:
        value = group.get(key, getattr(optimizer, f"_{key}", None))
        return float(value) if isinstance(value, int | float) else None

    return read


def _weight_decay(optimizer: Any, group: Mapping[str, Any]) -> float | None:
    value = group.get("weight_decay", getattr(optimizer, "_weight_decay", None))
    if value is None:
        # Momentum takes an L2 penalty into its own kernel and forgets the object that said so.
        fused = getattr(optimizer, "_regularization_method", "") == "l2_decay"
        value = optimizer._regularization_coeff if fused else optimizer.regularization
    if isinstance(value, paddle.regularizer.L2Decay):
        value = value._coeff
    return float(value) if isinstance(value, int | float) else None


_SETTINGS: dict[str, Callable[[Any, Mapping[str, Any]], float | None]] = {
    "learning_rate": _learning_rate,
    "momentum": _setting("momentum"),
    "beta1": _setting("beta1"),
    "beta2": _setting("beta2"),
    "weight_decay": _weight_decay,
}


def _mapped(function: Callable[[Any], Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: function(argument) for name, argument in arguments.items()}


def _dense(gradient: Any, parameter: Any) -> Any:
    """The gradient as an ordinary tensor; that of a sparse embedding is a list of rows, some of them repeated."""
    if not gradient.is_selected_rows():
        return gradient
    rows = paddle.to_tensor(gradient.rows(), place=parameter.place).unsqueeze(1)
    return paddle.scatter_nd_add(paddle.zeros_like(parameter), rows, gradient._get_tensor_from_selected_rows())


def _wide(tensor: Any) -> Any:
    """In float64: a float32 sum of millions of squares loses digits, and the square of 1e-25 is lost whole."""
    return tensor.astype("float64")


def _norm(wide: Any) -> Any:
    return paddle.linalg.norm(wide.flatten())


def _array(tensor: Any) -> NDArray[Any]:
    return np.asarray((tensor.astype("float32") if tensor.dtype == paddle.bfloat16 else tensor).numpy())


def _bytes_of(tensors: Iterable[Any]) -> int:
    return sum(int(tensor.size) * int(tensor.element_size()) for tensor in tensors)
