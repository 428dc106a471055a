"""Optimizers of other packages, stepped on problems that NumPy evaluates."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from optiscope.errors import ArgumentError, UnknownName
from optiscope.frameworks.pytorch.foreign import foreign_factory, run_foreign, torch_optimizer_names
from optiscope.optimizers.schedules.registry import schedule
from optiscope.problems.functions.rosenbrock import Rosenbrock

START = np.array([-1.2, 1.0])


def _loop(make, steps):
    """The same run written by hand, with PyTorch's own derivative."""
    x = torch.tensor(START, requires_grad=True)
    optimizer = make([x])
    way = [x.detach().numpy().copy()]

    def closure():
        optimizer.zero_grad()
        loss = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
        way.append(x.detach().numpy().copy())
    return np.array(way), optimizer.state[x]


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("torch.Adam(lr=0.1)", lambda p: torch.optim.Adam(p, lr=0.1)),
        (
            "torch.Adam(learning_rate=0.1, beta2=0.9, epsilon=1e-4)",
            lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.9, 0.9), eps=1e-4),
        ),
        ("torch.SGD(lr=1e-3, momentum=0.9)", lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9)),
        ("torch.LBFGS", torch.optim.LBFGS),
    ],
)
def test_a_run_equals_a_loop_with_autograd(name, make):
    record = run_foreign(Rosenbrock(), foreign_factory(name), START, steps=12)
    np.testing.assert_allclose(record.points, _loop(make, 12)[0], rtol=1e-9)


def test_the_state_is_recorded_under_the_names_that_pictures_know():
    record = run_foreign(Rosenbrock(), foreign_factory("torch.Adam(lr=0.1, amsgrad=true)"), START, steps=5)
    assert list(record.internals) == ["momentum", "second_moment", "max_exp_avg_sq"]
    _, state = _loop(lambda p: torch.optim.Adam(p, lr=0.1, amsgrad=True), 5)
    np.testing.assert_allclose(record.internals["second_moment"][5], state["exp_avg_sq"].numpy(), rtol=1e-9)
    assert np.isnan(record.internals["momentum"][0]).all()


def test_the_effective_rate_of_gradient_descent_is_its_learning_rate():
    record = run_foreign(Rosenbrock(), foreign_factory("torch.SGD(lr=1e-3)"), START, steps=5)
    assert np.isnan(record.effective_rates[0]).all()
    np.testing.assert_allclose(record.effective_rates[1:], 1e-3, rtol=1e-9)


def test_lbfgs_says_that_it_evaluates_more_than_once_a_step():
    assert run_foreign(Rosenbrock(), foreign_factory("torch.Adam"), START, steps=5).evaluations == 5
    assert run_foreign(Rosenbrock(), foreign_factory("torch.LBFGS"), START, steps=5).evaluations > 10


@pytest.mark.parametrize("name", torch_optimizer_names())
def test_every_optimizer_of_pytorch_goes_down_rosenbrock(name):
    problem = Rosenbrock()
    record = run_foreign(problem, foreign_factory(f"{name}(lr=1e-3)"), START, steps=10)
    assert record.points.shape == record.effective_rates.shape == (11, 2)
    assert problem.value(record.points[-1]) < problem.value(START)


@pytest.mark.parametrize("name", ["Lion", "Muon", "SophiaH", "AdaHessian", "SpectralSphere", "SOAP"])
def test_optimizers_of_the_package_go_down_rosenbrock(name):
    pytest.importorskip("pytorch_optimizer")
    assert f"pytorch_optimizer.{name}" in torch_optimizer_names(packages=True)
    problem = Rosenbrock()
    record = run_foreign(problem, foreign_factory(f"pytorch_optimizer.{name}(lr=1e-3)"), START, steps=10)
    assert problem.value(record.points[-1]) < problem.value(START)


def test_an_averaging_optimizer_is_judged_by_its_average():
    package = pytest.importorskip("pytorch_optimizer")
    x = torch.nn.Parameter(torch.tensor(START))
    optimizer = package.ScheduleFreeSGD([x], lr=1e-3)
    optimizer.train()
    for _ in range(5):
        x.grad = torch.from_numpy(Rosenbrock().gradient(x.detach().numpy()))
        optimizer.step()
    trained = x.detach().numpy().copy()
    optimizer.eval()
    record = run_foreign(Rosenbrock(), foreign_factory("pytorch_optimizer.ScheduleFreeSGD(lr=1e-3)"), START, steps=5)
    np.testing.assert_allclose(record.points[-1], x.detach().numpy(), rtol=1e-12)
    assert np.abs(record.points[-1] - trained).max() > 1e-6


