"""A watch from its arguments to its end: what it refuses, what it leaves behind, and what never stops a training."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

from tests.optional_parts import require

require("torch")

import torch  # noqa: E402
from torch import nn  # noqa: E402

import optiscope as osc  # noqa: E402
from optiscope.errors import ArgumentError, RecordingWarning, UnknownName  # noqa: E402
from tests.frameworks.pytorch.training import everything, flat, small_batch, small_network, steps_of_ones  # noqa: E402


def test_measurements_go_on_after_the_disk_has_stood_still(tmp_path, monkeypatch):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with osc.watch(model, optimizer, run=tmp_path / "run", budget=None) as watch:
        steps_of_ones(model, optimizer, 3)
        submit = watch._recorder.writer.submit
        watch.flush()
        monkeypatch.setattr(watch._recorder.writer, "submit", lambda job: False)
        steps_of_ones(model, optimizer, 3)
        monkeypatch.setattr(watch._recorder.writer, "submit", submit)
        steps_of_ones(model, optimizer, 3)
    assert watch.open_run()["gradient_norm"].steps.tolist() == list(range(1, 10))


def test_a_wrong_argument_leaves_no_run_behind(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for wrong in ({"budget": -1}, {"snapshot_bytes": -1}, {"tags": "abc"}, {"histograms": 3}):
        with pytest.raises(ArgumentError):
            osc.watch(model, optimizer, run=tmp_path / "run", **wrong)
    assert not (tmp_path / "run").exists()
    osc.watch(model, optimizer, run=tmp_path / "run").close()


def test_two_watches_in_one_second_get_runs_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = set()
    for _ in range(2):
        model = small_network()
        with osc.watch(model, torch.optim.SGD(model.parameters(), lr=0.1)) as watch:
            paths.add(watch.path)
    assert len(paths) == 2


def test_the_run_is_closed_although_detaching_fails(tmp_path, monkeypatch):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch = everything(tmp_path / "run", model, optimizer)

    def fail():
        raise RuntimeError("boom")

    monkeypatch.setattr(watch._adapter, "detach", fail)
    with pytest.raises(osc.errors.RecordingError, match="boom"):
        watch.close()
    assert osc.open_run(tmp_path / "run").status == "finished"


def test_a_metric_that_turns_nan_is_noted_and_makes_the_next_step_measured(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with osc.watch(model, optimizer, run=tmp_path / "run", budget=1e-6, strict=True) as watch:
        for step in range(60):
            steps_of_ones(model, optimizer, 1)
            watch.log(loss=torch.tensor(float("nan") if step >= 40 else 1.0), other=2)
    run = watch.open_run()
    assert 42 in run["gradient_norm"].steps
    assert [(event.kind, event.step) for event in run.events if "nonfinite" in event.kind] == [("nonfinite-metric", 41)]


def test_metrics_come_as_a_mapping_too_and_what_is_none_never_stops_training(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with osc.watch(model, optimizer, run=tmp_path / "run") as watch:
        steps_of_ones(model, optimizer, 1)
        watch.log({"val/loss": 0.5}, loss=1.0)
        with pytest.warns(RecordingWarning, match="log takes names"):
            watch.log(3.0)
    run = watch.open_run()
    assert run["val/loss"].values.tolist() == [0.5]
    assert run["loss"].values.tolist() == [1.0]


def test_a_metric_with_the_name_of_a_measured_series_does_not_hide_it(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with osc.watch(model, optimizer, run=tmp_path / "run") as watch:
        steps_of_ones(model, optimizer, 2)
        with pytest.warns(RecordingWarning, match="'logged/learning_rate'"):
            watch.log(learning_rate=7.0)
    run = watch.open_run()
    assert run["logged/learning_rate"].values.tolist() == [7.0]
    assert run["learning_rate"].values[0, 0] == 0.1


def test_what_is_logged_after_closing_is_refused_with_one_warning(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with osc.watch(model, optimizer, run=tmp_path / "run") as watch:
        steps_of_ones(model, optimizer, 1)
    with pytest.warns(RecordingWarning, match="closed"):
        watch.log(loss=1.0)
    watch.log(loss=1.0)


def test_an_optimizer_that_never_steps_is_said_at_the_end(tmp_path):
    model = small_network()
    watch = osc.watch(model, torch.optim.SGD(model.parameters(), lr=0.1), run=tmp_path / "run")
    steps_of_ones(model, torch.optim.SGD(model.parameters(), lr=0.1), 2)
    watch.log(loss=1.0)
    with pytest.warns(RecordingWarning, match="took no step"):
        watch.close()


def test_a_run_of_another_model_is_not_resumed(tmp_path):
    for model in (nn.Linear(3, 1), nn.Linear(7, 2)):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        if model.in_features == 7:
            with pytest.raises(ArgumentError, match="of another model"):
                osc.watch(model, optimizer, run=tmp_path / "run", resume=True)
        else:
            with osc.watch(model, optimizer, run=tmp_path / "run"):
                steps_of_ones(model, optimizer, 2)
    assert osc.open_run(tmp_path / "run").steps == 2


def test_the_model_can_be_copied_pickled_and_saved_while_it_is_watched(tmp_path):
    model = small_network()
    optimizer = torch.optim.Adam(model.parameters())
    x, y = small_batch()
    with everything(tmp_path / "run", model, optimizer, raw_gradients=True):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        twin = copy.deepcopy(model)
        again = pickle.loads(pickle.dumps(model))
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, io.BytesIO())
        copy.deepcopy(optimizer)
    for other in (twin, again):
        assert torch.equal(other[0].weight, model[0].weight)


def test_nothing_is_left_on_model_and_optimizer_after_closing(tmp_path):
    model = small_network()
    optimizer = torch.optim.Adam(model.parameters())
    watch = everything(tmp_path / "run", model, optimizer, raw_gradients=True)
    watch.close()
    watch.close()
    assert not optimizer._optimizer_step_pre_hooks
    assert not optimizer._optimizer_step_post_hooks
    assert not any(parameter._post_accumulate_grad_hooks for parameter in model.parameters())


def test_an_optimizer_of_another_model_is_refused_before_training(tmp_path):
    with pytest.raises(ArgumentError, match="holds none of the model's parameters"):
        osc.watch(small_network(), torch.optim.SGD(small_network().parameters(), lr=0.1), run=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_no_optimizer_is_refused_with_the_valid_choices(tmp_path):
    with pytest.raises(ArgumentError, match=r"Received: builtins\.str"):
        osc.watch(small_network(), "adam", run=tmp_path / "run")
    with pytest.raises(ArgumentError, match=r"goes with a torch\.nn\.Module"):
        osc.watch("model", torch.optim.SGD(small_network().parameters(), lr=0.1), run=tmp_path / "run")


def test_a_misspelt_quantity_is_named_with_its_nearest(tmp_path):
    model = small_network()
    with pytest.raises(UnknownName, match="Did you mean 'gradient_norm'"):
        osc.watch(model, torch.optim.SGD(model.parameters(), lr=0.1), run=tmp_path / "r", quantities=["gradiant_norm"])


def test_a_metric_that_is_no_number_is_left_out_with_one_warning_and_training_goes_on(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with osc.watch(model, optimizer, run=tmp_path / "run") as watch:
            for step in range(3):
                optimizer.step()
                watch.log(
                    loss=torch.tensor(float(step)), logits=torch.zeros(3), name="x", ok=np.float32(step), flag=True
                )
    assert len([w for w in caught if issubclass(w.category, RecordingWarning)]) == 2
    run = watch.open_run()
    assert run["loss"].values.tolist() == [0, 1, 2]
    assert run["ok"].values.tolist() == [0, 1, 2]
    assert "logits" not in run


def test_a_failure_inside_the_recorder_warns_once_is_counted_and_training_goes_on(tmp_path, monkeypatch):
    from optiscope.frameworks.pytorch.small import SmallTensors

    def fail(*_):
        raise RuntimeError("boom")

    monkeypatch.setattr(SmallTensors, "weight_sums", fail)
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    start = flat(model.parameters())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with osc.watch(model, optimizer, run=tmp_path / "run", budget=None) as watch:
            for _ in range(5):
                for parameter in model.parameters():
                    parameter.grad = torch.ones_like(parameter)
                optimizer.step()
    ours = [w for w in caught if issubclass(w.category, RecordingWarning)]
    assert len(ours) == 1
    assert "boom" in str(ours[0].message)
    np.testing.assert_allclose(flat(model.parameters()), start - 0.5, rtol=1e-5)
    assert watch.open_run().status == "finished"


def test_an_exception_in_the_loop_marks_the_run_failed_and_says_why(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def train():
        with osc.watch(model, optimizer, run=tmp_path / "run") as watch:
            watch.log(loss=1.0)
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        train()
    run = osc.open_run(tmp_path / "run")
    assert run.status == "failed"
    assert any("ZeroDivisionError" in event.message for event in run.events)
    assert run["loss"].values.tolist() == [1.0]


def test_an_interrupted_run_is_resumed_where_it_stopped(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def train(steps, **options):
        with osc.watch(model, optimizer, run=tmp_path / "run", budget=None, strict=True, **options) as watch:
            for _ in range(steps):
                for parameter in model.parameters():
                    parameter.grad = torch.ones_like(parameter)
                optimizer.step()
                watch.log(loss=1.0)
        return watch.open_run()

    train(3)
    run = train(2, resume=True)
    assert run["gradient_norm"].steps.tolist() == [1, 2, 3, 4, 5]
    assert run["loss"].steps.tolist() == [1, 2, 3, 4, 5]
    assert (np.diff(run["loss"].seconds) > 0).all()


def test_epoch_and_samples_become_timelines(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with everything(tmp_path / "run", model, optimizer) as watch:
        for step in range(4):
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
            optimizer.step()
            watch.log(loss=float(step), epoch=step // 2, samples=16 * (step + 1))
    run = watch.open_run()
    assert run["loss"].timeline("epoch").tolist() == [0, 0, 1, 1]
    assert run["loss"].timeline("samples").tolist() == [16, 32, 48, 64]
    assert run["loss"].timeline("step").tolist() == [1, 2, 3, 4]


UNCLOSED = """
import sys, torch, optiscope as osc
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
watch = osc.watch(model, optimizer, run=sys.argv[1], budget=None, snapshots=osc.at(0))
for _ in range(5):
    optimizer.zero_grad()
    loss = model(torch.ones(3, 2)).square().mean()
    loss.backward()
    optimizer.step()
    watch.log(loss=loss)
"""


@pytest.mark.slow
def test_a_script_that_never_closes_its_watch_leaves_a_whole_run(tmp_path):
    subprocess.run([sys.executable, "-c", UNCLOSED, tmp_path / "run"], check=True, timeout=60)
    run = osc.open_run(tmp_path / "run")
    assert run.status == "finished"
    assert len(run["loss"]) == 5
    assert run.snapshots.steps == (0, 5)
    assert run.overhead["fraction"] > 0
    assert not run.losses
