from __future__ import annotations

import numpy as np
import pytest

from optiscope.analysis.trajectory import trajectory
from optiscope.errors import ArgumentError
from tests.analysis.written_runs import write


def walk(seed=0, count=12, start=None):
    rng = np.random.default_rng(seed)
    weight = np.zeros((3, 4)) if start is None else start
    bias = np.zeros(4)
    path = {}
    for step in range(0, 10 * count, 10):
        path[step] = {
            "fc.weight": weight.astype(np.float32),
            "fc.bias": bias.astype(np.float64),
            "steps": np.array(step),
        }
        weight, bias = weight + rng.normal(size=(3, 4)), bias + 0.1 * rng.normal(size=4)
    return path


def as_matrix(snapshots):
    return np.stack(
        [np.concatenate([t["fc.bias"].ravel(), t["fc.weight"].ravel()]) for t in snapshots.values()]
    ).astype(float)


def test_a_path_equals_the_singular_value_decomposition_of_its_snapshots(tmp_path):
    snapshots = walk()
    seen = trajectory(write(tmp_path / "a", snapshots=snapshots))
    points = as_matrix(snapshots)
    points -= points.mean(axis=0)
    left, scales, _ = np.linalg.svd(points, full_matrices=False)
    expected = left[:, :2] * scales[:2]
    signs = np.sign((expected * seen.coordinates[0]).sum(axis=0))
    np.testing.assert_allclose(seen.coordinates[0], expected * signs, atol=1e-10)
    np.testing.assert_allclose(seen.explained_variance, scales[:2] ** 2 / (scales**2).sum(), atol=1e-12)
    assert seen.parameters == 16
    assert seen.steps[0].tolist() == list(snapshots)


def test_small_blocks_give_the_same_path(tmp_path, monkeypatch):
    run = write(tmp_path / "a", snapshots=walk())
    whole = trajectory(run)
    monkeypatch.setattr("optiscope.analysis.snapshot_matrix._BLOCK_BYTES", 8 * 12 * 3)
    np.testing.assert_allclose(trajectory(run).coordinates[0], whole.coordinates[0], atol=1e-12)


def test_several_runs_share_one_plane_and_different_starts_are_said(tmp_path):
    first = write(tmp_path / "a", snapshots=walk(1))
    second = write(tmp_path / "b", snapshots=walk(2, start=np.full((3, 4), 50.0)))
    seen = trajectory([first, second])
    assert seen.run_names == ("a", "b")
    assert [len(places) for places in seen.coordinates] == [12, 12]
    np.testing.assert_allclose(np.concatenate(seen.coordinates).mean(axis=0), 0, atol=1e-9)
    assert any("start at different points" in sentence for sentence in seen.sentences)


def test_a_random_walk_is_called_hardly_more_than_chance(tmp_path):
    rng = np.random.default_rng(5)
    steps = rng.normal(size=(60, 3000)).cumsum(axis=0)
    seen = trajectory(write(tmp_path / "a", snapshots={k: {"w": row} for k, row in enumerate(steps)}))
    assert seen.random_walk_variance.sum() == pytest.approx(0.76, abs=0.01)
    assert any("hardly more than chance" in sentence for sentence in seen.sentences)


def test_a_straight_line_lies_in_the_plane(tmp_path):
    line = {k: {"w": np.array([1.0, 2.0, 3.0, 4.0]) * k} for k in range(10)}
    seen = trajectory(write(tmp_path / "a", snapshots=line))
    assert seen.explained_variance[0] == pytest.approx(1.0)
    assert seen.distance_off[0].max() < 1e-6
    assert not any("hardly more" in sentence for sentence in seen.sentences)


def test_snapshots_that_are_not_finite_are_left_out_and_said(tmp_path):
    snapshots = walk()
    snapshots[50]["fc.bias"][1] = np.inf
    seen = trajectory(write(tmp_path / "a", snapshots=snapshots))
    assert 50 not in seen.steps[0]
    assert any("NaN or infinity: 1 snapshot of a, the first at step 50" in one for one in seen.sentences)


def test_a_damaged_snapshot_is_left_out_and_said(tmp_path):
    write(tmp_path / "a", snapshots=walk())
    file = sorted((tmp_path / "a" / "snapshots").iterdir())[3]
    file.write_bytes(b"garbage")
    from optiscope.runs import open_run

    seen = trajectory(open_run(tmp_path / "a"))
    assert len(seen.steps[0]) == 11
    assert any("unreadable" in sentence for sentence in seen.sentences)


