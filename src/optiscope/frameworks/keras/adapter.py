"""Watching Keras 3 on TensorFlow, compiled `fit` included.

Callbacks never see a gradient, and TensorFlow compiles the whole step. So the optimizer's `apply` and `update_step` are
shadowed on the one optimizer that is watched: while the step is compiled, they put the measuring of `Meter` into it.
Python reads what it left behind after every run of the model's train function, where Keras' own logs come out too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from optiscope.errors import ArgumentError
from optiscope.frameworks.keras.meter import REDUCTIONS, Meter
from optiscope.frameworks.protocol import Capability
from optiscope.frameworks.shadow import Shadow
from optiscope.recording.measurement import Labels, Measurement
from optiscope.recording.pending import Known, Pending
from optiscope.recording.recorder import Recorder
from optiscope.recording.source import StepSource

_SETTINGS = {"momentum": "momentum", "beta1": "beta_1", "beta2": "beta_2", "weight_decay": "weight_decay"}


class KerasAdapter:
    """Watches one optimizer, under `fit`, `train_on_batch` or a loop of the user's own.

    With `steps_per_execution` above 1 Python sees one step of each execution, the last, and records it under its right
    number. In a loop that compiles its own step with `tf.function`, a step is seen when `watch.log` gets a tensor.
    The gradient is the one that `update_step` gets: unscaled, averaged over accumulation, and clipped.
    """

    framework = "keras"
    capabilities = frozenset({Capability.SNAPSHOTS})
    reductions = frozenset(REDUCTIONS)

    def __init__(self, model: Any, optimizer: Any) -> None:
        if not isinstance(model, keras.Model):
            raise ArgumentError(f"A Keras optimizer goes with a keras.Model. Received: {type(model).__name__}")
        if keras.backend.backend() != "tensorflow":
            raise ArgumentError(
                "Keras can be watched on the TensorFlow backend only, so far (set KERAS_BACKEND=tensorflow). "
                f"Received: {keras.backend.backend()!r}"
            )
        if model.distribute_strategy.num_replicas_in_sync > 1:
            raise ArgumentError(
                "Keras can be watched on a single replica only, so far. Received: a strategy of "
                f"{model.distribute_strategy.num_replicas_in_sync} replicas."
            )
        # With loss scaling it is the inner optimizer that takes the steps, and only those that are not skipped.
        scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        self._optimizer = optimizer.inner_optimizer if scaled else optimizer
        self._model = model
        ours = {id(_raw(variable)) for variable in model.variables}
        if self._optimizer.built and ours.isdisjoint(id(variable) for variable in self._optimized()):
            raise ArgumentError(
                "The optimizer was built for variables of which none of the model's is one, so nothing of it would be "
                "trained. Watch the optimizer that the model was compiled with: watch(model, model.optimizer)."
            )
        self._recorder: Recorder
        self._source: StepSource | None = None
        self._meter: Meter | None = None
        self._shadows: list[Shadow] = []
        self._inputs: dict[int, Any] = {}
        self._expected = 0
        self._learning_rate: Any = None
        self._last_rate: float | None = None
        self._is_hidden = False
        self._steps_seen = 0
        self._epoch = 0
        self._batches = 0
        self._batches_in_epoch: int | None = None

    # ------------------------------------------------------------------------------------------------- describing

    def describe_model(self) -> dict[str, Any]:
        """Name, number of parameters, and each weight; nothing yet of a model that is not built."""
        in_optimizer = {id(variable) for variable in self._optimized()}
        weights = _named(self._model.weights)
        return {
            "name": self._model.name,
            "framework": self.framework,
            "framework_version": keras.version(),
            "parameters": sum(int(np.prod(variable.shape)) for variable in weights.values()),
            "tensors": [
                {
                    "name": name,
                    "shape": list(variable.shape),
                    "dtype": str(variable.dtype),
                    "trainable": bool(variable.trainable),
                    "in_optimizer": id(_raw(variable)) in in_optimizer,
                    "is_state": not variable.trainable,  # statistics of batch normalization, and frozen weights
                }
                for name, variable in weights.items()
            ],
        }

    def describe_optimizers(self) -> list[dict[str, Any]]:
        """The one optimizer; Keras has no parameter groups."""
        plain = {k: v for k, v in self._optimizer.get_config().items() if v is None or isinstance(v, float | int | str)}
        group = {"name": "group 0", "parameters": self._names(self._optimized()), "hyperparameters": plain}
        return [{"name": type(self._optimizer).__name__, "source": "", "groups": [group]}]

    def _optimized(self) -> list[Any]:
        """The `tf.Variable`s that the optimizer trains, as far as it knows them by now."""
        known = self._optimizer._trainable_variables if self._optimizer.built else self._model.trainable_variables
        return [_raw(variable) for variable in known]

    def _names(self, variables: Sequence[Any]) -> list[str]:
        names = {id(_raw(variable)): name for name, variable in _named(self._model.weights).items()}
        return [names.get(id(variable), f"variable {index}") for index, variable in enumerate(variables)]

    # ------------------------------------------------------------------------------------------------- observing

    def attach(self, recorder: Recorder) -> None:
        """Shadow the optimizer's and the model's methods; a step that was compiled before is compiled again."""
        recorder.attach(self)
        self._recorder = recorder
        self._shadows = [
            Shadow(self._optimizer, "apply", self._observe_apply),
            Shadow(self._optimizer, "update_step", self._observe_update),
            Shadow(self._model, "make_train_function", self._observe_making),
            Shadow(self._model, "fit", self._observe_fit),
        ]
        self._compile_again()

    def detach(self) -> None:
        """Read what is still unread, give the methods back, and have the step compiled without us."""
        self._publish()
        for shadow in reversed(self._shadows):
            shadow.remove()
        self._compile_again()

    def _compile_again(self) -> None:
        if self._model.train_function is not None:
            self._model.make_train_function(force=True)

    def _observe_apply(self, apply: Callable[..., Any]) -> Callable[..., Any]:
        def observed(grads: Any, trainable_variables: Any = None) -> Any:
            # Both may be iterators, which only one reader can have.
            grads = list(grads)
            variables = None if trainable_variables is None else list(trainable_variables)
            with self._recorder.guard:
                self._before_step(grads, variables)
            result = apply(grads, variables)
            with self._recorder.guard:
                if not self._optimizer.gradient_accumulation_steps:
                    self._after_step()
                if not self._is_hidden:
                    self._publish()
            return result

        return observed

    def _observe_update(self, update_step: Callable[..., Any]) -> Callable[..., Any]:
        def observed(gradient: Any, variable: Any, learning_rate: Any) -> Any:
            result = update_step(gradient, variable, learning_rate)
            with self._recorder.guard:
                self._inputs[id(_raw(variable))] = gradient
                self._learning_rate = learning_rate
                # An accumulated gradient exists only in this branch of the graph, so it is measured here.
                if self._optimizer.gradient_accumulation_steps and len(self._inputs) == self._expected:
                    self._after_step()
            return result

        return observed

    def _before_step(self, grads: Sequence[Any], variables: Sequence[Any] | None) -> None:
        self._inputs = {}
        self._expected = sum(gradient is not None for gradient in grads)
        self._is_hidden = tf.inside_function()
        if self._meter is None:
            # The step may be in the middle of being compiled: what follows happens now and outside of it.
            with tf.init_scope():
                self._begin(variables)
        assert self._meter is not None
        self._meter.keep_weights()

    def _after_step(self) -> None:
        if self._meter is not None and self._inputs:
            gradients = [self._inputs.get(id(variable)) for variable in self._meter.variables]
            self._meter.measure(gradients, self._learning_rate)
        self._inputs = {}

    def _begin(self, variables: Sequence[Any] | None) -> None:
        """At the first step, or while it is compiled: only now is every model built."""
        built = self._optimizer.built or variables is None
        trained = self._optimized() if built else [_raw(variable) for variable in variables or ()]
        wanted = frozenset(need for quantity in self._recorder.request.quantities for need in quantity.needs)
        meter = Meter(trained, wanted)
        labels = Labels(tensors=tuple(self._names(trained)), sizes=meter.sizes, groups=("group 0",))
        source = self._recorder.add_source("", labels)
        self._source, self._meter = source, meter
        self._arm()
        self._recorder.writer.describe(model=self.describe_model(), optimizer=self.describe_optimizers()[0])
        self._recorder.snapshot_start()

    def _publish(self) -> None:
        """Hand over the steps that have been taken since the last look; only the last of them was measured."""
        if self._meter is None or self._source is None:
            return
        reading = self._meter.read()
        fresh = reading.steps - self._steps_seen
        if fresh < 1:
            return
        is_first, self._steps_seen = self._steps_seen == 0, reading.steps
        for _ in range(fresh - 1):
            self._source.skip()
        if self._is_hidden:
            if is_first:
                self._meter.time_groups()
            self._recorder.guard.seconds += self._meter.hidden_seconds()
        plan = self._source.plan
        measurement = None
        if plan.reductions:
            table = np.stack([reading.values[reduction] for reduction in plan.reductions])
            measurement = Measurement(values=Known(table), present=reading.present)
        changed = reading.learning_rate != self._last_rate
        self._last_rate = reading.learning_rate
        self._source.end(measurement, self._settings(reading.learning_rate) if changed or plan.reductions else None)
        self._arm()

    def _arm(self) -> None:
        assert self._meter is not None
        assert self._source is not None
        # Which step of an execution comes last is not known before it has run.
        self._meter.arm(self._source.plan, whole=self._model.steps_per_execution > 1)

    def _settings(self, learning_rate: float) -> dict[str, tuple[float, ...]]:
        settings: dict[str, tuple[float, ...]] = {"learning_rate": (learning_rate,)}
        for name, attribute in _SETTINGS.items():
            value = getattr(self._optimizer, attribute, None)
            if isinstance(value, int | float):
                settings[name] = (float(value),)
        return settings

    # ----------------------------------------------------------------------------------------- fit and its logs

    def _observe_making(self, make: Callable[..., Any]) -> Callable[..., Any]:
        def observed(force: bool = False) -> Any:
            before = self._model.train_function
            result = make(force=force)
            if self._model.train_function is not before:
                self._model.train_function = self._observe_training(self._model.train_function)
            return result

        return observed

    def _observe_training(self, train: Callable[..., Any]) -> Callable[..., Any]:
        """After each run of the train function: the step, and Keras' logs, which are means since the epoch began."""

        def observed(iterator: Any) -> Any:
            logs = train(iterator)
            with self._recorder.guard:
                self._batches += self._model.steps_per_execution
                if self._batches_in_epoch:
                    self._recorder.epoch = self._epoch + min(1.0, self._batches / self._batches_in_epoch)
                self._publish()
                self._log(logs)
            return logs

        return observed

    def _observe_fit(self, fit: Callable[..., Any]) -> Callable[..., Any]:
        """`fit` with one callback more, for the epochs and for what is validated at their ends."""
        signature = inspect.signature(fit)

        def begin(epoch: int, _: Any = None) -> None:
            with self._recorder.guard:
                self._epoch, self._batches = epoch, 0
                self._recorder.epoch = float(epoch)
                self._batches_in_epoch = callback.params.get("steps")

        def end(epoch: int, logs: Any = None) -> None:
            with self._recorder.guard:
                self._recorder.epoch = epoch + 1.0
                self._log({name: value for name, value in (logs or {}).items() if name.startswith("val_")})

        callback = keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_epoch_end=end)

        def observed(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            theirs = bound.arguments.get("callbacks")
            if isinstance(theirs, keras.callbacks.CallbackList):
                # The list belongs to the user, who may use it again: ours is in it only while this fit runs.
                callback.set_params(theirs.params)
                theirs.callbacks.insert(0, callback)
                try:
                    return fit(*bound.args, **bound.kwargs)
                finally:
                    theirs.callbacks.remove(callback)
            if "callbacks" in signature.parameters:
                bound.arguments["callbacks"] = [callback] if theirs is None else [callback, theirs]
            return fit(*bound.args, **bound.kwargs)

        return observed

    def _log(self, logs: Any) -> None:
        numbers: dict[str, object] = {}
        for name, value in logs.items() if isinstance(logs, Mapping) else ():
            try:
                numbers[name] = self._number(value)
            except (ArgumentError, TypeError, ValueError):
                continue  # a metric that is no single number
        if numbers:
            self._recorder.log(numbers)

    # ------------------------------------------------------------------------------------------------- values

    def scalar(self, value: object) -> float | Pending[float]:
        """A number from a tensor of one element (without waiting for its device), or from anything NumPy takes."""
        with self._recorder.guard:
            self._publish()
        return self._number(value)

    def _number(self, value: object) -> float | Pending[float]:
        if isinstance(value, keras.Variable):
            value = value.value
        if isinstance(value, tf.Variable):
            value = value.read_value()
        if isinstance(value, tf.Tensor):
            if not tf.executing_eagerly() or tf.is_symbolic_tensor(value):
                raise ArgumentError(
                    "A metric is logged outside of tf.function, where its value is known. Received: a symbolic tensor."
                )
            if value.shape.num_elements() != 1:
                raise ArgumentError(
                    "A metric is a single number; log its mean or its elements. "
                    f"Received: a tensor of shape {tuple(value.shape)}"
                )
            return _OnItsWay(value)
        array = np.asarray(value)
        if array.size != 1 or array.dtype.kind not in "biuf":
            raise ArgumentError(f"A metric is a single number. Received: {value!r}")
        return float(array.reshape(())[()])

    def copy_parameters(self) -> Pending[Mapping[str, NDArray[Any]]]:
        """A copy of each weight that `describe_model` names; bfloat16 becomes float32, exactly.

        The statistics of batch normalization are among them: without these the weights are not the model.
        """
        variables = _named(self._model.weights)
        return Known({name: _array(_raw(variable)) for name, variable in variables.items()})

    def parameter_bytes(self) -> int:
        """Size of all weights, in bytes."""
        return _bytes(self._model.weights)

    def copies_of_parameters(self) -> float:
        """The weights before the step, against those that are trained."""
        held = 0 if self._meter is None else self._meter.held_bytes()
        return held / max(1, _bytes(self._model.trainable_variables))


class _OnItsWay:
    """An eager tensor, which is never changed, so that the writer thread can wait for it."""

    __slots__ = ("_tensor",)

    def __init__(self, tensor: Any) -> None:
        self._tensor = tensor

    def resolve(self) -> float:
        """Wait for the number."""
        return float(np.asarray(self._tensor).reshape(())[()])


def _raw(variable: Any) -> Any:
    """The `tf.Variable` in a Keras variable."""
    return variable.value if isinstance(variable, keras.Variable) else variable


def _bytes(variables: Sequence[Any]) -> int:
    raws = (_raw(variable) for variable in variables)
    return sum(int(np.prod(raw.shape)) * int(raw.dtype.size) for raw in raws)


def _array(variable: Any) -> NDArray[Any]:
    value = variable.read_value()
    if value.dtype == tf.bfloat16:
        value = tf.cast(value, tf.float32)
    # TensorFlow may lend the memory of the variable itself.
    return np.array(value)


def _named(variables: Sequence[Any]) -> dict[str, Any]:
    """Variables by their path in the model; paths that occur twice are numbered."""
    return dict(_with_names(variables))


def _with_names(variables: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    taken: dict[str, int] = {}
    for variable in variables:
        path = variable.path if isinstance(variable, keras.Variable) else variable.name
        taken[path] = taken.get(path, 0) + 1
        yield (path if taken[path] == 1 else f"{path}#{taken[path]}"), variable
