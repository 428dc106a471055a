"""The report about an optimizer: sound ones pass, and each fault is found and named."""

from __future__ import annotations

import copy
import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from optiscope.errors import ArgumentError, UnknownName
from optiscope.experiments.check_optimizer import check_optimizer
from optiscope.optimizers.chain import chain
from optiscope.optimizers.own import register_optimizer
from optiscope.optimizers.registered import forget
from optiscope.optimizers.rules.adam import Adam
from optiscope.optimizers.transformations.clip_by_global_norm import clip_by_global_norm
from optiscope.optimizers.transformations.clip_by_norm import clip_by_norm
from optiscope.optimizers.transformations.scale_by_adam import scale_by_adam
from optiscope.optimizers.transformations.scale_by_learning_rate import scale_by_learning_rate


class Plain:
    """Gradient descent as a class of a user's own; faults are put in by subclasses."""

    def __init__(self, params, lr=0.01):
        self.params, self.lr = list(params), lr

    def zero_grad(self):
        for parameter in self.params:
            parameter.grad = None

    @torch.no_grad()
    def step(self):
        for parameter in self.params:
            if parameter.grad is not None:
                self.change(parameter)

    def change(self, parameter):
        parameter -= self.lr * parameter.grad


class Momentum(torch.optim.Optimizer):
    """Momentum on PyTorch's own class; faults are put in by subclasses."""

    def __init__(self, params, lr=0.01):
        super().__init__(params, {"lr": lr})

    def step(self, closure=None):
        loss = None if closure is None else closure()
        with torch.no_grad():
            for group in self.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        velocity = self.state[parameter].get("velocity", torch.zeros_like(parameter))
                        self.state[parameter]["velocity"] = velocity * 0.9 + parameter.grad
                        parameter.sub_(self.rate(group) * self.state[parameter]["velocity"])
        return loss

    def rate(self, group):
        return group["lr"]


@pytest.fixture(scope="module")
def example():
    """The example of three ways to write one optimizer."""
    path = Path(__file__).parents[2] / "examples" / "own_optimizer.py"
    spec = importlib.util.spec_from_file_location("own_optimizer_example", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    forget("decaying_momentum")


@pytest.mark.parametrize(
    ("optimizer", "reference"),
    [
        ("adam", "torch.Adam"),
        (Adam(learning_rate=0.1, beta2=0.9), lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.9, 0.9))),
        (chain(scale_by_adam(), scale_by_learning_rate(0.1)), "adam(learning_rate=0.1)"),
        (torch.optim.SGD, "sgd(learning_rate=1e-3)"),
        ("torch.LBFGS", None),
        ("nesterov_lookahead", None),
        ("sophia", None),
        (Momentum, lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9)),
        (Plain, lambda p: torch.optim.SGD(p, lr=0.01)),
    ],
)
def test_sound_optimizers_pass(optimizer, reference):
    report = check_optimizer(optimizer, reference=reference)
    assert report.failures == ()
    assert report.passed
    assert report["equals the reference"].outcome == ("skipped" if reference is None else "passed")
    assert len(report.checks) == 13


def _with(kind, **methods):
    return type("Faulty", (kind,), methods)


def _in_place(self, parameter):
    parameter.grad += 0.1 * parameter
    parameter -= self.lr * parameter.grad


def _uphill(self, parameter):
    parameter += self.lr * parameter.grad


def _still(self, parameter):
    pass


def _rebound(self, parameter):
    parameter.data = parameter.data.float() - self.lr * parameter.grad.float()


@torch.no_grad()
def _bold_step(self):
    for parameter in self.params:
        parameter.sub_(self.lr * parameter.grad)


def _counting(self, group):
    self.count = getattr(self, "count", 0) + 1
    return group["lr"] / self.count


def _silent_step(self, closure=None):
    Momentum.step(self, closure)


def _deaf_step(self, closure=None):
    return Momentum.step(self, None)


def _blind_step(self, closure=None):
    with torch.no_grad():
        return Momentum.step(self, closure)


def _shared(self, params, lr=0.01):
    Momentum.__init__(self, params, lr)
    for index, group in enumerate(self.param_groups):
        self.param_groups[index] = group if index == 0 else _Shared(self.param_groups[0], group["params"])


