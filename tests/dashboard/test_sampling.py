from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optiscope.dashboard import sampling
from optiscope.dashboard.sampling import Sample, Sampler
from optiscope.dashboard.segment_windows import SegmentWindows
from optiscope.errors import ArgumentError, RunNotFound
from optiscope.runs import Position, Row, RunWriter, Series, open_run
from optiscope.runs.batches import arrow_array, metrics_layout
from optiscope.runs.schema import REQUIRED_TIMELINES
from optiscope.runs.segments import SegmentSet


class Appender:
    """Writes rows of plain numbers by the thousand, as a run's writer would in an hour."""

    def __init__(self, path: Path, names: tuple[str, ...] = ("loss",), *, largest: int = 2**28) -> None:
        if not (path / "run.json").exists():
            RunWriter.create(path).close()
        self.layout = metrics_layout(names, REQUIRED_TIMELINES)
        self.segments = SegmentSet(path, largest=largest)
        self.next_row = 0

    def append(self, *columns: np.ndarray, steps: np.ndarray | None = None, batch: int = 2048) -> None:
        total = len(columns[0])
        rows = np.arange(self.next_row, self.next_row + total, dtype=np.int64)
        steps = rows if steps is None else steps.astype(np.int64)
        schema = self.segments.schema(self.layout)
        for at in range(0, total, batch):
            part = slice(at, at + batch)
            arrays = [rows[part], steps[part], rows[part] * 0.25, *(column[part] for column in columns)]
            made = pa.RecordBatch.from_arrays(list(map(arrow_array, map(np.ascontiguousarray, arrays))), schema=schema)
            self.segments.append(self.segments.segment(self.layout), made)
        self.next_row += total


def assert_true(sample: Sample, series: Series, low: int, high: int, points: int) -> None:
    """`sample` says what a plain look at all rows of `series` with these steps says."""
    inside = np.flatnonzero((series.steps >= low) & (series.steps <= high))
    steps, seconds, values = series.steps[inside], series.seconds[inside], series.values[inside]
    assert len(sample.steps) <= points
    assert sample.rows == len(inside) == sample.bucket_rows.sum()
    assert sample.rows_of_series == len(series)
    assert sample.nans.sum() == np.isnan(values).sum()
    assert sample.positive_infinities.sum() == np.isposinf(values).sum()
    assert sample.negative_infinities.sum() == np.isneginf(values).sum()
    assert sample.is_thinned == (len(sample.steps) < len(inside))
    if len(inside) <= points:
        for ours, theirs in ((sample.steps, steps), (sample.seconds, seconds), (sample.values, values)):
            np.testing.assert_array_equal(ours, theirs)
        return
    assert np.all(np.diff(sample.seconds) > 0)
    ends = np.cumsum(sample.bucket_rows)
    for number, (start, end) in enumerate(zip(ends - sample.bucket_rows, ends, strict=True)):
        bucket = values[start:end]
        finite, broken = np.flatnonzero(np.isfinite(bucket)), np.flatnonzero(~np.isfinite(bucket))
        expected = {0, len(bucket) - 1, *broken[:1].tolist()}
        if len(finite):
            expected |= {int(finite[bucket[finite].argmin()]), int(finite[bucket[finite].argmax()])}
        rows = start + np.array(sorted(expected))
        mine = sample.buckets == number
        np.testing.assert_array_equal(sample.steps[mine], steps[rows])
        np.testing.assert_array_equal(sample.values[mine], values[rows])
        assert (sample.nans[number], sample.positive_infinities[number], sample.negative_infinities[number]) == (
            np.isnan(bucket).sum(),
            np.isposinf(bucket).sum(),
            np.isneginf(bucket).sum(),
        )


SPIKED_ROWS = 10**6


@pytest.fixture(scope="module")
def spiked(tmp_path_factory) -> tuple[Sampler, Series, np.ndarray]:
    """A run of a million rows with 20 spikes of one step, 7 NaN and 3 infinities, and where the spikes are."""
    folder = tmp_path_factory.mktemp("spiked")
    random = np.random.default_rng(11)
    values = random.standard_normal(SPIKED_ROWS)
    places = random.choice(SPIKED_ROWS, 30, replace=False)
    values[places[:20]] = 50.0 + np.arange(20)
    values[places[20:27]], values[places[27:29]], values[places[29]] = np.nan, np.inf, -np.inf
    Appender(folder / "run", largest=2**23).append(values)
    series = open_run(folder / "run")["loss"]
    assert len(list((folder / "run" / "series").iterdir())) > 3
    return Sampler(folder), series, np.sort(places[:20])


