"""What every function has to be, checked on each of them, in every dimension class that it offers."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import math
import pkgutil
import re
from typing import Any

import numpy as np
import pytest

from optiscope.call_syntax import parse_call, spell_call
from optiscope.construction import construct, setting_names
from optiscope.errors import ArgumentError, MissingDependency, UnknownName
from optiscope.problems import functions
from optiscope.problems.functions.function import Function
from optiscope.problems.functions.registry import function, function_types
from tests import optional_parts

STEP = 2.0**-10
"""Of the finite differences: the error of the stencil is ~STEP⁶, that of rounding ~2⁻⁵²/STEP."""
STENCIL = {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}
"""Weights of f(x + k·step) − f(x − k·step) in the first derivative, of sixth order."""

AWAY_FROM_KINKS = 0.1
"""Points to differentiate at keep this distance from the minima: some functions have a kink there."""
KINK_AT_THE_MINIMUM = {"ackley", "bukin6"}
"""Functions that are not differentiable at their minimum; each says so in its docstring."""
KINKS = {
    # Beside its floor the derivatives of the root grow without bound: further away.
    "bukin6": lambda x: np.stack([x[..., 0] + 10, (x[..., 1] - x[..., 0] ** 2 / 100) / 50], axis=-1),
    "sum_of_different_powers": lambda x: x,
}
"""What is zero where a derivative jumps, elsewhere than at a minimum: no difference is taken across."""
FINER = {"michalewicz": 2.0**-3}
"""Functions whose waves are so short that STEP has to be smaller for them, and how much."""
LARGEST_DIMENSION = 8


def found() -> dict[str, type[Function] | None]:
    """The classes by module; None for a module that cannot be imported, so that only its own tests fail."""
    kinds: dict[str, Any] = {}
    for module in pkgutil.iter_modules(functions.__path__):
        try:
            kind = getattr(importlib.import_module(f"{functions.__name__}.{module.name}"), "FUNCTION", "none")
        except Exception:
            kind = None
        if kind != "none":
            kinds[module.name] = kind
    return kinds


def accepted_dimensions(kind: type[Function]) -> list[int]:
    """The dimensions that can be chosen: the least, the next, and the largest of those tried."""
    if "dimension" not in setting_names(kind):
        return []
    accepted = []
    for dimension in range(1, LARGEST_DIMENSION + 1):
        try:
            kind(dimension=dimension)
        except ArgumentError:
            continue
        accepted.append(dimension)
    # The default has a test of its own.
    accepted = [one for one in accepted if one != kind().dimension]
    return sorted({*accepted[:2], *accepted[-1:]})


def cases() -> list[Any]:
    """Every function with default settings and in the dimensions that can be chosen, as (module, call)."""
    made = []
    for module, kind in found().items():
        calls = [module] if kind is None else [kind.name]
        calls += [spell_call(kind.name, {"dimension": one}) for one in (accepted_dimensions(kind) if kind else [])]
        made += [pytest.param((module, call), id=call) for call in calls]
    return made


@functools.cache
def build(module: str, call: str) -> Function:
    kind = importlib.import_module(f"{functions.__name__}.{module}").FUNCTION
    return construct(kind, parse_call(call).settings, kind="setting")


@pytest.fixture(params=cases())
def problem(request) -> Function:
    try:
        return build(*request.param)
    except MissingDependency as missing:
        for package, name in optional_parts.PACKAGES.items():
            if repr(name) in str(missing) or repr(package) in str(missing):
                optional_parts.require(package)
        raise


@pytest.fixture(autouse=True)
def overflow_is_data():
    with np.errstate(all="ignore"):
        yield


def points_of(problem: Function) -> np.ndarray:
    """Some points all over the domain, some around the start and some near the minima, none at a minimum."""
    random = np.random.default_rng(7)
    low, high = problem.bounds.T
    size = np.minimum(1, (high - low) / 8)
    centres = np.concatenate([np.resize(problem.minima[:4], (12, problem.dimension)) if len(problem.minima) else
                              np.empty((0, problem.dimension)), np.tile(problem.start, (6, 1))])  # fmt: skip
    directions = random.standard_normal(centres.shape)
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    near = centres + directions * random.uniform(AWAY_FROM_KINKS, 1, (len(centres), 1)) * size
    points = np.concatenate([random.uniform(low, high, (20, problem.dimension)), near])
    if problem.name in KINKS:
        points = points[(np.abs(KINKS[problem.name](points)) > 4 * STEP).all(axis=-1)]
    return points


def differences(f, x: np.ndarray, finer: float = 1.0) -> np.ndarray:
    """∂f/∂xⱼ by central differences of sixth order, with j as the last axis."""
    columns, step = [], STEP * finer
    for unit in np.eye(x.shape[-1]):
        steps = [weight * (f(x + k * step * unit) - f(x - k * step * unit)) for k, weight in STENCIL.items()]
        columns.append(sum(steps) / step)
    return np.stack(columns, axis=-1)


def assert_close_at_each_point(actual: np.ndarray, expected: np.ndarray, magnitude: np.ndarray) -> None:
    """Relative to the largest component at the point, but for the rounding in values of that magnitude."""
    axes = tuple(range(1, actual.ndim))
    errors = np.abs(actual - expected).max(axis=axes)
    allowed = 1e-7 * np.abs(expected).max(axis=axes) + 1e-10 * np.maximum(1, magnitude)
    worst = int(np.argmax(errors / allowed))
    assert (errors <= allowed).all(), f"row {worst}:\n{actual[worst]}\nis not\n{expected[worst]}"


def norm(array: np.ndarray) -> float:
    return float(np.sqrt(np.sum(np.square(array))))


def test_the_gradient_is_the_derivative_of_the_value(problem):
    x = points_of(problem)
    assert_close_at_each_point(
        problem.gradient(x), differences(problem.value, x, FINER.get(problem.name, 1)), np.abs(problem.value(x))
    )


def test_the_hessian_is_the_derivative_of_the_gradient(problem):
    x = points_of(problem)
    hessian, gradient = problem.hessian(x), problem.gradient(x)
    expected = differences(problem.gradient, x, FINER.get(problem.name, 1))
    assert_close_at_each_point(hessian, expected, np.abs(gradient).max(axis=-1))
    np.testing.assert_array_equal(hessian, np.swapaxes(hessian, -1, -2))


def test_the_hessian_vector_product_is_that_of_the_matrix(problem):
    x = points_of(problem)
    v = np.random.default_rng(3).standard_normal(x.shape)
    hessian = problem.hessian(x)
    scale = np.abs(hessian).max(axis=(-1, -2))[:, None]
    error = np.abs(problem.hessian_vector_product(x, v) - (hessian @ v[..., None])[..., 0])
    assert (error <= 1e-12 * np.maximum(scale, 1)).all()
    # Many vectors at one point, and one vector at many points.
    at_one, of_one = problem.hessian_vector_product(x[0], v), problem.hessian_vector_product(x, v[0])
    assert np.abs(at_one - v @ hessian[0]).max() <= 1e-11 * max(1, scale[0, 0])
    assert (np.abs(of_one - hessian @ v[0]) <= 1e-11 * np.maximum(scale, 1)).all()
    assert problem.hessian_vector_product(x[0], v[0]).shape == x[0].shape


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (2, 0)])
def test_leading_axes_are_a_loop_over_points(problem, shape):
    count = math.prod(shape)
    x = points_of(problem)[:count].reshape(*shape, problem.dimension)
    value, gradient, hessian = problem.value(x), problem.gradient(x), problem.hessian(x)
    assert np.shape(value) == shape
    assert gradient.shape == x.shape
    assert hessian.shape == (*x.shape, problem.dimension)
    assert problem.hessian_vector_product(x, x).shape == x.shape
    for index in np.ndindex(shape):
        scale = max(1.0, abs(float(problem.value(x[index]))))
        assert abs(np.asarray(value)[index] - problem.value(x[index])) <= 1e-12 * scale
        one = problem.gradient(x[index])
        assert np.abs(gradient[index] - one).max() <= 1e-12 * max(scale, norm(one))
        one = problem.hessian(x[index])
        assert np.abs(hessian[index] - one).max() <= 1e-12 * max(scale, norm(one))


def test_single_precision_stays_single_and_agrees_with_double(problem):
    x = points_of(problem).astype(np.float32)
    for quantity in (
        problem.value,
        problem.gradient,
        problem.hessian,
        lambda at: problem.hessian_vector_product(at, at),
    ):
        single, double = quantity(x), quantity(x.astype(np.float64))
        assert single.dtype == np.float32
        assert double.dtype == np.float64
        assert np.abs(single - double).max() <= 2e-4 * np.abs(double).max()
        assert np.asarray(quantity(x[0])).dtype == np.float32


def test_points_are_left_unchanged_and_their_memory_order_is_kept(problem):
    x = np.asfortranarray(points_of(problem))
    before = x.copy()
    gradient = problem.gradient(x)
    problem.value(x), problem.hessian(x), problem.hessian_vector_product(x, x)
    np.testing.assert_array_equal(x, before)
    assert gradient.flags.f_contiguous
    assert not np.shares_memory(gradient, x)


def test_what_is_no_number_gives_no_number_and_nothing_raises(problem):
    for extreme in (1e200, -1e200, np.inf, -np.inf):
        x = np.full((2, problem.dimension), extreme)
        assert problem.value(x).shape == (2,)
        assert problem.gradient(x).shape == x.shape
        assert problem.hessian(x).shape == (*x.shape, problem.dimension)
    for i in range(problem.dimension):
        x = problem.start.astype(float)
        x[i] = np.nan
        assert np.isnan(problem.value(x))
        assert np.isnan(problem.gradient(x)).any()


def test_no_point_of_the_domain_is_below_the_minimum(problem):
    if math.isnan(problem.minimum):
        assert not len(problem.minima)
        return
    low, high = problem.bounds.T
    x = np.random.default_rng(11).uniform(low, high, (20_000, problem.dimension))
    assert problem.value(x).min() >= problem.minimum - 1e-9 * max(1, abs(problem.minimum))


def test_the_minima_have_the_minimum_as_value(problem):
    if problem.minimum == -math.inf:
        assert not len(problem.minima)
    assert problem.minima.ndim == 2
    assert problem.minima.shape[1] == problem.dimension
    for point in problem.minima:
        assert abs(problem.value(point) - problem.minimum) <= 1e-9 * max(1, abs(problem.minimum))
        assert (problem.bounds[:, 0] <= point).all()
        assert (point <= problem.bounds[:, 1]).all()


def test_the_minima_are_minima(problem):
    low, high = problem.bounds.T
    for point in problem.minima:
        if problem.name in KINK_AT_THE_MINIMUM:
            offsets = np.random.default_rng(5).uniform(-1, 1, (500, problem.dimension))
            for size in (1e-1, 1e-3, 1e-6):
                assert (problem.value(np.clip(point + size * offsets, low, high)) >= problem.minimum).all()
            continue
        gradient, hessian = problem.gradient(point), problem.hessian(point)
        # Ten digits of the point: the gradient may differ from zero by what an error of that size makes of it.
        allowed = 1e-9 * (1 + norm(hessian) * max(1, norm(point)))
        lower, upper = point == low, point == high
        assert (gradient[lower & ~upper] >= -allowed).all()
        assert (gradient[upper & ~lower] <= allowed).all()
        free = ~(lower | upper)
        assert np.abs(gradient[free]).max(initial=0) <= allowed
        eigenvalues = np.linalg.eigvalsh(hessian[np.ix_(free, free)])
        assert (eigenvalues >= -1e-9 * max(1, norm(hessian))).all()


def test_minima_are_listed_once(problem):
    for i, point in enumerate(problem.minima):
        assert all(norm(point - other) > 1e-6 for other in problem.minima[:i])


def test_the_start_is_in_the_domain_and_moves(problem):
    low, high = problem.bounds.T
    assert problem.bounds.shape == (problem.dimension, 2)
    assert np.isfinite(problem.bounds).all()
    assert (low < high).all()
    assert problem.start.shape == (problem.dimension,)
    assert problem.start.dtype == problem.bounds.dtype == np.float64
    assert (low <= problem.start).all()
    assert (problem.start <= high).all()
    assert norm(problem.gradient(problem.start)) > 1e-9
    assert problem.value(problem.start) > (-math.inf if math.isnan(problem.minimum) else problem.minimum)


def test_it_says_what_it_is(problem):
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", problem.name)
    assert problem.title.strip() == problem.title != ""
    assert problem.formula.strip()
    assert re.search(r"\b(1[89]|20)\d\d\b", problem.source) or "this package" in problem.source.lower()
    assert type(problem).__doc__
    assert isinstance(problem.minimum, float)
    assert isinstance(problem.dimension, int)
    assert problem.gradient_source == "closed form"


def test_it_is_frozen_and_its_facts_cannot_be_spoilt(problem):
    assert dataclasses.is_dataclass(problem)
    for fact in ("bounds", "start", "minima"):
        before = getattr(problem, fact).copy()
        try:
            getattr(problem, fact)[...] = 77
        except ValueError:
            continue  # read-only
        np.testing.assert_array_equal(getattr(problem, fact), before)
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.anything = 1


@pytest.mark.parametrize("kind", [pytest.param(k, id=k.name) for k in found().values() if k is not None])
@pytest.mark.parametrize("wrong", [0, -2, 2.5, True, "two", math.nan, None])
def test_a_dimension_that_cannot_be_is_refused(kind, wrong):
    if "dimension" in setting_names(kind):
        with pytest.raises(ArgumentError, match="Received"):
            kind(dimension=wrong)
    else:
        with pytest.raises(UnknownName):
            construct(kind, {"dimension": wrong}, kind="setting")


def test_names_and_titles_are_unique_and_found_by_name():
    kinds = function_types()
    assert len(kinds) == len(found())
    assert len({kind.title for kind in kinds.values()}) == len(kinds)
    assert list(kinds) == sorted(kinds)


def test_a_function_is_made_by_name_with_settings():
    assert function("rosenbrock(dimension=5)").dimension == 5
    assert function("rosenbrock", dimension=4).dimension == 4
    with pytest.raises(UnknownName, match="Did you mean 'rosenbrock'"):
        function("rosenbrok")
    with pytest.raises(UnknownName, match=r"'dimensions' is not a setting of rosenbrock\. Did you mean 'dimension'"):
        function("rosenbrock(dimensions=5)")


def test_there_are_as_many_functions_as_promised():
    assert len(function_types()) >= 45