def test_a_path_that_diverges_ends_in_rows_of_nan():
    factory = foreign_factory("torch.SGD(lr=1.0)")
    endless = run_foreign(Rosenbrock(), factory, START, steps=30)
    assert not np.isfinite(endless.points[-1]).any()
    bounded = run_foreign(Rosenbrock(), factory, START, steps=30, bound=1e3)
    outside = np.flatnonzero(np.abs(bounded.points).max(axis=1) > 1e3)
    assert len(outside) == 1
    np.testing.assert_array_equal(bounded.points[: outside[0] + 1], endless.points[: outside[0] + 1])
    assert np.isnan(bounded.points[outside[0] + 1 :]).all()


def test_random_numbers_are_seeded_inside_and_untouched_outside():
    class Noisy(torch.optim.SGD):
        def step(self, closure=None):
            for parameter in self.param_groups[0]["params"]:
                parameter.grad.add_(torch.randn(2, dtype=torch.float64))
            return super().step()

    def run(seed):
        return run_foreign(Rosenbrock(), Noisy, START, steps=3, seed=seed).points

    torch.manual_seed(5)
    before, own = torch.get_rng_state(), random.getstate()
    first = run(1)
    assert torch.equal(torch.get_rng_state(), before)
    assert random.getstate() == own
    np.testing.assert_array_equal(run(1), first)
    assert not np.array_equal(run(2), first)


def test_the_problem_is_told_the_step_and_the_seed():
    told = []

    @dataclass(frozen=True, kw_only=True)
    class Told(Rosenbrock):
        def stochastic_gradient(self, x, *, step, seeds):
            told.append((step, int(seeds)))
            return self.gradient(x)

    run_foreign(Told(), foreign_factory("torch.SGD(lr=1e-4)"), START, steps=3, seed=7)
    assert told == [(0, 7), (1, 7), (2, 7)]


def test_a_plain_class_with_a_step_that_takes_nothing_runs():
    class Plain:
        def __init__(self, params):
            self.params = list(params)

        def step(self):
            for parameter in self.params:
                parameter.data -= 1e-3 * parameter.grad

    record = run_foreign(Rosenbrock(), Plain, START, steps=3)
    np.testing.assert_allclose(record.points, _loop(lambda p: torch.optim.SGD(p, lr=1e-3), 3)[0], rtol=1e-12)
    assert record.internals == {}


def test_the_number_of_a_setting_reaches_the_class():
    factory = foreign_factory("torch.RMSprop(alpha=0.5)").with_settings(learning_rate=0.25)
    (group,) = factory([torch.nn.Parameter(torch.ones(2))]).param_groups
    assert (group["lr"], group["alpha"]) == (0.25, 0.5)
    assert list(factory.search) == ["learning_rate", "momentum", "alpha"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("torch.Adan", "Did you mean 'torch.Adam'"),
        ("torch.Adam(lrr=0.1)", "Did you mean 'lr'"),
        ("numpy.Adam", r"package with PyTorch optimizers\. Valid: pytorch_optimizer, torch\."),
        ("torch.Optimizer", "is not a PyTorch optimizer"),
    ],
)
def test_unknown_names_are_told_the_nearest(name, words):
    with pytest.raises(UnknownName, match=words):
        foreign_factory(name)


def test_a_value_that_the_class_refuses_is_an_error_at_once():
    with pytest.raises(ArgumentError, match=r"torch\.Adam could not be made.*Invalid learning rate: -1"):
        foreign_factory("torch.Adam(lr=-1)")


def test_an_optimizer_that_cannot_step_says_so():
    class Broken(torch.optim.SGD):
        def step(self, closure=None):
            raise RuntimeError("out of order")

    with pytest.raises(ArgumentError, match=r"Broken cannot minimise rosenbrock.*out of order"):
        run_foreign(Rosenbrock(), Broken, START, steps=3)


def test_an_error_of_the_problem_is_passed_on_as_it_is():
    @dataclass(frozen=True, kw_only=True)
    class Wrong(Rosenbrock):
        def gradient(self, x):
            raise ZeroDivisionError("the problem itself")

    with pytest.raises(ZeroDivisionError, match="the problem itself"):
        run_foreign(Wrong(), foreign_factory("torch.Adam"), START, steps=3)


def test_a_schedule_for_a_setting_of_pytorch_is_an_error():
    with pytest.raises(ArgumentError, match=r"lr of torch\.Adam is a number: PyTorch's optimizers follow no schedule"):
        foreign_factory("torch.Adam(lr=cosine(start=0.1, steps=9))")
    with pytest.raises(ArgumentError, match="follow no schedule"):
        foreign_factory("torch.Adam").with_settings(learning_rate=schedule("constant(value=0.1)"))
