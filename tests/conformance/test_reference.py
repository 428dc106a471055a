"""The NumPy adapter, which is the reference for all others, against closed forms."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from optiscope.frameworks.numpy import NumpyOptimizer, norm
from optiscope.frameworks.watch import watch
from optiscope.runs import Run, open_run

STEPS = 4


def record(weights, rate, gradients_of):
    """Gradient descent from `weights`, with everything measured; the values of all series by name."""
    optimizer = NumpyOptimizer(
        weights, lambda gradients, _: {name: -rate * g for name, g in gradients.items()}, learning_rate=rate
    )
    with tempfile.TemporaryDirectory() as folder:
        with watch(weights, optimizer, run=Path(folder) / "run", budget=None, strict=True):
            for _ in range(STEPS):
                optimizer.step(gradients_of(weights))
        run = open_run(Path(folder) / "run")
        return {name: np.array(run[name].values) for name in run.names}


def bowl(weights):
    """The gradient of ½‖w‖², which is w itself: each step shrinks the weights by the factor 1 − rate."""
    return {name: array.copy() for name, array in weights.items()}


elements = st.floats(min_value=0.125, max_value=8) | st.floats(min_value=-8, max_value=-0.125)
starts = st.lists(arrays(np.float64, array_shapes(max_dims=3, max_side=4), elements=elements), min_size=1, max_size=3)


@settings(max_examples=15)
@given(start=starts, rate=st.floats(min_value=1e-3, max_value=0.9))
def test_gradient_descent_in_a_bowl_follows_its_closed_form(start, rate):
    weights = {f"w{index}": array.copy() for index, array in enumerate(start)}
    series = record(weights, rate, bowl)
    first = np.array([np.sqrt(np.square(array).sum()) for array in start])
    shrunk = (1 - rate) ** np.arange(STEPS)[:, None]
    expected = {
        "gradient_norm": shrunk * first,
        "weight_norm": (1 - rate) * shrunk * first,
        "update_norm": rate * shrunk * first,
        "update_ratio": np.broadcast_to(rate / (1 - rate), (STEPS, len(start))),
        "update_gradient_cosine": np.ones((STEPS, len(start))),
        "gradient_mean": shrunk * [array.mean() for array in start],
        "gradient_std": shrunk * [array.std() for array in start],
        "gradient_zero_fraction": np.zeros((STEPS, len(start))),
        "gradient_nonfinite": np.zeros((STEPS, len(start))),
        "distance_from_start": (1 - (1 - rate) * shrunk) * first,
    }
    for name, values in expected.items():
        np.testing.assert_allclose(series[name], values, rtol=1e-9, atol=1e-12, err_msg=name)
    cosine = series["gradient_previous_cosine"]
    assert np.isnan(cosine[0]).all()
    np.testing.assert_allclose(cosine[1:], 1, rtol=1e-12)


@settings(max_examples=15)
@given(start=starts, rate=st.floats(min_value=1e-3, max_value=0.9))
def test_the_whole_is_one_long_vector_of_all_tensors(start, rate):
    apart = record({f"w{index}": array.copy() for index, array in enumerate(start)}, rate, bowl)
    together = record({"all": np.concatenate([array.ravel() for array in start])}, rate, bowl)
    for name, values in together.items():
        if name.endswith("/global"):
            np.testing.assert_allclose(apart[name], values, rtol=1e-9, atol=1e-12, err_msg=name)
            np.testing.assert_allclose(apart[name], together[name.removesuffix("/global")][:, 0], rtol=1e-9, atol=1e-12)


@settings(max_examples=10)
@given(rate=st.floats(min_value=1e-3, max_value=4), size=st.integers(min_value=1, max_value=50))
def test_a_ratio_of_update_to_gradient_is_the_learning_rate_on_any_ground(rate, size):
    def gradients_of(weights):
        return {"w": np.sin(weights["w"]) + 2}

    series = record({"w": np.linspace(-1, 1, size)}, rate, gradients_of)
    np.testing.assert_allclose(series["update_norm"] / series["gradient_norm"], rate, rtol=1e-9)
    np.testing.assert_allclose(series["update_gradient_cosine"], 1, rtol=1e-12)


def test_an_ascent_has_cosine_minus_one_and_a_step_across_the_gradient_has_zero(tmp_path):
    gradient = np.array([1.0, 2.0])
    climb = NumpyOptimizer({"w": np.ones(2)}, lambda gradients, _: {"w": gradient / 2}, learning_rate=-0.5)
    across = NumpyOptimizer({"w": np.ones(2)}, lambda gradients, _: {"w": np.array([-0.75, 0.375])}, learning_rate=0.0)
    run = _one_step(climb, {"w": gradient}, tmp_path / "climb")
    assert run["update_gradient_cosine"].values.item() == pytest.approx(-1)
    run = _one_step(across, {"w": gradient}, tmp_path / "across")
    assert run["update_gradient_cosine"].values.item() == pytest.approx(0)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_norms_neither_underflow_nor_overflow(scale):
    assert norm(np.array([3.0, 4.0]) * scale) == pytest.approx(5 * scale)


def test_a_step_that_moves_nothing_has_no_direction(tmp_path):
    still = NumpyOptimizer({"w": np.ones(3)}, lambda gradients, _: {"w": np.zeros(3)}, learning_rate=0.0)
    run = _one_step(still, {"w": np.ones(3)}, tmp_path / "run")
    assert run["update_norm"].values.item() == 0
    assert np.isnan(run["update_gradient_cosine"].values).all()


def _one_step(optimizer: NumpyOptimizer, gradients, path: Path) -> Run:
    with watch(optimizer.parameters, optimizer, run=path, budget=None, strict=True):
        optimizer.step(gradients)
    return open_run(path)
