from __future__ import annotations

from collections.abc import Mapping

import pytest

from optiscope.runs import Run
from tests.figures.sample_runs import train


@pytest.fixture(scope="session")
def samples(tmp_path_factory) -> Mapping[str, Run]:
    """Five runs: two seeds of Adam, one of SGD, one whose gradients become NaN, one that was hardly measured."""
    folder = tmp_path_factory.mktemp("samples")
    return {
        "adam-0": train(folder / "adam-0", seed=0),
        "adam-1": train(folder / "adam-1", seed=1),
        "sgd-0": train(folder / "sgd-0", optimizer="sgd", seed=0),
        "poisoned": train(folder / "poisoned", seed=7, poison=70),
        "bare": train(folder / "bare", seed=3, steps=30, measured=False, snapshots=1000, status="failed"),
    }


@pytest.fixture
def adam(samples) -> Run:
    return samples["adam-0"]


@pytest.fixture
def poisoned(samples) -> Run:
    return samples["poisoned"]


@pytest.fixture
def several(samples) -> list[Run]:
    return [samples["adam-0"], samples["adam-1"], samples["sgd-0"]]