def higher_beside(sample, series, spike) -> bool:
    """Whether another of the points in the bucket of this step is higher than the spike there."""
    of = next(
        bucket
        for bucket in np.unique(sample.buckets)
        if sample.steps[sample.buckets == bucket].min() <= spike <= sample.steps[sample.buckets == bucket].max()
    )
    values = sample.values[sample.buckets == of]
    return bool(values[np.isfinite(values)].max() > series.values[spike])


ANY_ZOOM = st.tuples(st.integers(-10, SPIKED_ROWS + 10), st.integers(0, 6), st.floats(1, 10))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(zoom=ANY_ZOOM, points=st.sampled_from([100, 1000, 4000]))
def test_every_spike_is_in_the_answer_at_every_zoom(spiked, zoom, points):
    sampler, series, places = spiked
    low, exponent, factor = zoom
    high = low + int(factor * 10**exponent)
    [sample] = sampler.sample(["run"], ["loss"], (low, high), points)
    assert_true(sample, series, low, high, points)
    for spike in places[(places >= low) & (places <= high)]:
        # Two spikes may share a bucket where there are fewer buckets than spikes: then the higher one stands for both.
        assert spike in sample.steps or higher_beside(sample, series, spike)
    assert sample.steps_of_series == (0, SPIKED_ROWS - 1)


def test_the_whole_series_has_all_spikes_and_every_nan_is_counted(spiked):
    sampler, series, places = spiked
    [sample] = sampler.sample(["run"], ["loss"])
    assert_true(sample, series, 0, SPIKED_ROWS, 4000)
    assert np.count_nonzero(sample.values >= 50) == 22  # and the two infinities
    assert set(places.tolist()) <= set(sample.steps.tolist())
    assert (sample.nans.sum(), sample.positive_infinities.sum(), sample.negative_infinities.sum()) == (7, 2, 1)
    assert 2000 < len(sample.steps) <= 4000


def test_an_open_end_of_the_range_is_the_end_of_the_series(spiked):
    sampler, series, _ = spiked
    for given_range, low, high in (((None, 999), 0, 999), ((999_500, None), 999_500, SPIKED_ROWS), ((7, 7), 7, 7)):
        [sample] = sampler.sample(["run"], ["loss"], given_range)
        assert_true(sample, series, low, high, 4000)


@settings(max_examples=40)
@given(data=st.data(), seed=st.integers(0, 100))
def test_a_growing_series_is_answered_as_if_it_were_read_anew(tmp_path_factory, data, seed):
    folder = tmp_path_factory.mktemp("growing")
    random = np.random.default_rng(seed)
    appender = Appender(folder / "run", largest=data.draw(st.sampled_from([2**12, 2**16, 2**28]), label="largest"))
    sampler = Sampler(folder)
    for size in data.draw(st.lists(st.sampled_from([1, 3, 40, 900, 5000]), min_size=1, max_size=6), label="sizes"):
        values = random.standard_normal(size)
        values[random.random(size) < 0.02] = random.choice([np.nan, np.inf, -np.inf])
        appender.append(values, batch=data.draw(st.sampled_from([1, 7, 2048]), label="batch") if size < 1000 else 500)
        total = appender.next_row
        low = data.draw(st.integers(0, total), label="low")
        high = data.draw(st.integers(low, total), label="high")
        points = data.draw(st.sampled_from([10, 50, 300]), label="points")
        series = open_run(folder / "run")["loss"]
        for wanted in ((low, high), (0, total)):
            [sample] = sampler.sample(["run"], ["loss"], wanted, points)
            assert_true(sample, series, *wanted, points)


