"""What every update rule promises, whichever it is; tests/optimizers/rules verifies each against its reference."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from optiscope.errors import ArgumentError, UnknownName
from optiscope.optimizers.registry import rule as rule_by_name
from optiscope.optimizers.registry import rule_types
from optiscope.optimizers.rule import Rule
from optiscope.optimizers.schedules.schedule import Schedule
from tests.optimizers.reference import SHAPES, Course, assert_same_path, course, curvature_for, drive_rule

RULES = list(rule_types().values())
BATCHED = [one for one in RULES if one.batching != "single"]
ROWS = 5
SHAPES_OF = {"soap": ((), (1,), (2, 2), (3, 3))}
"""SOAP works in the eigenvectors of sums of ggᵀ. For a vector of several coordinates most eigenvalues are zero at
first, their eigenvectors are any basis of the rest, and each library chooses its own: only these shapes compare."""

every_rule = pytest.mark.parametrize("kind", RULES, ids=lambda kind: kind.name)
every_batched_rule = pytest.mark.parametrize("kind", BATCHED, ids=lambda kind: kind.name)


@dataclass(frozen=True)
class Always(Schedule):
    """The same number at every step."""

    number: float

    def __call__(self, step: int) -> float:
        return self.number


def test_there_are_many_rules_and_their_names_and_titles_are_unique() -> None:
    assert len(RULES) >= 28
    assert len({one.title for one in RULES}) == len(RULES)
    assert set(rule_types()) == {one.name for one in RULES}


@every_rule
def test_a_rule_says_what_it_is_and_what_it_is_verified_against(kind: type[Rule]) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", kind.name)
    assert re.search(r"\b1[6-9]\d\d\b|\b20\d\d\b|Newton", kind.paper), "authors, title and year"
    assert kind.title.strip()
    assert kind.reference.strip()
    assert kind.__doc__
    assert "←" in kind.__doc__, "the docstring begins with the formula"


@every_rule
def test_a_rule_has_a_file_of_verification_tests(kind: type[Rule]) -> None:
    files = [path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "rules").glob("test_*.py")]
    assert any(re.search(rf"\b{kind.__name__}\(|\({kind.__name__}, ", text) and "assert" in text for text in files)


@every_rule
def test_a_rule_is_made_by_name_and_refuses_what_cannot_work(kind: type[Rule]) -> None:
    assert type(rule_by_name(kind.name)) is kind
    with pytest.raises(UnknownName, match="momentumm"):
        rule_by_name(kind.name, momentumm=0.9)
    if "learning_rate" in kind().settings:
        for bad in (float("nan"), float("inf"), -1.0, 0.0, "fast", [[1.0], [1.0, 2.0]]):
            with pytest.raises(ArgumentError, match="learning_rate"):
                rule_by_name(kind.name, learning_rate=bad)


@pytest.mark.parametrize(
    "call",
    [
        "adam(beta2=1)",
        "sgd(weight_decay=-0.1)",
        "momentum(momentum=1.5)",
        "adagrad(initial_accumulator=-1)",
        "rprop(decrease=0)",
        "lars(trust_coefficient=0)",
        "sophia(every=0)",
    ],
)
def test_other_settings_that_cannot_work_are_refused_too(call: str) -> None:
    setting = call.split("(")[1].split("=", maxsplit=1)[0]
    with pytest.raises(ArgumentError, match=rf"^{setting} of .* Received: "):
        rule_by_name(call)


@every_rule
def test_what_tuning_varies_are_settings_and_every_value_in_the_range_is_valid(kind: type[Rule]) -> None:
    assert 1 <= len(kind.search) <= 4
    for name, values in kind.search.items():
        assert name in kind().settings
        for place in (0.0, 0.5, 1.0):
            kind(**{name: float(values.at(np.array(place)))})


@every_rule
def test_numpy_and_pytorch_give_the_same_path(kind: type[Rule]) -> None:
    way = course(5, shapes=SHAPES_OF.get(kind.name, SHAPES))
    assert_same_path(drive_rule(kind(), way, library="torch"), drive_rule(kind(), way), tolerance=1e-12)


@every_rule
def test_single_precision_gives_the_path_of_double_precision_roughly(kind: type[Rule]) -> None:
    # Few steps: some rules, such as Prodigy while its estimate grows, multiply any difference at each.
    way = course(5, shapes=SHAPES_OF.get(kind.name, SHAPES), steps=8)
    assert_same_path(drive_rule(kind(), way.astype("float32")), drive_rule(kind(), way), tolerance=1e-4)


@every_rule
def test_nothing_that_is_passed_in_is_changed(kind: type[Rule]) -> None:
    way, rule = course(6, steps=4), kind()
    parameters, state = way.start, rule.init(way.start)
    for step, gradients in enumerate(way.gradients):
        curvature = curvature_for(rule, way.curvatures[step]) or None
        passed = (gradients, state, parameters, curvature)
        before = copy.deepcopy(passed)
        updates, after = rule.update(gradients, state, parameters, curvature=curvature)
        _assert_equal(passed, before)
        parameters = tuple(np.asarray(one + update) for one, update in zip(parameters, updates, strict=True))
        state = after


@every_rule
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_numpy_types_are_kept(kind: type[Rule], dtype: str) -> None:
    way = course(7, shapes=((4,), (3, 2)), steps=3).astype(dtype)
    rule = kind()
    parameters, state = way.start, rule.init(way.start)
    # In half precision ε is zero, and overflow and division by zero are what half precision gives.
    with np.errstate(all="ignore"):
        for step, gradients in enumerate(way.gradients):
            curvature = curvature_for(rule, way.curvatures[step]) or None
            updates, state = rule.update(gradients, state, parameters, curvature=curvature)
            for arrays in (
                updates,
                rule.probe(state, parameters),
                rule.evaluation_point(state, parameters),
                rule.effective_rate(state, parameters),
            ):
                assert [one.dtype for one in arrays] == [np.dtype(dtype)] * 2
                assert [one.shape for one in arrays] == [(4,), (3, 2)]


@every_rule
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_pytorch_types_are_kept(kind: type[Rule], dtype: torch.dtype) -> None:
    way, rule = course(8, shapes=((4,), (3, 2)), steps=3), kind()

    def cast(arrays: tuple[np.ndarray, ...]) -> tuple[torch.Tensor, ...]:
        return tuple(torch.from_numpy(one).to(dtype) for one in arrays)

    parameters = cast(way.start)
    state = rule.init(parameters)
    for step, gradients in enumerate(way.gradients):
        curvature = cast(curvature_for(rule, way.curvatures[step])) or None
        updates, state = rule.update(cast(gradients), state, parameters, curvature=curvature)
        evaluated = rule.evaluation_point(state, parameters)
        assert [one.dtype for one in (*updates, *evaluated)] == [dtype] * 4
        assert [tuple(one.shape) for one in updates] == [(4,), (3, 2)]


@every_batched_rule
@pytest.mark.parametrize("seed", range(3))
def test_a_batch_of_rows_with_different_settings_equals_the_rows_one_by_one(kind: type[Rule], seed: int) -> None:
    random = np.random.default_rng(seed)
    settings = {name: values.at(random.uniform(0.1, 0.9, size=ROWS)) for name, values in kind.search.items()}
    batch = course(seed, shapes=((ROWS, 3),), steps=12)
    together = kind(**{name: values[:, None] for name, values in settings.items()})
    paths = drive_rule(together, batch, batch_axes=1)
    ends, rates = _end(together, batch, batch_axes=1)
    for row in range(ROWS):
        alone = kind(**{name: float(values[row]) for name, values in settings.items()})
        one = _row(batch, row)
        assert_same_path([(step[0][row],) for step in paths], drive_rule(alone, one), tolerance=1e-11)
        end, rate = _end(alone, one)
        np.testing.assert_allclose(ends[row], end, rtol=1e-11, atol=1e-11 * np.abs(end).max())
        np.testing.assert_allclose(rates[row], rate, rtol=1e-9)


@every_rule
def test_a_schedule_can_take_the_place_of_every_number_that_tuning_varies(kind: type[Rule]) -> None:
    way = course(9, steps=6)
    numbers = {name: float(values.at(np.array(0.4))) for name, values in kind.search.items()}
    scheduled = kind(**{name: Always(number) for name, number in numbers.items()})
    assert_same_path(drive_rule(scheduled, way), drive_rule(kind(**numbers), way), tolerance=1e-15)


@every_rule
def test_a_gradient_of_zero_moves_nothing(kind: type[Rule]) -> None:
    rule = kind(weight_decay=0.0) if "weight_decay" in kind().settings else kind()
    start = (np.array([1.0, -2.0]),)
    state, still = rule.init(start), (np.zeros(2),)
    for _ in range(3):
        curvature = curvature_for(rule, (np.ones(2),)) or None
        updates, state = rule.update(still, state, start, curvature=curvature)
        np.testing.assert_array_equal(updates[0], 0)


@every_rule
def test_with_a_sensible_learning_rate_a_rule_descends_on_a_parabola(kind: type[Rule]) -> None:
    losses = []
    with np.errstate(all="ignore"):
        for place in np.linspace(0.1, 0.9, 9) if "learning_rate" in kind.search else (None,):
            given = {} if place is None else {"learning_rate": float(kind.search["learning_rate"].at(np.array(place)))}
            losses.append(_loss_on_a_parabola(kind(**given), steps=300))
    assert np.nanmin(losses) < 1e-2 * 9.125


def _loss_on_a_parabola(rule: Rule, *, steps: int) -> float:
    """½(x² + 4y²) after some steps; 9.125 at the start."""
    curvatures = np.array([1.0, 4.0])
    parameters: Any = (np.array([1.5, -2.0]),)
    state = rule.init(parameters)
    for _ in range(steps):
        (probe,) = rule.probe(state, parameters)
        hessian = {"none": None, "diagonal": (curvatures,), "full": (np.diag(curvatures),)}[rule.curvature]
        (update,), state = rule.update((curvatures * probe,), state, parameters, curvature=hessian)
        parameters = (parameters[0] + update,)
    (end,) = rule.evaluation_point(state, parameters)
    return float(0.5 * (curvatures * end**2).sum())


def _row(batch: Course, row: int) -> Course:
    return Course(
        start=(batch.start[0][row],),
        gradients=tuple((one[0][row],) for one in batch.gradients),
        curvatures=tuple((one[0][row],) for one in batch.curvatures),
    )


def _end(rule: Rule, way: Course, *, batch_axes: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The point to judge and the effective learning rates after the last step."""
    own = rule.with_settings(batch_axes=batch_axes)
    parameters, state = way.start, own.init(way.start)
    for step, gradients in enumerate(way.gradients):
        curvature = curvature_for(own, way.curvatures[step], batch_axes=batch_axes) or None
        updates, state = own.update(gradients, state, parameters, curvature=curvature)
        parameters = tuple(one + update for one, update in zip(parameters, updates, strict=True))
    return own.evaluation_point(state, parameters)[0], own.effective_rate(state, parameters)[0]


