from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from optiscope.errors import RunExists
from optiscope.experiments.demo import QUICK, TAG, DemoProgress, DemoSettings, run_demo
from optiscope.experiments.demo_arms import ARMS
from optiscope.runs import Position, RunWriter, open_run
from tests.optional_parts import require

pytestmark = pytest.mark.slow

require("torch", "sklearn")

TINY = replace(QUICK, epochs=1, evaluate_every=14, seeds=(0, 1), arms=ARMS[:2])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a tiny demo has run once."""
    folder = tmp_path_factory.mktemp("demo") / "runs"
    run_demo(folder, TINY)
    return folder


def test_the_demo_trains_five_optimizers_with_two_seeds_each() -> None:
    names = DemoSettings().names()
    assert len(names) == 10
    assert {name.partition("-")[0] for name in names} == {"sgd", "momentum", "adagrad", "rmsprop", "adam"}
    assert QUICK.names() == names


def test_each_run_is_recorded_with_its_settings_and_its_timelines(folder: Path) -> None:
    run = open_run(folder / "momentum-seed1")
    assert run.status == "finished"
    assert run.steps == 42
    assert run.seed == 1
    assert run.tags == (TAG,)
    assert run.config["learning_rate"] == 0.03
    assert run.config["momentum"] == 0.9
    assert run.model["name"] == "LeNet"
    loss = run["loss"]
    np.testing.assert_array_equal(loss.steps, np.arange(1, 43))
    np.testing.assert_allclose(loss.timeline("epoch").astype(float), np.arange(1, 43) / 42)
    np.testing.assert_array_equal(loss.timeline("samples"), 32 * np.arange(1, 43))
    np.testing.assert_array_equal(run["test_accuracy"].steps, [14, 28, 42])
    assert run.snapshots.steps == (0, 25, 42)
    assert run.overhead["fraction"] > 0


def test_all_optimizers_of_a_seed_start_from_the_same_weights_and_the_same_batch(folder: Path) -> None:
    sgd, momentum, other = (open_run(folder / name) for name in ("sgd-seed0", "momentum-seed0", "sgd-seed1"))
    start, twin = sgd.snapshots.load(0), momentum.snapshots.load(0)
    assert all(np.array_equal(start[name], twin[name]) for name in start)
    assert not np.array_equal(start["fc1.weight"], other.snapshots.load(0)["fc1.weight"])
    assert sgd["loss"].values[0] == momentum["loss"].values[0] != other["loss"].values[0]


def test_the_result_is_read_back_from_the_runs_and_summed_up_over_seeds(tmp_path: Path) -> None:
    seen: list[DemoProgress] = []
    result = run_demo(tmp_path / "runs", replace(TINY, arms=ARMS[4:]), on_progress=seen.append)
    assert [run.name for run in result.runs] == ["adam-seed0", "adam-seed1"]
    assert not result.interrupted
    first = result.runs[0]
    assert first.final_loss == pytest.approx(float(open_run(first.path)["loss"].values[-2:].mean()))
    assert 0.1 < first.test_accuracy <= 1.0
    (summary,) = result.summaries()
    assert summary.optimizer == "Adam"
    assert summary.final_loss == pytest.approx(np.mean([run.final_loss for run in result.runs]))
    assert [(each.run_index, each.step) for each in seen] == [(run, step) for run in (0, 1) for step in range(1, 43)]
    assert seen[-1].test_accuracy == result.runs[-1].test_accuracy


def test_the_demo_replaces_its_own_runs_and_leaves_other_things_alone(tmp_path: Path) -> None:
    short = replace(TINY, arms=ARMS[:1], seeds=(0,))
    assert run_demo(tmp_path, short).replaced == ()
    (tmp_path / "notes.txt").write_text("mine")
    RunWriter.create(tmp_path / "my-run").close()
    again = run_demo(tmp_path, short)
    assert again.replaced == ("sgd-seed0",)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my-run", "notes.txt", "sgd-seed0"]


def test_a_run_that_is_not_the_demos_is_in_the_way_and_nothing_is_removed(tmp_path: Path) -> None:
    short = replace(TINY, arms=ARMS[:2], seeds=(0,))
    run_demo(tmp_path, replace(short, arms=ARMS[:1]))
    with RunWriter.create(tmp_path / "momentum-seed0") as writer:
        writer.log(Position(step=1, seconds=0.0), {"loss": 1.0})
    with pytest.raises(RunExists, match="was not written by the demo"):
        run_demo(tmp_path, short)
    assert open_run(tmp_path / "sgd-seed0").steps == 42
    assert open_run(tmp_path / "momentum-seed0").steps == 1


def test_ctrl_c_keeps_what_is_finished(tmp_path: Path) -> None:
    def interrupt(progress: DemoProgress) -> None:
        if progress.run_index == 1 and progress.step == 5:
            raise KeyboardInterrupt

    result = run_demo(tmp_path, TINY, on_progress=interrupt)
    assert result.interrupted
    assert [run.name for run in result.runs] == ["sgd-seed0"]
    assert open_run(tmp_path / "sgd-seed0").status == "finished"
    assert open_run(tmp_path / "sgd-seed1").status == "terminated"
    assert run_demo(tmp_path, replace(TINY, arms=ARMS[:1])).replaced == ("sgd-seed0", "sgd-seed1")


def test_the_demo_leaves_the_random_state_and_the_threads_of_pytorch_as_they_were(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    threads = torch.get_num_threads()
    run_demo(tmp_path, replace(TINY, arms=ARMS[4:], seeds=(0,)))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_training_in_the_demo_is_the_same_every_time(folder: Path, tmp_path: Path) -> None:
    run_demo(tmp_path, replace(TINY, arms=ARMS[:1], seeds=(0,)))
    again, before = open_run(tmp_path / "sgd-seed0"), open_run(folder / "sgd-seed0")
    np.testing.assert_array_equal(again["loss"].values, before["loss"].values)


@pytest.mark.slow
def test_every_optimizer_reaches_ninety_percent_in_the_quick_demo(tmp_path: Path) -> None:
    result = run_demo(tmp_path, QUICK)
    assert all(run.steps_to_target is not None for run in result.runs)
    assert min(run.test_accuracy for run in result.runs) > 0.9