def test_appended_rows_are_taken_up_without_reading_the_others_again(tmp_path, monkeypatch):
    appender = Appender(tmp_path / "run")
    appender.append(np.zeros(200_000))
    sampler = Sampler(tmp_path)
    sampler.sample(["run"], ["loss"])
    size = next((tmp_path / "run" / "series").iterdir()).stat().st_size
    starts = []
    original = SegmentWindows.windows

    def watched(self, start, *rest):
        starts.append(start)
        return original(self, start, *rest)

    monkeypatch.setattr(SegmentWindows, "windows", watched)
    appender.append(np.array([1.0, np.nan, 3.0]))
    [sample] = sampler.sample(["run"], ["loss"])
    assert starts == [size]
    assert sample.rows == 200_003
    assert sample.nans.sum() == 1
    assert sample.values[-1] == 3.0
    sampler.sample(["run"], ["loss"])
    assert starts == [size]


def test_a_series_that_is_spread_over_interleaved_segments_is_one(tmp_path):
    random = np.random.default_rng(0)
    with RunWriter.create(tmp_path / "run") as writer:
        for step in range(9000):
            values = {"loss": float(random.standard_normal())}
            if step % 10 == 0:
                values["accuracy"] = step / 9000
            writer.log(Position(step, step * 0.1, epoch=step / 100 if step < 4000 else None), values)
            if step % 1000 == 999:
                writer.flush()
    run = open_run(tmp_path / "run")
    sampler = Sampler(tmp_path)
    # Buckets of several files are no stretches of rows; extremes, counts, order and what is whole still hold.
    [sample] = sampler.sample(["run"], ["loss"], points=400)
    series = run["loss"]
    assert sample.rows == len(series) == sample.bucket_rows.sum()
    assert len(sample.steps) <= 400
    assert np.all(np.diff(sample.steps) > 0)
    np.testing.assert_array_equal(sample.values, series.values[sample.steps])
    assert sample.values.min() == series.values.min()
    assert sample.values.max() == series.values.max()
    np.testing.assert_array_equal(sample.epochs, series.epochs[sample.steps])
    assert sample.samples is None
    for low, high in ((0, 350), (3900, 4100), (1000, 1399)):
        [sample] = sampler.sample(["run"], ["loss"], (low, high), 400)
        assert_true(sample, series, low, high, 400)
    [sample] = sampler.sample(["run"], ["accuracy"], (8000, None))
    assert sample.steps.tolist() == list(range(8000, 9000, 10))


def test_a_resumed_run_that_goes_back_keeps_the_recorded_order(tmp_path):
    appender = Appender(tmp_path / "run")
    steps = np.concatenate([np.arange(30_000), np.arange(20_000, 50_000)])
    values = np.random.default_rng(1).standard_normal(len(steps))
    appender.append(values, steps=steps)
    series = open_run(tmp_path / "run")["loss"]
    sampler = Sampler(tmp_path)
    for low, high in ((0, 60_000), (25_000, 26_000), (10_000, 40_000), (29_999, 29_999)):
        [sample] = sampler.sample(["run"], ["loss"], (low, high))
        assert_true(sample, series, low, high, 4000)


def test_rows_in_no_order_lose_no_extreme(tmp_path):
    appender = Appender(tmp_path / "run")
    steps = np.random.default_rng(1).permutation(20_000)
    values = np.zeros(20_000)
    values[[5, 10_000, 19_999]] = [7.0, -7.0, np.nan]
    appender.append(values, steps=steps)
    sampler = Sampler(tmp_path)
    [whole] = sampler.sample(["run"], ["loss"], points=100)
    assert {7.0, -7.0} <= set(whole.values.tolist())
    assert whole.nans.sum() == 1
    [part] = sampler.sample(["run"], ["loss"], (5000, 14_999), points=100)
    assert part.rows == 10_000


def test_labels_and_rare_metrics_are_sampled_too(tmp_path):
    with RunWriter.create(tmp_path / "run") as writer:
        for step in range(300):
            row = Row(
                source="layers",
                position=Position(step, step * 0.1),
                values={"norm": np.array([step, -step], dtype=np.float32)},
                labels={"norm": ("conv/1", "fc")},
            )
            writer.submit(lambda row=row: [row])
            writer.log(Position(step, step * 0.1), {f"metric {step % 50}": float(step)})
            if step % 20 == 0:
                writer.flush()
    assert any(file.name.startswith("metrics-long") for file in (tmp_path / "run" / "series").iterdir())
    sampler, run = Sampler(tmp_path), open_run(tmp_path / "run")
    names = [f"metric {number}" for number in range(50)]
    samples = sampler.sample(["run"], [*names, "norm/conv/1", "norm/fc", "norm/none", "none"])
    assert [sample.name for sample in samples] == [*names, "norm/conv/1", "norm/fc"]
    for sample in samples[:50]:
        assert_true(sample, run[sample.name], 0, 300, 4000)
    assert samples[50].values.tolist() == list(range(300))
    assert samples[51].values.tolist() == [-step for step in range(300)]
    with pytest.raises(ArgumentError, match="norm/conv/1"):
        sampler.sample(["run"], ["norm"])


