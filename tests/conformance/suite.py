"""What every adapter must do, against the NumPy adapter as the reference.

A framework's tests subclass `Conformance` (or only `Numbers`, for one more way of training) and say which loop to
train; the classes are not collected by themselves. Each test trains the problem of `tests/conformance/problem.py`
under `watch` and reads the run back from disk.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from optiscope.errors import RecordingError, RecordingWarning
from optiscope.frameworks.detect import adapter_for
from optiscope.frameworks.protocol import Capability
from optiscope.frameworks.watch import watch
from optiscope.recording.quantities import quantities
from optiscope.recording.schedule import at, every
from optiscope.recording.source import StepSource
from optiscope.runs import Run, open_run
from tests.conformance.loops.numpy_loop import NumpyLoop
from tests.conformance.problem import LEARNING_RATE, MOMENTUM, SPARE, STEPS, Loop, Setting, batch

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
"""Relative to the largest value of the series: a mean or a cosine may cancel to next to nothing."""
NORMS = ("gradient_norm", "weight_norm", "update_norm", "distance_from_start", "gradient_nonfinite")


def train(loop: Loop, setting: Setting, steps: Iterable[int] = range(1, STEPS + 1)) -> list[float]:
    """Train on the batches of `steps`; the losses."""
    return [float(loop.step(*batch(step, setting.dtype))) for step in steps]


def poisoned(dtype: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """A batch in which one target is not a number."""
    x, y = batch(1, dtype)
    y[0, 0] = np.nan
    return x, y


def declared(loop: Loop) -> list[str]:
    """The core quantities whose reductions the loop's adapter declares."""
    able = adapter_for(loop.model, loop.optimizer).reductions
    return [name for name, quantity in quantities().items() if quantity.core and quantity.needs <= able]


def assert_series_agree(run: Run, name: str, expected: NDArray[Any], tolerance: float) -> None:
    """Compare all rows of a series, NaN with NaN; columns belong to the same tensors in both."""
    scale = np.nanmax(np.abs(expected), initial=0.0)
    np.testing.assert_allclose(
        run[name].values, expected, rtol=tolerance, atol=tolerance * float(scale), err_msg=f"{name} of {run.name}"
    )