class _Shared(dict):
    """A group that keeps its settings in another."""

    def __init__(self, first, params):
        super().__init__(first, params=params)
        self.first = first

    def __getitem__(self, key):
        return self.first[key] if key == "lr" else super().__getitem__(key)

    def __setitem__(self, key, value):
        self.first[key] = value


@pytest.mark.parametrize(
    ("faulty", "name", "found", "mend"),
    [
        (_with(Plain, change=_uphill), "descent on a parabola", "it rises from", "check its sign"),
        (_with(Plain, change=_uphill), "descent on Rosenbrock", "with the learning rate / 1000", "check its sign"),
        (_with(Plain, change=_still), "descent on a parabola", "nothing moves", "changes the parameters in place"),
        (_with(Plain, change=_still), "missing gradients", "was not changed", "whose grad is None"),
        (_with(Plain, change=_in_place), "gradients unchanged", "in place", "not g += λθ"),
        (_with(Plain, change=_rebound), "float16", "became torch.float32", "like the parameter"),
        (_with(Plain, step=_bold_step), "missing gradients", "raised TypeError", "whose grad is None"),
        (_with(Plain, zero_grad=lambda self: None), "zero_grad", "is left after zero_grad", "Set grad to None"),
        (_with(Momentum, rate=_counting), "saved state", "differs from step 1", "in the state, not in attributes"),
        (_with(Momentum, rate=lambda self, group: 0.01), "parameter groups", "moves the same", "not self.lr"),
        (_with(Momentum, __init__=_shared), "parameter groups", "changes the other", "a dict of its own"),
        (_with(Momentum, step=_silent_step), "closure", "does not return the loss", "return loss"),
        (_with(Momentum, step=_deaf_step), "closure", "does not call the closure", "loss = closure()"),
        (_with(Momentum, step=_blind_step), "closure", "with gradients disabled", "enable_grad"),
    ],
)
def test_each_fault_is_found_and_named(faulty, name, found, mend):
    check = check_optimizer(faulty)[name]
    assert check.outcome == "failed"
    assert found in check.found
    assert mend in check.mend


def test_a_wrong_formula_is_told_from_its_reference():
    check = check_optimizer("adam(epsilon=1e-3)", reference="torch.Adam")["equals the reference"]
    assert check.outcome == "failed"
    assert "differs from torch.Adam" in check.found
    assert "after step 1" in check.found
    loose = check_optimizer("adam(epsilon=1e-3)", reference="torch.Adam", tolerance=1.0)
    assert loose["equals the reference"].outcome == "passed"


def test_a_learning_rate_that_is_too_large_for_one_problem_is_no_fault():
    check = check_optimizer("sgd", learning_rate=0.1)["descent on Rosenbrock"]
    assert check.outcome == "passed"
    assert "with the learning rate / " in check.found
    assert "to infinity" in check.found


@pytest.mark.parametrize(
    ("optimizer", "words"),
    [
        ("adam", "stays in its coordinate"),
        (chain(clip_by_norm(1.0), scale_by_learning_rate(0.1)), "spreads over its tensor"),
        (chain(clip_by_global_norm(1.0), scale_by_learning_rate(0.1)), "makes all parameters NaN"),
    ],
)
def test_it_says_where_nan_gets_to(optimizer, words):
    report = check_optimizer(optimizer)
    check = report["NaN gradients"]
    assert check.outcome == "noted"
    assert words in check.found
    assert "GradScaler" in check.mend
    assert " noted" in str(report).splitlines()[0]


def test_a_nan_that_gets_to_other_parameters_without_need_is_a_fault():
    class Shared(Plain):
        def __init__(self, params, lr=0.01):
            super().__init__(params, lr)
            self.poisoned = 0.0

        def change(self, parameter):
            self.poisoned = self.poisoned + 0 * parameter.grad.sum()
            parameter -= self.lr * parameter.grad + self.poisoned

    check = check_optimizer(Shared)["NaN gradients"]
    assert check.outcome == "failed"
    assert "other parameters NaN" in check.found
    assert "by itself" in check.mend


def test_a_gradient_that_never_reaches_the_parameters_as_nan_passes():
    def refused(self, parameter):
        if not parameter.grad.isfinite().all():
            raise ValueError("not finite")
        Plain.change(self, parameter)

    assert check_optimizer(_with(Plain, change=refused))["NaN gradients"].outcome == "passed"