def test_a_long_segment_is_zoomed_by_reading_a_part_of_it(tmp_path, monkeypatch):
    with RunWriter.create(tmp_path / "run") as writer:
        for number in range(33):
            writer.log(Position(0, 0.0), {f"set {number}": 0.0})
        for step in range(1, 12_001):
            # Rows of two names alternate in the long segment.
            writer.log(Position(step, step * 0.1), {f"set {32 + step % 2}": float(step)})
            if step % 1500 == 0:
                writer.flush()
    run, sampler = open_run(tmp_path / "run"), Sampler(tmp_path)
    for low, high in ((0, 12_000), (3000, 3100), (11_990, 12_000), (1499, 1502), (2000, 9000)):
        for sample in sampler.sample(["run"], ["set 32", "set 33"], (low, high), 100):
            assert_true(sample, run[sample.name], low, high, 100)


def test_several_runs_and_names_come_in_one_call_and_what_is_missing_is_left_out(tmp_path):
    for run, names in (("a", ("loss", "x")), ("b", ("loss",))):
        Appender(tmp_path / run, names).append(*(np.arange(100.0) for _ in names))
    samples = Sampler(tmp_path).sample(["b", "a", "b"], ["x", "loss", "x"])
    assert [(sample.run_name, sample.name) for sample in samples] == [("b", "loss"), ("a", "x"), ("a", "loss")]


