from __future__ import annotations

import math

import numpy as np
import pytest

from optiscope.analysis.comparison import compare
from optiscope.errors import ArgumentError, UnknownName
from tests.analysis.written_runs import write


def falling(end, seed, rows=100):
    noise = np.random.default_rng(seed).normal(0, 0.02, rows)
    return (1 - end) * np.exp(-np.arange(rows) / 15) + end + noise


@pytest.fixture
def six(tmp_path):
    return [
        write(tmp_path / f"{name}-{seed}", falling(end, 10 * index + seed), config={"optimizer": name, "seed": seed})
        for index, (name, end) in enumerate((("adam", 0.1), ("sgd", 0.5)))
        for seed in range(3)
    ]


def test_runs_that_differ_only_in_their_seed_are_one_group(six):
    result = compare(six)
    assert [group.label for group in result.groups] == ["adam", "sgd"]
    assert [len(group.run_names) for group in result.groups] == [3, 3]
    assert result.groups[0].band.count.tolist() == [3] * 100
    np.testing.assert_allclose(result.groups[0].band.mean, result.groups[0].values.mean(axis=0))


def test_a_clear_winner_is_named_and_the_other_called_worse(six):
    result = compare(six)
    assert result.reference == "adam"
    assert result.groups[1].judgement == "worse"
    assert result.verdict.startswith("adam ends lowest: loss 0.0905 ± 0.0066 (n = 3).")
    assert "sgd is worse" in result.verdict


def test_a_difference_that_chance_explains_is_a_tie(tmp_path):
    runs = [
        write(
            tmp_path / f"{name}-{seed}",
            falling(0.3 + 0.1 * seed, seed + 7 * len(name)),
            config={"lr": name, "seed": seed},
        )
        for name in ("a", "bb")
        for seed in range(3)
    ]
    result = compare(runs)
    assert {group.judgement for group in result.groups} == {"reference", "tie"}
    assert "may be chance" in result.verdict


def test_one_run_a_side_is_not_judged(tmp_path):
    runs = [write(tmp_path / name, falling(end, 1)) for name, end in (("a", 0.1), ("b", 0.5))]
    result = compare(runs)
    assert [group.label for group in result.groups] == ["a", "b"]
    assert result.groups[1].judgement == "unknown"
    assert "is not known" in result.verdict
    assert math.isnan(result.groups[0].final.low)


def test_a_baseline_may_be_a_group_or_a_run(six):
    for name in ("sgd", "sgd-1"):
        result = compare(six, baseline=name)
        assert result.reference == "sgd"
        assert result.groups[0].judgement == "better"
        difference = result.groups[0].against_reference
        assert difference is not None
        assert difference.difference == pytest.approx(-0.4, abs=0.05)
    with pytest.raises(UnknownName, match="Did you mean 'sgd'"):
        compare(six, baseline="sgdd")


def test_a_diverged_run_is_named_and_does_not_make_its_group_win(six, tmp_path):
    values = falling(0.01, 5)
    values[60:] = np.nan
    bad = write(tmp_path / "adam-3", values, config={"optimizer": "adam", "seed": 3})
    result = compare([*six, bad])
    adam = result.groups[0]
    assert adam.diverged == ("adam-3",)
    assert adam.band.count[[59, 60]].tolist() == [4, 3]
    assert result.reference == "sgd"
    assert "1 of 4 runs of adam diverged" in result.verdict
    assert any("1 of 4 runs diverged (adam-3)" in sentence for sentence in result.sentences)
    assert result.rows()[-1]["group"] == "adam"


def test_a_run_that_is_left_out_of_the_mean_is_called_diverged_though_its_last_value_is_finite(six, tmp_path):
    values = falling(0.1, 5)
    values[97] = np.nan
    result = compare([*six, write(tmp_path / "adam-3", values, config={"optimizer": "adam", "seed": 3})])
    adam = result.groups[0]
    assert adam.final.count == 3
    assert adam.diverged == ("adam-3",)
    assert "adam: 1 of 4 runs diverged (adam-3); its mean is over the other 3." in result.sentences
    assert "NaN or infinity among them diverged and is left out" in result.sentences[0]
    alone = compare([write(tmp_path / "alone", values)]).groups[0]
    assert alone.final.count == 0
    assert alone.diverged == ("alone",)


def test_nothing_is_compared_when_everything_diverged(tmp_path):
    runs = [write(tmp_path / name, [1.0, math.nan]) for name in "ab"]
    result = compare(runs)
    assert result.verdict.startswith("Every run ends with a loss that is NaN")
    assert math.isnan(result.target)


def test_values_on_the_way_that_are_not_finite_are_said(tmp_path):
    values = falling(0.1, 1)
    values[10] = np.inf
    result = compare([write(tmp_path / "a", values)])
    assert any("1 value on the way" in sentence for sentence in result.sentences)