def test_weights_that_moved_most_are_the_default_axes(tmp_path):
    snapshots = {k: {"w": np.array([0.0, 5.0 * k, 0.1 * k, -9.0 * k])} for k in range(12)}
    seen = trajectory(write(tmp_path / "a", snapshots=snapshots), method="weights")
    assert seen.weights == (("w", (3,)), ("w", (1,)))
    assert seen.coordinates[0][2].tolist() == [-18.0, 10.0]
    assert any("the ones that moved most" in sentence for sentence in seen.sentences)
    assert seen.explained_variance.sum() == pytest.approx(1 - 0.01 / (81 + 25 + 0.01))
    np.testing.assert_allclose(seen.distance_off[0], 0.1 * np.abs(np.arange(12) - 5.5), atol=1e-6)


def test_chosen_weights_are_the_axes(tmp_path):
    snapshots = walk()
    seen = trajectory(
        write(tmp_path / "a", snapshots=snapshots), "weights", weights=[("fc.weight", (2, 1)), ("fc.bias", 3)]
    )
    assert seen.axis_titles == ("fc.weight[2, 1]", "fc.bias[3]")
    assert seen.coordinates[0][4, 0] == snapshots[40]["fc.weight"][2, 1]


def test_a_glob_restricts_the_tensors_and_is_said(tmp_path):
    seen = trajectory(write(tmp_path / "a", snapshots=walk()), parameters="*.bias")
    assert seen.parameters == 4
    assert "'*.bias'" in seen.sentences[0]


def test_complex_weights_are_two_real_ones(tmp_path):
    rng = np.random.default_rng(0)
    complex_ = {k: {"w": (rng.normal(size=5) + 1j * rng.normal(size=5))} for k in range(12)}
    real = {k: {"w": np.concatenate([t["w"].real, t["w"].imag])} for k, t in complex_.items()}
    one = trajectory(write(tmp_path / "a", snapshots=complex_))
    two = trajectory(write(tmp_path / "b", snapshots=real))
    np.testing.assert_allclose(one.coordinates[0], two.coordinates[0], atol=1e-9)


def test_the_loss_at_a_snapshot_is_the_one_logged_nearest(tmp_path):
    run = write(tmp_path / "a", [9.0, 8.0, 7.0], steps=[1, 50, 100], snapshots=walk())
    losses = trajectory(run).losses[0]
    assert losses[[0, 3, 6, 11]].tolist() == [9.0, 8.0, 8.0, 7.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"components": 4}, "2 or 3 dimensions"),
        ({"weights": [("fc.bias", 0), ("fc.bias", 1)]}, "method='weights'"),
        ({"method": "tsne"}, "Valid: pca, weights"),
        ({"parameters": "conv*"}, "pattern of parameter names"),
        ({"method": "weights", "weights": [("fc.bias", 9), ("fc.bias", 0)]}, "has shape"),
        ({"method": "weights", "weights": [("fc.biass", 0), ("fc.bias", 0)]}, "Did you mean 'fc.bias'"),
    ],
)
def test_arguments_that_cannot_work_are_refused_with_the_way_out(tmp_path, change, message):
    with pytest.raises(ArgumentError, match=message):
        trajectory(write(tmp_path / "a", snapshots=walk()), **change)


def test_a_run_without_snapshots_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(ArgumentError, match="no readable snapshots"):
        trajectory(write(tmp_path / "a", [1.0]))


def test_too_few_snapshots_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match="at least 3 snapshots"):
        trajectory(write(tmp_path / "a", snapshots=walk(count=2)))


def test_runs_of_different_models_are_refused(tmp_path):
    one = write(tmp_path / "a", snapshots=walk())
    two = write(tmp_path / "b", snapshots={k: {"other": np.ones(3) * k} for k in range(5)})
    with pytest.raises(ArgumentError, match="different models"):
        trajectory([one, two])


def test_parameters_added_later_are_left_out_and_said(tmp_path):
    snapshots = walk()
    for step in (80, 90, 100, 110):
        snapshots[step]["late"] = np.ones(2)
    seen = trajectory(write(tmp_path / "a", snapshots=snapshots))
    assert seen.parameters == 16
    assert any("late" in sentence for sentence in seen.sentences)


def test_weights_that_never_move_are_said(tmp_path):
    seen = trajectory(write(tmp_path / "a", snapshots={k: {"w": np.ones(6)} for k in range(12)}))
    assert any("did not move" in sentence for sentence in seen.sentences)