def test_a_segment_cut_at_any_byte_gives_the_rows_before_the_cut_and_goes_on_when_it_is_whole(tmp_path):
    appender = Appender(tmp_path / "run")
    appender.append(np.arange(60.0), batch=10)
    [path] = (tmp_path / "run" / "series").iterdir()
    content = path.read_bytes()
    sampler = Sampler(tmp_path)
    counts = set()
    for cut in range(0, len(content) + 1, 13):
        path.write_bytes(content[:cut])
        samples = sampler.sample(["run"], ["loss"])
        values = samples[0].values.tolist() if samples else []
        assert values == list(range(len(values)))
        counts.add(len(values))
    assert counts == {0, 10, 20, 30, 40, 50}
    path.write_bytes(content)
    assert sampler.sample(["run"], ["loss"])[0].rows == 60
    path.write_bytes(content[: len(content) // 2])
    assert sampler.sample(["run"], ["loss"])[0].rows < 60
    path.write_bytes(content + b"garbage that is longer than the beginning of a batch")
    assert sampler.sample(["run"], ["loss"])[0].rows == 60


def test_a_series_without_rows_has_no_points(tmp_path):
    Appender(tmp_path / "run").append(np.arange(10.0))
    [path] = (tmp_path / "run" / "series").iterdir()
    path.write_bytes(path.read_bytes()[:-30])
    [sample] = Sampler(tmp_path).sample(["run"], ["loss"])
    assert (len(sample.steps), len(sample.bucket_rows), sample.rows, sample.steps_of_series) == (0, 0, 0, None)
    assert not sample.is_thinned
    [sample] = Sampler(tmp_path).sample(["run"], ["loss"], (5, 6))
    assert sample.rows == 0


def test_one_point_is_one_point(tmp_path):
    Appender(tmp_path / "run").append(np.array([np.nan]))
    [sample] = Sampler(tmp_path).sample(["run"], ["loss"])
    assert sample.steps.tolist() == [0]
    assert sample.nans.tolist() == [1]
    assert not sample.is_thinned


def test_another_run_in_the_same_folder_is_read_anew(tmp_path):
    sampler = Sampler(tmp_path)
    for value in (1.0, 2.0):
        with RunWriter.create(tmp_path / "run", overwrite=True) as writer:
            for step in range(100):
                writer.log(Position(step, step * 0.1), {"loss": value})
        assert set(sampler.sample(["run"], ["loss"])[0].values.tolist()) == {value}


def test_a_run_that_went_away_is_said_and_no_name_leads_out_of_the_folder(tmp_path):
    folder = tmp_path / "runs"
    Appender(folder / "run").append(np.arange(10.0))
    Appender(tmp_path / "outside").append(np.arange(10.0))
    (folder / "link").symlink_to(tmp_path / "outside", target_is_directory=True)
    sampler = Sampler(folder)
    for name in ("none", "../outside", "link", "", ".", "..", str(tmp_path / "outside"), "a\0b"):
        with pytest.raises(RunNotFound):
            sampler.sample([name], ["loss"])
    assert sampler.sample(["run"], ["loss"])[0].rows == 10
    (folder / "run").rename(tmp_path / "moved")
    with pytest.raises(RunNotFound):
        sampler.sample(["run"], ["loss"])


@pytest.mark.parametrize("points", [0, 9, 100_001])
def test_a_number_of_points_that_cannot_be_is_refused(tmp_path, points):
    with pytest.raises(ArgumentError, match=f"Received: points={points}"):
        Sampler(tmp_path).sample([], [], points=points)


def test_a_range_of_steps_the_wrong_way_round_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="smaller to a larger"):
        Sampler(tmp_path).sample([], [], (5, 4))


def test_memory_for_buckets_is_bounded_and_what_was_forgotten_is_read_again(tmp_path):
    names = tuple(f"m{number}" for number in range(100))
    Appender(tmp_path / "run", names).append(*(np.arange(4000.0) + number for number in range(100)))
    sampler = Sampler(tmp_path, cache_bytes=10**6)
    for _ in range(2):
        for sample in sampler.sample(["run"], names, points=1000):
            assert sample.values[0] == int(sample.name[1:])
            assert sample.values[-1] == 3999 + int(sample.name[1:])
        assert 0 < sampler._parts.bytes <= 10**6


_MEASURE = """
import resource, sys
from optiscope.dashboard.sampling import Sampler
sampler = Sampler(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
[sample] = sampler.sample(["run"], ["loss"])
[zoomed] = sampler.sample(["run"], ["loss"], (1_000_000, 1_200_000))
assert (sample.rows, zoomed.rows) == (6_000_000, 200_001)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of the peak memory differs between systems")
def test_a_long_series_takes_the_memory_of_a_window_and_not_of_the_file(tmp_path):
    appender = Appender(tmp_path / "run")
    for _ in range(6):
        appender.append(np.random.default_rng(0).standard_normal(10**6))
    size = sum(file.stat().st_size for file in (tmp_path / "run" / "series").iterdir())
    command = [sys.executable, "-c", _MEASURE, str(tmp_path)]
    measured = subprocess.run(command, capture_output=True, text=True, check=False)
    assert measured.returncode == 0, measured.stderr
    assert size > 190e6
    assert int(measured.stdout) * 1024 < 90e6


def test_rows_are_read_again_only_as_far_as_they_fit(spiked, monkeypatch):
    sampler, series, _ = spiked
    monkeypatch.setattr(sampling, "_MOST_RAW_ROWS", 5000)
    [sample] = sampler.sample(["run"], ["loss"], (300_000, 320_000))
    assert sample.rows == 20_001
    assert len(sample.bucket_rows) < 100
    assert_true(sample, series, 300_000, 320_000, 4000)


def test_threads_that_ask_at_once_get_what_one_gets(tmp_path):
    appender = Appender(tmp_path / "run", ("a", "b", "c"))
    appender.append(*(np.random.default_rng(number).standard_normal(50_000) for number in range(3)))
    alone = Sampler(tmp_path).sample(["run"], ["a", "b", "c"])
    sampler, answers = Sampler(tmp_path, cache_bytes=300_000), []
    threads = [
        threading.Thread(target=lambda: answers.append(sampler.sample(["run"], ["c", "a", "b"]))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6
    for answer in answers:
        for sample, expected in zip(sorted(answer, key=lambda each: each.name), alone, strict=True):
            np.testing.assert_array_equal(sample.values, expected.values)
            np.testing.assert_array_equal(sample.steps, expected.steps)