def _assert_equal(one: object, other: object) -> None:
    """Fail unless two nests of tuples, lists, mappings, arrays and numbers are equal."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()  # type: ignore[attr-defined]
        for key, value in one.items():
            _assert_equal(value, other[key])  # type: ignore[index]
    elif isinstance(one, tuple | list):
        assert len(one) == len(other)  # type: ignore[arg-type]
        for left, right in zip(one, other, strict=True):  # type: ignore[call-overload]
            _assert_equal(left, right)
    else:
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "call",
    [
        "lbfgs(history=2.5)",
        "muon(newton_schulz_steps=2.5)",
        "prodigy(initial_distance=0)",
        "prodigy(growth_limit=0.5)",
        "prodigy(distance_decay=1)",
        "adafactor(clip_threshold=0)",
        "adafactor(decay_exponent=-1)",
        "adafactor(epsilon=-1)",
        "soap(every=1.5)",
        "soap(matrix_decay=2)",
        "shampoo(every=true)",
        "shampoo(largest_dimension=0)",
        "schedule_free_sgd(warm_up=-5)",
        "schedule_free_adamw(averaging_power=-1)",
        "adam(epsilon_inside=5)",
        "nesterov(momentum=none)",
        "lbfgs(history=constant(value=3))",
        "newton(saddle_free=maybe)",
    ],
)
def test_nonsense_is_refused_and_what_is_valid_is_said(call: str) -> None:
    name, setting = call.split("(", maxsplit=1)[0], call.split("(")[1].split("=", maxsplit=1)[0]
    with pytest.raises(ArgumentError, match=rf"^{setting} of {name} is .+\. Received: "):
        rule_by_name(call)


def test_rprop_has_its_smallest_step_below_its_largest() -> None:
    with pytest.raises(ArgumentError, match=r"smallest of rprop is at most largest.*Received: smallest=1"):
        rule_by_name("rprop(smallest=1, largest=0.1)")
