from __future__ import annotations

import numpy as np
import pytest

from optiscope.recording.measurement import Labels, Measurement, columns_of
from optiscope.recording.pending import Known
from optiscope.recording.plan import plan_of
from optiscope.recording.quantities import Cost, quantities
from optiscope.recording.reductions import Reduction

LABELS = Labels(tensors=("a", "b"), sizes=np.array([3.0, 2.0]), groups=("group 0",))


def columns(names, values, present=None):
    plan = plan_of(tuple(quantities()[name] for name in names))
    table = np.array([values[reduction] for reduction in plan.reductions], dtype=float)
    return columns_of(plan, LABELS, [Measurement(values=Known(table), present=present)])


def test_every_quantity_declares_its_cost_and_formula_and_is_found_by_its_file():
    for name, quantity in quantities().items():
        assert quantity.name == name
        assert isinstance(quantity.cost, Cost)
        assert quantity.formula
        assert quantity.needs


def test_core_quantities_are_those_that_the_documentation_names():
    assert {name for name, quantity in quantities().items() if quantity.core} == {
        "gradient_norm", "weight_norm", "update_norm", "update_ratio", "update_gradient_cosine",
        "gradient_previous_cosine", "gradient_mean", "gradient_std", "gradient_zero_fraction", "gradient_nonfinite",
        "distance_from_start",
    }  # fmt: skip


def test_the_norm_of_the_whole_is_that_of_the_long_vector():
    found = columns(["gradient_norm"], {Reduction.GRADIENT_NORM: [3.0, 4.0]})
    assert found["gradient_norm/global"].tolist() == [5.0]


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_the_norm_of_the_whole_neither_vanishes_nor_overflows(size):
    found = columns(["weight_norm"], {Reduction.WEIGHT_NORM: [3 * size, 4 * size]})
    assert found["weight_norm/global"][0] == pytest.approx(5 * size)


def test_mean_and_deviation_of_the_whole_are_those_of_the_long_vector():
    a, b = np.array([1.0, 2.0, 9.0]), np.array([-4.0, 0.5])
    whole = np.concatenate([a, b])
    found = columns(
        ["gradient_mean", "gradient_std"],
        {
            Reduction.GRADIENT_SUM: [a.sum(), b.sum()],
            Reduction.GRADIENT_SPREAD: [a.var() * 3, b.var() * 2],
        },
    )
    assert found["gradient_mean/global"][0] == pytest.approx(whole.mean())
    assert found["gradient_std/global"][0] == pytest.approx(whole.std())
    np.testing.assert_allclose(found["gradient_std"][0], [a.std(), b.std()])


def test_a_missing_gradient_counts_as_nothing_and_a_nan_one_as_nan():
    missing = columns(["gradient_norm"], {Reduction.GRADIENT_NORM: [3.0, np.nan]}, present=(True, False))
    assert missing["gradient_norm/global"].tolist() == [3.0]
    poisoned = columns(["gradient_norm"], {Reduction.GRADIENT_NORM: [3.0, np.nan]})
    assert np.isnan(poisoned["gradient_norm/global"][0])


def test_a_layer_of_zeros_has_an_infinite_ratio_and_a_still_one_of_zero_an_undefined_one():
    found = columns(["update_ratio"], {Reduction.UPDATE_NORM: [1.0, 0.0], Reduction.WEIGHT_NORM: [0.0, 0.0]})
    assert found["update_ratio"][0, 0] == np.inf
    assert np.isnan(found["update_ratio"][0, 1])


def test_the_cosine_of_a_vector_without_direction_is_undefined():
    found = columns(
        ["update_gradient_cosine"],
        {
            Reduction.UPDATE_DOT_GRADIENT: [0.0, -2.0],
            Reduction.UPDATE_NORM: [0.0, 1.0],
            Reduction.GRADIENT_NORM: [1.0, 2.0],
        },
    )
    assert np.isnan(found["update_gradient_cosine"][0, 0])
    assert found["update_gradient_cosine"][0, 1] == 1.0