def test_weights_that_become_nan_in_half_precision_are_noted():
    check = check_optimizer("adam")["float16"]
    assert check.outcome == "noted"
    assert "a gradient of exactly 0 gives NaN" in check.found
    assert "float32" in check.mend
    assert check_optimizer("sgd")["float16"].outcome == "passed"


def test_every_form_of_an_optimizer_is_understood():
    assert check_optimizer(functools.partial(torch.optim.SGD, lr=0.1)).optimizer == "SGD"
    assert check_optimizer(functools.partial(Adam, learning_rate=0.1)).optimizer == "Adam"
    assert check_optimizer(lambda *arguments, **more: torch.optim.SGD(*arguments, **more)).passed
    with pytest.raises(ArgumentError, match="has its parameters already"):
        check_optimizer(torch.optim.SGD([torch.nn.Parameter(torch.ones(1))]))


def test_it_says_what_becomes_of_sparse_gradients():
    assert "same result" in check_optimizer("torch.SGD")["sparse gradients"].found
    assert "refused: Adam takes dense gradients" in check_optimizer("adam")["sparse gradients"].found

    def half(self, parameter):
        parameter -= 1.0
        if parameter.grad.is_sparse:
            raise RuntimeError("too late")

    assert "after it had changed" in check_optimizer(_with(Plain, change=half))["sparse gradients"].found

    def wrong(self, parameter):
        parameter -= self.lr * (parameter.grad.to_dense() / (2 if parameter.grad.is_sparse else 1))

    assert "otherwise than" in check_optimizer(_with(Plain, change=wrong))["sparse gradients"].found


def test_what_a_class_does_not_offer_is_skipped():
    report = check_optimizer(Plain)
    skipped = {check.name for check in report.checks if check.outcome == "skipped"}
    assert skipped == {"equals the reference", "parameter groups", "saved state", "closure"}
    assert "torch.optim.Optimizer" in report["saved state"].mend


def test_its_text_is_a_table_with_what_to_mend():
    report = check_optimizer(_with(Plain, change=_in_place))
    text = str(report).splitlines()
    assert text[0] == "Faulty: 7 passed, 1 noted, 1 failed, 4 skipped"
    assert any(line.startswith("  failed   gradients unchanged") for line in text)
    assert any(line.lstrip().startswith("→ Write g = g + λθ") for line in text)
    with pytest.raises(KeyError):
        report["no such check"]


def test_random_numbers_of_the_caller_stay_as_they_are():
    before, numpy = torch.get_rng_state(), copy.deepcopy(np.random.get_state())
    check_optimizer("adam")
    assert torch.equal(torch.get_rng_state(), before)
    assert all(np.array_equal(one, other) for one, other in zip(np.random.get_state(), numpy, strict=True))


def test_registered_optimizers_are_checked_by_name():
    register_optimizer("plain_to_check")(Plain)
    try:
        assert check_optimizer("plain_to_check(lr=0.1)").optimizer == "plain_to_check"
        with pytest.raises(UnknownName, match="is not a setting of plain_to_check"):
            check_optimizer("plain_to_check", rate=0.1)
    finally:
        forget("plain_to_check")


@pytest.mark.parametrize(
    ("optimizer", "settings", "error", "words"),
    [
        ("adm", {}, UnknownName, "Did you mean 'adam'"),
        ("torch.Adm", {}, UnknownName, r"Did you mean 'torch\.Adam'"),
        ("adam", {"rate": 1.0}, UnknownName, "is not a setting of adam"),
        ("adam", {"tolerance": 0}, ArgumentError, "tolerance is a number above 0"),
        (3, {}, ArgumentError, "An optimizer is a name"),
        (list, {}, ArgumentError, "has no method step"),
        (Plain, {"rate": 1.0}, ArgumentError, "could not be made for a list of parameters"),
    ],
)
def test_what_is_no_optimizer_is_an_error(optimizer, settings, error, words):
    with pytest.raises(error, match=words):
        check_optimizer(optimizer, **settings)


def test_the_three_ways_of_the_example_equal_pytorch(example):
    differences = example.greatest_differences()
    assert set(differences) == {"class", "rule", "chain"}
    assert max(differences.values()) < 1e-6


def test_the_three_ways_of_the_example_pass(example):
    assert check_optimizer(example.DecayingMomentum).passed
    rule = check_optimizer("decaying_momentum", reference=example.composed, tolerance=1e-12)
    assert rule.passed
    assert rule["equals the reference"].outcome == "passed"