class Numbers:
    """That the right numbers are recorded, and training is left alone. `loop_of` builds the framework's loop."""

    loop_of: ClassVar[type[Loop]]

    def record(self, path: Path, setting: Setting, loop: Loop | None = None, **options: Any) -> Run:
        """Train under watch, with everything measured at every step unless told otherwise; the finished run."""
        loop = loop or self.loop_of(setting)
        with watch(loop.model, loop.optimizer, run=path, **{"budget": None, "strict": True, **options}):
            train(loop, setting)
        return open_run(path)

    def columns(self, run: Run, loop: Loop) -> list[int]:
        """For each of the problem's weights the column of the run that belongs to it."""
        labels = run["weight_norm"].labels
        return [labels.index(name) for name in loop.names.values()]

    def assert_agrees_with_reference(self, tmp_path: Path, setting: Setting) -> None:
        loop = self.loop_of(setting)
        reference = self.record(tmp_path / "reference", setting, NumpyLoop(setting))
        run = self.record(tmp_path / "run", setting, loop)
        names = declared(loop)
        order = self.columns(run, loop)
        assert names
        for name in names:
            expected = reference[name].values
            assert run[name].values.shape == expected.shape, name
            aligned = np.empty_like(expected)
            aligned[:, order] = expected
            assert_series_agree(run, name, aligned, TOLERANCE[setting.dtype])
            assert_series_agree(run, f"{name}/global", reference[f"{name}/global"].values, TOLERANCE[setting.dtype])
            assert run[name].steps.tolist() == list(range(1, STEPS + 1)), name

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("momentum", [0.0, MOMENTUM])
    def test_every_declared_quantity_of_every_step_agrees_with_the_reference(self, tmp_path, momentum, dtype):
        self.assert_agrees_with_reference(tmp_path, Setting(dtype=dtype, momentum=momentum))

    def test_a_missing_gradient_is_nan_and_counts_for_nothing_in_the_whole(self, tmp_path):
        setting = Setting(spare=True)
        loop = self.loop_of(setting)
        run = self.record(tmp_path / "run", setting, loop)
        column = run["gradient_norm"].labels.index(loop.names["spare"])
        for name in declared(loop):
            values = run[name].values[:, column]
            if name in ("weight_norm", "update_norm", "update_ratio", "distance_from_start"):
                assert np.isfinite(values).all(), name
            else:
                assert np.isnan(values).all(), name
        assert np.isfinite(run["gradient_norm/global"].values).all()
        self.assert_agrees_with_reference(tmp_path / "both", setting)

    def test_a_gradient_that_is_not_a_number_is_visible_and_counted(self, tmp_path):
        loop = self.loop_of(Setting())
        with watch(loop.model, loop.optimizer, run=tmp_path / "run", budget=None, strict=True):
            train(loop, Setting(), [1, 2])
            loop.step(*poisoned("float32"))
        run = open_run(tmp_path / "run")
        bias = run["gradient_norm"].labels.index(loop.names["out.bias"])
        assert np.isfinite(run["gradient_norm"].values[:2]).all()
        assert np.isnan(run["gradient_norm"].values[2, bias])
        assert np.isnan(run["gradient_norm/global"].values[2])
        assert run["gradient_nonfinite"].values[:, bias].tolist() == [0, 0, 1]
        assert run["gradient_nonfinite/global"].values[2] >= 1

    def test_the_learning_rate_is_the_one_that_the_step_used(self, tmp_path):
        rates = [LEARNING_RATE / 2**power for power in range(4)]
        loop = self.loop_of(Setting())
        with watch(loop.model, loop.optimizer, run=tmp_path / "run", budget=None, strict=True):
            for step, rate in enumerate(rates, start=1):
                loop.set_learning_rate(rate)
                train(loop, Setting(), [step])
        run = open_run(tmp_path / "run")
        assert run["learning_rate"].values.ravel().tolist() == rates
        assert run["learning_rate"].steps.tolist() == [1, 2, 3, 4]
        np.testing.assert_allclose(
            run["update_norm"].values, run["gradient_norm"].values * np.array(rates)[:, None], rtol=1e-4
        )

    def test_a_schedule_records_exactly_its_steps(self, tmp_path):
        run = self.record(
            tmp_path / "run",
            Setting(),
            quantities={"gradient_norm": every(3), "update_norm": at(2, 6), "weight_norm": every(1)},
        )
        assert run["gradient_norm"].steps.tolist() == [3, 6]
        assert run["update_norm"].steps.tolist() == [2, 6]
        assert run["weight_norm"].steps.tolist() == list(range(1, STEPS + 1))
        assert "update_ratio" not in run

    def test_what_is_thinned_has_the_same_values_as_what_is_not(self, tmp_path):
        setting = Setting(momentum=MOMENTUM)
        names = declared(self.loop_of(setting))
        whole = self.record(tmp_path / "whole", setting)
        thin = self.record(tmp_path / "thin", setting, quantities=dict.fromkeys(names, every(3)))
        for name in names:
            np.testing.assert_array_equal(thin[name].values, whole[name].values[[2, 5]], err_msg=name)

    @pytest.mark.parametrize("budget", [None, 0.05])
    def test_training_is_the_same_to_the_last_bit_with_and_without_watch(self, tmp_path, budget):
        setting = Setting(momentum=MOMENTUM)
        bare, watched = self.loop_of(setting), self.loop_of(setting)
        losses = train(bare, setting)
        with watch(watched.model, watched.optimizer, run=tmp_path / "run", budget=budget, snapshots=every(1)):
            assert train(watched, setting) == losses
        for name, array in bare.weights().items():
            np.testing.assert_array_equal(watched.weights()[name], array, err_msg=name)


