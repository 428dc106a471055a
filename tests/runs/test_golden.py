"""A run that was written with the first version of the format. It must stay readable for ever: never regenerate it."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from optiscope.recording.bins import edges
from optiscope.runs import Run, RunWriter, open_run, runs

GOLDEN = Path(__file__).parent.parent / "golden" / "run-v1"


@pytest.fixture(scope="module")
def run() -> Run:
    return open_run(GOLDEN)


def test_the_golden_run_says_what_it_was(run):
    assert (run.name, run.status, run.steps, run.seconds, run.seed) == ("run-v1", "finished", 4, 1.0, 1234)
    assert run.config == {"lr": 0.001, "batch": 64, "clip": "Infinity"}
    assert (run.tags, run.note) == (("golden", "best"), "Read for ever.")
    assert run.model["name"] == "LeNet"
    assert run.optimizer["groups"][0]["hyperparameters"] == {"lr": 0.001}
    assert run.environment == {"python": "3.11"}
    assert run.overhead == {"fraction": 0.0125, "budget": 0.05}
    assert run.started.isoformat().startswith("2026-11-21T12:")
    assert [(event.kind, event.step, event.message) for event in run.events] == [
        ("start", 0, "Recording began."),
        ("note", 2, "half way"),
        ("stop", 4, "Recording ended: finished."),
    ]
    assert run.events[1].details == {"learning_rate": 0.001}


def test_the_golden_metrics_have_their_exact_values(run):
    loss = run["loss"]
    assert loss.steps.tolist() == [0, 1, 2, 3, 3]
    assert loss.seconds.tolist() == [0.0, 0.25, 0.5, 0.75, 0.75]
    np.testing.assert_array_equal(loss.values, [2.5, 1.25, math.nan, math.inf, -0.0])
    assert math.copysign(1, loss.values[4]) == -1
    np.testing.assert_array_equal(loss.epochs, [math.nan, math.nan, 0.5, 1.0, math.nan])
    np.testing.assert_array_equal(loss.samples, [math.nan, math.nan, 128, 192, math.nan])
    assert run["accuracy"].values.tolist() == [0.5, 1.0]
    assert run["rare 39"].values.tolist() == [39.0]
    assert run["rare 39"].steps.tolist() == [4]


def test_the_golden_layers_have_their_exact_values(run):
    norms = run["gradient_norm"]
    assert norms.labels == ("conv.weight", "fc.weight", "head.weight")
    assert norms.values.dtype == np.float32
    nan = math.nan
    np.testing.assert_array_equal(norms.values, [[1.5, nan, nan], [2.5, nan, nan], [3.5, nan, 7.0]])
    assert run["gradient_norm/global"].values.tolist() == [1.0, 2.0, 3.0]


def test_the_golden_histogram_has_its_exact_counts(run):
    weights = run.histograms("weights")
    assert weights.labels == ("fc.weight",)
    assert {int(index): int(weights.counts[0, 0, index]) for index in np.flatnonzero(weights.counts[0, 0])} == {
        0: 1,
        128: 3,
    }
    assert weights.nonfinite.tolist() == [[2]]
    np.testing.assert_array_equal(weights.edges, edges())


def test_the_golden_snapshots_have_their_exact_values(run):
    assert run.snapshots.steps == (0, 3)
    assert run.snapshots.load(0)["fc.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert run.snapshots.load(3)["phase"].tolist() == [1 + 2j]
    assert run.snapshots.header(0).dtypes == {"fc.weight": "bfloat16"}


def test_the_golden_run_says_what_it_lost(run):
    assert run.losses.torn_segments == ("series/layers-1.arrows",)
    assert run.losses.bytes_lost == 6


def test_the_golden_run_is_in_the_catalogue_of_its_folder():
    assert runs(GOLDEN.parent)["run-v1"].last["loss"] == 0.0


def test_the_golden_run_can_be_gone_on_with(tmp_path):
    shutil.copytree(GOLDEN, tmp_path / "run")
    with RunWriter.create(tmp_path / "run", resume=True) as writer:
        assert writer.resumed_from is not None
        assert (writer.resumed_from.step, writer.resumed_from.seconds) == (4, 1.0)
    assert len(open_run(tmp_path / "run")["loss"]) == 5
