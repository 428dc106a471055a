from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from optiscope.rendering.report.statements import statements
from optiscope.runs import Position, Row, Run, RunWriter, open_run
from tests.figures.sample_runs import train


def texts(run: Run, *kinds: str) -> list[str]:
    return [each.text for each in statements(run) if not kinds or each.kind in kinds]


def a_run(path: Path, rows: list[dict[str, float]], *, status: str = "finished", **described: object) -> Run:
    with RunWriter.create(path) as writer:
        for step, values in enumerate(rows, start=1):
            writer.log(Position(step=step, seconds=step / 10), values)
        writer.describe(**described)
        writer.close(status)
    return open_run(path)


def layers(path: Path, name: str, table: list[list[float]], labels: tuple[str, ...]) -> Run:
    with RunWriter.create(path) as writer:
        for step, values in enumerate(table, start=1):
            row = Row(
                source="layers",
                position=Position(step=step, seconds=step / 10),
                values={name: np.array(values)},
                labels={name: labels},
            )
            writer.submit(partial(list, [row]))
        writer.close()
    return open_run(path)


def test_the_first_sentence_says_what_was_trained_how_and_how_long(tmp_path: Path) -> None:
    first = texts(train(tmp_path / "adam"))[0]
    assert first == (
        "rings (NumPy, 205 parameters) was trained with adam (learning rate 0.02) for 120 steps "
        "(9.6 epochs and 3,840 samples) in 0.48 s."
    )


def test_a_metric_is_described_by_where_it_began_and_ended_and_its_extremes(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run", [{"loss": value} for value in (2.0, 3.0, 0.5, 1.0)])
    assert "loss went from 2 (step 1) to 1 (step 4); lowest 0.5 at step 3, highest 3 at step 2." in texts(run, "fact")


def test_nan_in_a_metric_and_the_layer_of_the_first_bad_gradient_are_warnings(tmp_path: Path) -> None:
    warnings = texts(train(tmp_path / "run", poison=50), "warning")
    assert warnings[0].startswith("loss is NaN or infinite in 71 of its 120 values, first at step 50")
    assert "was recorded at step 50, in second.weight" in warnings[1]


def test_a_clean_run_says_that_nothing_was_nan_and_has_no_warning(tmp_path: Path) -> None:
    run = train(tmp_path / "run")
    assert (
        "No NaN and no infinity was recorded in a metric or in the 720 gradients measured at 120 of 120 steps."
        in texts(run, "fact")
    )
    assert texts(run, "warning") == []


def test_the_first_bad_gradient_of_a_thinned_run_is_said_to_lie_between_two_measurements(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run") as writer:
        for step, counts in ((408, [0.0, 0.0]), (608, [0.0, 3.0])):
            row = Row(
                source="layers",
                position=Position(step=step, seconds=1.0),
                values={"gradient_nonfinite": np.array(counts)},
                labels={"gradient_nonfinite": ("a", "b")},
            )
            writer.submit(partial(list, [row]))
        writer.event("nonfinite-gradient", "A gradient that is not finite entered this step.", step=524)
    first, second = texts(open_run(tmp_path / "run"), "warning")
    assert first == "Noted while training, at step 524: A gradient that is not finite entered this step."
    assert "between step 408 (the last measured one that was finite) and step 608, where it was in b;" in second
    assert 'watch(quantities={"gradient_nonfinite": osc.every(1)})' in second


def test_update_ratios_that_are_not_finite_are_left_out_and_few_rows_are_taken_whole(tmp_path: Path) -> None:
    run = layers(tmp_path / "run", "update_ratio", [[0.01, 0.02]] * 4 + [[np.nan, 0.02], [np.inf, np.nan]], ("a", "b"))
    assert (
        "The update/weight ratio of every tensor lies within 0.0001 to 0.1 (median over all 5 measurements; what is "
        "not finite in 2 measurements is left out)." in texts(run, "fact")
    )


def test_how_a_run_ended_is_said_unless_it_finished(tmp_path: Path) -> None:
    said = {status: texts(train(tmp_path / status, status=status), "warning") for status in ("failed", "terminated")}
    assert said["failed"][0].startswith("It ended with an exception after step 120")
    assert said["terminated"] == ["It was interrupted (Ctrl-C or a signal) after step 120."]


def test_a_run_in_progress_says_so(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run") as writer:
        writer.log(Position(step=3, seconds=1.0), {"loss": 1.0})
        writer.flush()
        assert texts(open_run(tmp_path / "run"), "notice") == ["It is still running: this is how it stood at step 3."]


def test_the_cost_of_recording_and_the_thinning_are_said(tmp_path: Path) -> None:
    facts = texts(train(tmp_path / "run"), "fact")
    assert "Recording took 3.1 % of the training time, with a budget of 5 %; both threads are counted." in facts
    assert "Thinned to keep the budget or as asked; measured in 120 steps: histograms 13 times." in facts


def test_update_ratios_outside_the_band_are_named_with_the_number(tmp_path: Path) -> None:
    run = layers(tmp_path / "run", "update_ratio", [[0.01, 0.5, 1e-6]] * 10, ("a", "b", "c"))
    (notice,) = texts(run, "notice")
    assert notice.startswith("The update/weight ratio of 2 of 3 tensors lies outside 0.0001 to 0.1")
    assert "c 1.00e-6" in notice
    assert "b 0.5" in notice


def test_a_tensor_that_never_moved_is_named(tmp_path: Path) -> None:
    run = layers(tmp_path / "run", "distance_from_start", [[0.0, 0.1], [0.0, 0.2]], ("frozen", "free"))
    assert texts(run, "notice") == ["1 tensor ended exactly where it began: frozen."]


def test_a_spike_of_the_gradient_norm_is_said_with_its_step(tmp_path: Path) -> None:
    rows = [{"gradient_norm/global": 1.0} for _ in range(40)]
    rows[16] = {"gradient_norm/global": 50.0}
    (notice,) = texts(a_run(tmp_path / "run", rows), "notice")
    assert notice == "The largest gradient norm, 50 at step 17, is 50 times the median."


def test_what_was_lost_is_a_warning(tmp_path: Path) -> None:
    run = train(tmp_path / "run")
    segment = next((run.path / "series").glob("*.arrows"))
    segment.write_bytes(segment.read_bytes()[:-7])
    assert any("could not be read" in warning for warning in texts(open_run(run.path), "warning"))


def test_a_run_without_anything_in_it_is_described(tmp_path: Path) -> None:
    RunWriter.create(tmp_path / "run").close()
    assert texts(open_run(tmp_path / "run"))[0].startswith("A model was trained for 0 steps in ")