class Conformance(Numbers):
    """The whole suite."""

    most_copies: ClassVar[float] = 2
    """Copies of the parameters that the adapter may hold, as a multiple of their memory."""

    def test_the_core_norms_are_declared(self):
        names = declared(self.loop_of(Setting()))
        assert {"gradient_norm", "weight_norm", "update_norm", "update_ratio", "gradient_nonfinite"} <= set(names)

    def test_nothing_else_than_the_declared_quantities_and_settings_is_recorded(self, tmp_path):
        loop = self.loop_of(Setting(momentum=MOMENTUM))
        names = declared(loop)
        run = self.record(tmp_path / "run", Setting(momentum=MOMENTUM), loop, histograms=at())
        recorded = {name for name in run.names if name not in ("loss", "learning_rate", "momentum", "weight_decay")}
        assert recorded == {*names, *(f"{name}/global" for name in names)}

    def test_a_global_norm_is_the_norm_of_the_norms_of_all_tensors(self, tmp_path):
        run = self.record(tmp_path / "run", Setting())
        for name in NORMS:
            if name in run:
                each = run[name].values
                whole = each.sum(axis=1) if name == "gradient_nonfinite" else np.sqrt(np.square(each).sum(axis=1))
                np.testing.assert_allclose(run[f"{name}/global"].values, whole, rtol=1e-12)

    def test_momentum_is_recorded_where_the_optimizer_has_it(self, tmp_path):
        run = self.record(tmp_path / "run", Setting(momentum=MOMENTUM))
        assert set(run["momentum"].values.ravel()) == {MOMENTUM}

    # ------------------------------------------------------------------------------------------- description

    def test_tensors_are_named_and_sized_as_in_the_model(self, tmp_path):
        setting = Setting(spare=True)
        loop = self.loop_of(setting)
        run = self.record(tmp_path / "run", setting, loop)
        assert sorted(run["weight_norm"].labels) == sorted(loop.names.values())
        tensors = {tensor["name"]: tensor for tensor in run.model["tensors"]}
        sizes = {name: int(np.prod(tensor["shape"])) for name, tensor in tensors.items()}
        assert sizes == {loop.names[name]: array.size for name, array in loop.weights().items()}
        assert sizes[loop.names["spare"]] == SPARE
        assert {tensor["dtype"] for tensor in tensors.values()} == {"float32"}
        assert all(tensor["trainable"] and tensor["in_optimizer"] for tensor in tensors.values())
        assert run.model["parameters"] == sum(sizes.values())
        assert run.model["framework"] == loop.framework

    def test_the_optimizer_is_described_with_its_group(self, tmp_path):
        loop = self.loop_of(Setting())
        run = self.record(tmp_path / "run", Setting(), loop)
        assert run.optimizer["name"]
        (group,) = run.optimizer["groups"]
        assert group["name"] == "group 0"
        assert sorted(group["parameters"]) == sorted(loop.names.values())
        assert group["hyperparameters"]
        assert run["learning_rate"].labels == ("group 0",)

    def test_the_run_is_finished_and_lost_nothing(self, tmp_path):
        run = self.record(tmp_path / "run", Setting())
        assert run.status == "finished"
        assert run.steps == STEPS
        assert run.losses.faults == 0
        assert run.overhead["fraction"] > 0
        assert run.overhead["copies_of_parameters"] <= self.most_copies

    def test_under_the_default_budget_the_first_steps_are_measured_whole(self, tmp_path):
        loop = self.loop_of(Setting())
        run = self.record(tmp_path / "run", Setting(), loop, budget=0.05)
        for name in declared(loop):
            assert run[name].steps.tolist()[:3] == [1, 2, 3], name

    def test_metrics_of_any_kind_are_recorded_at_the_present_step(self, tmp_path):
        loop = self.loop_of(Setting())
        losses = []
        with watch(loop.model, loop.optimizer, run=tmp_path / "run", budget=None, strict=True) as watching:
            watching.log(before=1)
            for step in range(1, 4):
                loss = loop.step(*batch(step, "float32"))
                watching.log(objective=loss, square=step**2, half=np.float32(step / 2), epoch=step / 3)
                losses.append(float(loss))
                assert watching.step == step
        run = open_run(tmp_path / "run")
        np.testing.assert_allclose(run["objective"].values, losses, rtol=1e-7)
        assert run["objective"].steps.tolist() == [1, 2, 3]
        assert run["square"].values.tolist() == [1, 4, 9]
        assert run["half"].values.tolist() == [0.5, 1.0, 1.5]
        assert run["square"].epochs is not None
        np.testing.assert_allclose(run["square"].epochs, [1 / 3, 2 / 3, 1])
        assert run["before"].steps.tolist() == [0]

    def test_a_metric_that_is_no_single_number_is_left_out_with_one_warning(self, tmp_path):
        loop = self.loop_of(Setting())
        with watch(loop.model, loop.optimizer, run=tmp_path / "run", budget=None) as watching:
            with pytest.warns(RecordingWarning, match="many") as warned:
                watching.log(many=np.zeros(3), one=1.0)
            watching.log(many=np.zeros(3))
            train(loop, Setting(), [1])
        assert len(warned) == 1
        run = open_run(tmp_path / "run")
        assert "many" not in run
        assert len(run["one"]) == 1

    # ------------------------------------------------------------------------------------------- snapshots

    def test_a_snapshot_of_every_step_is_the_weights_after_it(self, tmp_path):
        loop = self.loop_of(Setting(spare=True))
        if Capability.SNAPSHOTS not in adapter_for(loop.model, loop.optimizer).capabilities:
            pytest.skip("the adapter does not declare snapshots")
        weights = [loop.weights()]
        with watch(loop.model, loop.optimizer, run=tmp_path / "run", snapshots=every(1), strict=True):
            for step in range(1, 4):
                loop.step(*batch(step, "float32"))
                weights.append(loop.weights())
        snapshots = open_run(tmp_path / "run").snapshots
        assert snapshots.steps == (0, 1, 2, 3)
        for step, expected in enumerate(weights):
            stored = snapshots.load(step)
            assert sorted(stored) == sorted(loop.names.values())
            for name, array in expected.items():
                tensor = np.asarray(stored[loop.names[name]])
                np.testing.assert_array_equal(tensor if tensor.shape == array.shape else tensor.T, array)

    def test_closing_leaves_model_and_optimizer_as_they_were(self, tmp_path):
        loop = self.loop_of(Setting())
        train(loop, Setting(), [1])
        before = loop.traces()
        with watch(loop.model, loop.optimizer, run=tmp_path / "run", strict=True):
            train(loop, Setting(), [2])
            assert loop.traces() != before
        assert loop.traces() == before
        train(loop, Setting(), [3])
        assert open_run(tmp_path / "run").steps == 1

    def test_a_second_watch_after_the_first_records_its_own_steps(self, tmp_path):
        loop = self.loop_of(Setting())
        for name, steps in (("first", [1, 2]), ("second", [3, 4, 5])):
            with watch(loop.model, loop.optimizer, run=tmp_path / name, budget=None, strict=True):
                train(loop, Setting(), steps)
        whole = self.record(tmp_path / "whole", Setting())
        for name, rows in (("first", slice(0, 2)), ("second", slice(2, 5))):
            run = open_run(tmp_path / name)
            assert run.steps == rows.stop - rows.start
            np.testing.assert_array_equal(run["gradient_norm"].values, whole["gradient_norm"].values[rows])

    @pytest.mark.parametrize("outer_closes_first", [False, True])
    def test_two_watches_at_once_record_the_same_and_leave_no_trace(self, tmp_path, outer_closes_first):
        loop = self.loop_of(Setting())
        before = loop.traces()
        watches = [
            watch(loop.model, loop.optimizer, run=tmp_path / name, budget=None, strict=True) for name in ("a", "b")
        ]
        train(loop, Setting(), [1, 2])
        first, second = reversed(watches) if outer_closes_first else watches
        first.close()
        train(loop, Setting(), [3])
        second.close()
        train(loop, Setting(), [4])
        a, b = (open_run(tmp_path / name) for name in ("a", "b"))
        np.testing.assert_array_equal(a["update_norm"].values[:2], b["update_norm"].values[:2])
        assert sorted((a.steps, b.steps)) == [2, 3]
        assert loop.traces() == before

    def test_closing_twice_is_fine_and_logging_afterwards_warns(self, tmp_path):
        loop = self.loop_of(Setting())
        watching = watch(loop.model, loop.optimizer, run=tmp_path / "run", budget=None, strict=True)
        train(loop, Setting(), [1])
        watching.close()
        watching.close("failed")
        with pytest.warns(RecordingWarning, match="closed"):
            watching.log(late=1.0)
        run = open_run(tmp_path / "run")
        assert run.status == "finished"
        assert "late" not in run

    # ------------------------------------------------------------------------------------------- failing

    @pytest.mark.parametrize(("error", "status"), [(ZeroDivisionError, "failed"), (KeyboardInterrupt, "terminated")])
    def test_an_exception_in_training_goes_through_and_the_run_says_so(self, tmp_path, error, status):
        loop = self.loop_of(Setting())

        def fail_on_the_way() -> None:
            with watch(loop.model, loop.optimizer, run=tmp_path / "run", budget=None, strict=True):
                train(loop, Setting(), [1, 2])
                raise error

        with pytest.raises(error):
            fail_on_the_way()
        run = open_run(tmp_path / "run")
        assert run.status == status
        assert len(run["gradient_norm"]) == 2

    def test_a_recorder_that_fails_warns_once_and_training_goes_on_unchanged(self, tmp_path, monkeypatch):
        setting = Setting(momentum=MOMENTUM)
        bare, watched = self.loop_of(setting), self.loop_of(setting)
        losses = train(bare, setting)
        monkeypatch.setattr(StepSource, "end", _fail)
        watching = watch(watched.model, watched.optimizer, run=tmp_path / "run")
        with pytest.warns(RecordingWarning, match="no space left") as warned:
            assert train(watched, setting) == losses
        watching.close()
        assert len(warned) == 1
        for name, array in bare.weights().items():
            np.testing.assert_array_equal(watched.weights()[name], array, err_msg=name)
        assert open_run(tmp_path / "run").losses.faults >= STEPS

    def test_under_strict_a_recorder_that_fails_raises(self, tmp_path, monkeypatch):
        loop = self.loop_of(Setting())
        monkeypatch.setattr(StepSource, "end", _fail)
        watching = watch(loop.model, loop.optimizer, run=tmp_path / "run", strict=True)
        with pytest.raises(RecordingError, match="no space left"):
            train(loop, Setting(), itertools.repeat(1, 2))
        watching.close("failed")


def _fail(*_: Any, **__: Any) -> None:
    raise OSError("no space left on the device")
