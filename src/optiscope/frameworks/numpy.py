"""The NumPy adapter: the reference that the conformance suite compares every other adapter with.

It is also the way to watch a training loop written by hand:

>>> import numpy as np
>>> weights = {"w": np.array([3.0, 4.0])}
>>> descent = NumpyOptimizer(weights, lambda gradients, _: {"w": -0.1 * gradients["w"]}, learning_rate=0.1)
>>> descent.step({"w": np.array([10.0, 0.0])})
>>> weights["w"].tolist()
[2.0, 4.0]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optiscope.errors import ArgumentError
from optiscope.frameworks.protocol import Capability
from optiscope.recording import bins
from optiscope.recording.measurement import Labels, Measurement
from optiscope.recording.pending import Known, Pending
from optiscope.recording.plan import Plan
from optiscope.recording.recorder import Recorder
from optiscope.recording.reductions import Reduction
from optiscope.recording.source import StepSource

Arrays = Mapping[str, NDArray[Any]]
Gradients = Mapping[str, NDArray[Any] | None]
UpdateRule = Callable[[Gradients, Arrays], Mapping[str, NDArray[Any]]]


class NumpyOptimizer:
    """Applies an update rule to arrays in place, and lets observers look before and after each step."""

    def __init__(self, parameters: MutableMapping[str, NDArray[Any]], rule: UpdateRule, **settings: float) -> None:
        """Prepare to train `parameters`.

        Args:
            parameters: Arrays by name; changed in place.
            rule: From the gradients and the parameters to what is added to each parameter, by name.
            settings: Hyperparameters to show, such as `learning_rate` and `momentum`; may be changed between steps.
        """
        self.parameters = parameters
        self.rule = rule
        self.settings = settings
        self.observers: list[NumpyAdapter] = []

    def step(self, gradients: Gradients) -> None:
        """Take one step. A gradient that is None or absent leaves its parameter alone."""
        for observer in self.observers:
            observer.before_step(gradients)
        for name, update in self.rule(gradients, self.parameters).items():
            self.parameters[name] += update
        for observer in self.observers:
            observer.after_step(gradients)


class NumpyAdapter:
    """Watches a `NumpyOptimizer`. Written for clearness: float64, one plain formula a reduction."""

    framework = "numpy"
    capabilities = frozenset({Capability.HISTOGRAMS, Capability.SNAPSHOTS})
    reductions = frozenset(Reduction) - {Reduction.RAW_GRADIENT_NORM}

    def __init__(self, optimizer: NumpyOptimizer) -> None:
        self._optimizer = optimizer
        self._source: StepSource | None = None
        self._recorder: Recorder | None = None
        self._plan = Plan()
        self._before: Arrays = {}
        self._previous: Gradients = {}
        self._start: Arrays = {}

    def describe_model(self) -> dict[str, Any]:
        """Name, number of parameters, and the arrays."""
        arrays = self._optimizer.parameters
        return {
            "name": "NumPy arrays",
            "framework": self.framework,
            "parameters": sum(array.size for array in arrays.values()),
            "tensors": [
                {
                    "name": name,
                    "shape": list(array.shape),
                    "dtype": str(array.dtype),
                    "trainable": True,
                    "in_optimizer": True,
                }
                for name, array in arrays.items()
            ],
        }

    def describe_optimizers(self) -> list[dict[str, Any]]:
        """The one optimizer, with one group of parameters."""
        group = {
            "name": "group 0",
            "parameters": list(self._optimizer.parameters),
            "hyperparameters": dict(self._optimizer.settings),
        }
        return [{"name": getattr(self._optimizer.rule, "__name__", "rule"), "groups": [group]}]

    def attach(self, recorder: Recorder) -> None:
        """Begin to observe."""
        arrays = self._optimizer.parameters
        labels = Labels(
            tensors=tuple(arrays),
            sizes=np.array([array.size for array in arrays.values()], dtype=np.float64),
            groups=("group 0",),
        )
        recorder.attach(self)
        self._recorder = recorder
        self._source = recorder.add_source("", labels)
        self._optimizer.observers.append(self)

    def detach(self) -> None:
        """Stop observing."""
        self._optimizer.observers.remove(self)

    def before_step(self, gradients: Gradients) -> None:
        """Copy what the plan needs from before the step."""
        assert self._recorder is not None
        assert self._source is not None
        with self._recorder.guard:
            self._plan = self._source.plan
            if not self._start:
                self._start = {name: array.copy() for name, array in self._optimizer.parameters.items()}
                self._recorder.snapshot_start()
            if self._plan.needs_weights_before:
                self._before = {name: array.copy() for name, array in self._optimizer.parameters.items()}

    def after_step(self, gradients: Gradients) -> None:
        """Measure, and keep the gradient if the next step needs it."""
        assert self._recorder is not None
        assert self._source is not None
        with self._recorder.guard:
            plan = self._plan
            measurement = None
            if plan.reductions or plan.histograms:
                measurement = Measurement(
                    values=Known(np.array([self._row(reduction, gradients) for reduction in plan.reductions])),
                    present=tuple(gradients.get(name) is not None for name in self._optimizer.parameters),
                    histograms=Known(self._histograms(gradients)) if plan.histograms else None,
                )
            settings = {name: (float(value),) for name, value in self._optimizer.settings.items()}
            following = self._source.end(measurement, settings)
            keep = following.needs_previous_gradient
            self._previous = {n: None if g is None else g.copy() for n, g in gradients.items()} if keep else {}

    def _row(self, reduction: Reduction, gradients: Gradients) -> NDArray[np.float64]:
        return np.array(
            [self._reduce(reduction, name, gradients.get(name)) for name in self._optimizer.parameters],
            dtype=np.float64,
        )

    def _reduce(self, reduction: Reduction, name: str, gradient: NDArray[Any] | None) -> float:
        weights = self._optimizer.parameters[name].astype(np.float64)
        match reduction:
            case Reduction.WEIGHT_NORM:
                return norm(weights)
            case Reduction.START_DISTANCE:
                return norm(weights - self._start[name])
            case Reduction.UPDATE_NORM:
                return norm(weights - self._before[name])
        if gradient is None:
            return np.nan
        g = gradient.astype(np.float64)
        previous = self._previous.get(name)
        match reduction:
            case Reduction.GRADIENT_NORM:
                return norm(g)
            case Reduction.GRADIENT_SUM:
                return float(g.sum())
            case Reduction.GRADIENT_SPREAD:
                return float(np.square(g - g.mean()).sum())
            case Reduction.GRADIENT_ZEROS:
                return float(np.count_nonzero(g == 0))
            case Reduction.GRADIENT_NONFINITE:
                return float(np.count_nonzero(~np.isfinite(g)))
            case Reduction.UPDATE_DOT_GRADIENT:
                return float(np.vdot(weights - self._before[name], g))
            case Reduction.GRADIENT_DOT_PREVIOUS:
                return np.nan if previous is None else float(np.vdot(g, previous.astype(np.float64)))
            case Reduction.PREVIOUS_GRADIENT_NORM:
                return np.nan if previous is None else norm(previous.astype(np.float64))
        raise ArgumentError(f"The NumPy adapter cannot compute {reduction.name}.")

    def _histograms(self, gradients: Gradients) -> dict[str, NDArray[np.int64]]:
        arrays = self._optimizer.parameters
        elements: dict[str, list[NDArray[Any]]] = {
            "weights": list(arrays.values()),
            "gradients": [_or_empty(gradients.get(name)) for name in arrays],
            "updates": [arrays[name] - self._before[name] for name in arrays],
        }
        return {
            kind: np.stack([np.append(*bins.count(tensor)) for tensor in tensors]) for kind, tensors in elements.items()
        }

    def scalar(self, value: object) -> float:
        """A number from anything that holds exactly one."""
        array = np.asarray(value)
        if array.size != 1 or array.dtype.kind not in "biuf":
            raise ArgumentError(f"A metric is a single number. Received: {value!r}")
        return float(array.reshape(())[()])

    def copy_parameters(self) -> Pending[Mapping[str, NDArray[Any]]]:
        """A copy of the arrays."""
        return Known({name: array.copy() for name, array in self._optimizer.parameters.items()})

    def parameter_bytes(self) -> int:
        """Size of all arrays, in bytes."""
        return sum(array.nbytes for array in self._optimizer.parameters.values())

    def copies_of_parameters(self) -> float:
        """Start, weights before, previous gradient."""
        held = (*self._start.values(), *self._before.values(), *(g for g in self._previous.values() if g is not None))
        return sum(array.nbytes for array in held) / max(1, self.parameter_bytes())


def norm(array: NDArray[np.float64]) -> float:
    """‖array‖₂, scaled by the largest magnitude so that no square over- or underflows."""
    largest = float(np.max(np.abs(array), initial=0.0))
    if largest == 0.0 or not np.isfinite(largest):
        return largest
    return largest * float(np.sqrt(np.square(array / largest).sum()))


def _or_empty(gradient: NDArray[Any] | None) -> NDArray[Any]:
    return np.empty(0) if gradient is None else gradient