def test_accuracy_is_to_be_large_and_a_goal_overrides_the_name(tmp_path):
    runs = [write(tmp_path / n, [0.1, v], metric="accuracy") for n, v in (("a", 0.5), ("b", 0.9))]
    assert compare(runs, "accuracy").reference == "b"
    assert compare(runs, "accuracy", goal="min").reference == "a"


def test_steps_and_seconds_to_a_target_are_counted(tmp_path):
    result = compare([write(tmp_path / "a", [5.0, 4.0, 3.0, 2.0])], target=3.0)
    assert result.groups[0].steps_to_target.tolist() == [3.0]
    assert result.groups[0].seconds_to_target == pytest.approx([0.3])


def test_the_target_that_is_chosen_is_reached_by_every_finite_run(six):
    result = compare(six)
    assert all(group.reached == 3 for group in result.groups)
    assert result.target == pytest.approx(max(group.finals.max() for group in result.groups))


def test_runs_of_unequal_length_are_compared_as_far_as_both_go_and_it_is_said(tmp_path):
    runs = [
        write(tmp_path / "a", falling(0.1, 0), config={"seed": 0}),
        write(tmp_path / "b", falling(0.1, 1, rows=60), config={"seed": 1}),
    ]
    result = compare(runs)
    assert result.groups[0].steps[-1] == 60
    assert any("ends at step 60 and another at 100" in sentence for sentence in result.sentences)


def test_runs_logged_at_different_steps_are_interpolated_and_it_is_said(tmp_path):
    runs = [
        write(tmp_path / "a", np.arange(50.0), steps=range(0, 100, 2), config={"seed": 0}),
        write(tmp_path / "b", np.arange(33.0), steps=range(1, 100, 3), config={"seed": 1}),
    ]
    result = compare(runs)
    assert any("interpolated" in sentence for sentence in result.sentences)
    group = result.groups[0]
    np.testing.assert_allclose(group.values[0], group.steps / 2)


def test_repeated_steps_count_as_their_mean(tmp_path):
    result = compare([write(tmp_path / "a", [1.0, 3.0, 5.0], steps=[1, 1, 2])])
    assert result.groups[0].values.tolist() == [[2.0, 5.0]]


def test_seeds_that_change_nothing_are_noticed(tmp_path):
    runs = [write(tmp_path / f"a{seed}", falling(0.1, 0), config={"seed": seed}) for seed in range(2)]
    assert any("identical" in sentence for sentence in compare(runs).sentences)


def test_runs_without_a_seed_stand_alone_and_group_by_puts_them_together(tmp_path):
    runs = [write(tmp_path / f"r{k}", falling(0.1, k), config={"lr": 0.1, "note": k}) for k in range(3)]
    assert len(compare(runs).groups) == 3
    together = compare(runs, group_by="lr")
    assert [(group.label, len(group.run_names)) for group in together.groups] == [("lr = 0.1", 3)]
    with pytest.raises(UnknownName, match="Did you mean 'lr'"):
        compare(runs, group_by="lrr")


def test_the_optimizer_tells_groups_apart_without_any_configuration(tmp_path):
    runs = [
        write(tmp_path / f"{name}{seed}", falling(0.1, seed), optimizer=name, config={"seed": seed})
        for name in ("SGD", "Adam")
        for seed in range(2)
    ]
    assert [group.label for group in compare(runs).groups] == ["SGD", "Adam"]


def test_a_metric_that_a_run_lacks_is_refused_with_those_it_has(tmp_path):
    with pytest.raises(UnknownName, match="Valid: loss"):
        compare([write(tmp_path / "a", [1.0])], "losss")


def test_the_table_has_a_row_a_group_with_the_best_first(six):
    rows = compare(six).rows()
    assert [row["group"] for row in rows] == ["adam", "sgd"]
    assert rows[0]["runs"] == 3
    assert rows[0]["final loss"] == pytest.approx(0.1, abs=0.03)


def test_no_runs_are_refused():
    with pytest.raises(ArgumentError, match="at least one run"):
        compare([])


def test_the_target_that_is_chosen_is_none_that_a_run_has_at_its_start(tmp_path):
    runs = [write(tmp_path / "falls", [3.0, 2.0, 1.0]), write(tmp_path / "climbs", [2.0, 3.0, 4.0])]
    result = compare(runs)
    assert result.target == 1.0
    assert [group.reached for group in result.groups] == [1, 0]
    late = compare(runs, target=2.5)
    assert late.groups[1].from_start == ("climbs",)
    assert "climbs: climbs is at the target from the first value on, so the steps to it say nothing." in late.sentences


def test_one_run_is_a_comparison_of_one_and_anything_else_is_refused(tmp_path):
    assert len(compare(write(tmp_path / "a", [2.0, 1.0])).groups) == 1
    for wrong in (["a"], "a", 3):
        with pytest.raises(ArgumentError, match="A comparison needs a Run or a list of them"):
            compare(wrong)
