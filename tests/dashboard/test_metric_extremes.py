from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from optiscope.dashboard import metric_extremes
from optiscope.dashboard.metric_extremes import MetricExtremes, best_values, larger_is_better
from optiscope.runs import Position, Row, RunWriter, open_run


def segments(run: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_ino, path.stat().st_size) for path in sorted((run / "series").iterdir())}


def by_brute_force(run: Path) -> dict[str, tuple[float, int, float, int]]:
    expected = {}
    for series in (open_run(run)[name] for name in open_run(run).last):
        finite = np.isfinite(series.values)
        if finite.any():
            steps, values = series.steps[finite], series.values[finite]
            low, high = values.argmin(), values.argmax()
            expected[series.name] = (values[low], steps[low], values[high], steps[high])
    return expected


def found_in(extremes: MetricExtremes) -> dict[str, tuple[float, int, float, int]]:
    return {name: (e.low, e.low_step, e.high, e.high_step) for name, e in extremes.found.items()}


@pytest.fixture
def rows() -> list[dict[str, float]]:
    random = np.random.default_rng(3)
    return [
        {"loss": math.nan if step % 7 == 0 else float(random.normal()), "always nan": math.nan, "up": math.inf}
        | ({"accuracy": float(random.random())} if step % 3 == 0 else {})
        for step in range(500)
    ]


@pytest.mark.parametrize("piece", [64, 1000, 4 * 2**20])
def test_extremes_are_those_of_the_whole_series(tmp_path, rows, piece, monkeypatch):
    monkeypatch.setattr(metric_extremes, "PIECE", piece)
    with RunWriter.create(tmp_path / "run") as writer:
        for step, values in enumerate(rows):
            writer.log(Position(step, step * 0.1), values)
            if step % 20 == 0:
                writer.flush()
    extremes = MetricExtremes()
    assert extremes.update(segments(tmp_path / "run"))
    assert found_in(extremes) == by_brute_force(tmp_path / "run")
    assert set(extremes.found) == {"loss", "accuracy"}


def test_metrics_in_many_combinations_and_layers_are_told_apart(tmp_path):
    with RunWriter.create(tmp_path / "run") as writer:
        for step in range(120):
            writer.log(Position(step, step * 0.1), {"loss": math.sin(step), f"metric {step % 50}": step})
        layers = Row(source="layers", position=Position(3, 1.0), values={"norm": 1e9}, labels={})
        writer.submit(lambda: [layers])
    extremes = MetricExtremes()
    extremes.update(segments(tmp_path / "run"))
    assert found_in(extremes) == by_brute_force(tmp_path / "run")
    assert len(extremes.found) == 51


def test_only_what_is_appended_is_read(tmp_path, monkeypatch):
    read = []
    original = metric_extremes._news

    def counting(file, segment):
        began = segment.offset
        yield from original(file, segment)
        read.append(segment.offset - began)

    monkeypatch.setattr(metric_extremes, "_news", counting)
    extremes = MetricExtremes()
    with RunWriter.create(tmp_path / "run") as writer:
        for step in range(1000):
            writer.log(Position(step, step * 0.1), {"loss": 5.0})
        writer.flush()
        assert extremes.update(segments(tmp_path / "run"))
        assert not extremes.update(segments(tmp_path / "run"))
        writer.log(Position(1000, 100.0), {"loss": 4.0})
        writer.flush()
        assert extremes.update(segments(tmp_path / "run"))
    assert read[0] > 20_000
    assert 0 < read[-1] < 1000
    assert found_in(extremes)["loss"] == (4.0, 1000, 5.0, 0)


def test_a_torn_tail_is_left_out_until_it_is_whole(tmp_path):
    with RunWriter.create(tmp_path / "run") as writer:
        for step in range(3):
            writer.log(Position(step, step * 0.1), {"loss": 3.0 - step})
            writer.flush()
    [path] = (tmp_path / "run" / "series").iterdir()
    whole = path.read_bytes()
    extremes = MetricExtremes()
    for end in range(0, len(whole) + 1, 8):
        path.write_bytes(whole[:end])
        extremes.update(segments(tmp_path / "run"))
    assert found_in(extremes)["loss"] == (1.0, 2, 3.0, 0)


def test_a_segment_that_was_replaced_begins_anew(tmp_path):
    extremes = MetricExtremes()
    for loss in (1.0, 2.0):
        with RunWriter.create(tmp_path / "run", overwrite=loss > 1) as writer:
            for step in range(int(4 / loss)):
                writer.log(Position(step, step * 0.1), {"loss": loss})
        extremes.update(segments(tmp_path / "run"))
        assert found_in(extremes)["loss"] == (loss, 0, loss, 0)
    assert extremes.update({})
    assert not extremes.found


@pytest.mark.parametrize("content", [b"", b"\xff", b"\xff\xff\xff\xff\xff\xff\xff\x7f", b"garbage " * 1000, b"\0" * 99])
def test_files_that_are_no_segments_say_nothing(tmp_path, content):
    path = tmp_path / "metrics-0.arrows"
    path.write_bytes(content)
    extremes = MetricExtremes()
    assert not extremes.update({path: (1, len(content))})
    assert not MetricExtremes().update({tmp_path / "gone.arrows": (1, 8)})
    assert not extremes.found


def test_best_is_the_largest_for_an_accuracy_and_the_smallest_for_a_loss():
    for name in ("accuracy", "test_accuracy", "val/F1", "top5-acc", "mean reward", "R2"):
        assert larger_is_better(name), name
    for name in ("loss", "val_loss", "precision_loss", "error", "perplexity", "mae", "accumulated", "scores_nll"):
        assert not larger_is_better(name), name
    found = {name: metric_extremes.Extremes(1.0, 10, 2.0, 20) for name in ("loss", "accuracy")}
    assert best_values(found, ["accuracy", "loss", "other"]) == {"accuracy": (2.0, 20), "loss": (1.0, 10)}
