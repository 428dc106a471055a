"""Update rules as PyTorch optimizers: they equal PyTorch's own, and bear what a training loop does to an optimizer."""

from __future__ import annotations

import copy
import io
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

import optiscope as osc
from optiscope.errors import ArgumentError, UnknownName
from optiscope.frameworks.pytorch.rule_optimizer import torch_optimizer
from optiscope.optimizers.chain import chain
from optiscope.optimizers.own import as_rule
from optiscope.optimizers.registry import rule_types
from optiscope.optimizers.rule import Rule, Setting, TensorRule
from optiscope.optimizers.rules.adam import Adam
from optiscope.optimizers.schedules.registry import schedule
from optiscope.optimizers.transformations.clip_by_norm import clip_by_norm
from optiscope.optimizers.transformations.scale_by_adam import scale_by_adam
from optiscope.optimizers.transformations.scale_by_learning_rate import scale_by_learning_rate
from optiscope.problems.tasks.digits import digits
from optiscope.problems.tasks.lenet import lenet
from tests.frameworks.pytorch.training import small_batch, small_network


def train(model, optimizer, steps=10, dtype=torch.float64, after=lambda: None):
    inputs, labels = small_batch(dtype)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
        after()
    return [parameter.detach().clone() for parameter in model.parameters()]


def same(one, other, **tolerance):
    for first, second in zip(one, other, strict=True):
        torch.testing.assert_close(first, second, **tolerance or {"rtol": 0, "atol": 0})


@dataclass(frozen=True, kw_only=True, eq=False)
class LookAhead(TensorRule):
    """Asks for the gradient one step ahead, and keeps what it was given."""

    name: ClassVar[str] = "look_ahead_for_tests"
    title: ClassVar[str] = "Looks ahead"
    learning_rate: Setting = 0.1

    def init_tensor(self, parameter):
        return {"start": parameter}

    def update_tensor(self, gradient, state, parameter, *, curvature=None):
        return -self.learning_rate * gradient, {"start": state["start"], "gradient": gradient, "last": parameter}

    def probe_tensor(self, state, parameter):
        return parameter + 1

    def evaluation_tensor(self, state, parameter):
        return (parameter + state["start"]) / 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Whole(Rule):
    """Looks at all tensors together: steps along the gradient of length one, with momentum."""

    name: ClassVar[str] = "whole_for_tests"
    title: ClassVar[str] = "Whole"
    learning_rate: Setting = 0.1

    def init(self, parameters):
        return tuple({"momentum": torch.zeros_like(one)} for one in parameters)

    def update(self, gradients, state, parameters, *, curvature=None):
        length = sum((one * one).sum() for one in gradients).sqrt()
        after = tuple(
            {"momentum": 0.9 * one["momentum"] + gradient / length}
            for one, gradient in zip(state, gradients, strict=True)
        )
        return tuple(-self.learning_rate * one["momentum"] for one in after), after


def test_adam_equals_pytorch_on_lenet_and_digits():
    data = digits(seed=0)
    images, labels = torch.from_numpy(data.train_images[:64]), torch.from_numpy(data.train_labels[:64])
    ours, theirs = lenet(seed=0).double(), lenet(seed=0).double()
    own = torch_optimizer(ours.parameters(), "adam", learning_rate=0.01, weight_decay=0.1)
    reference = torch.optim.Adam(theirs.parameters(), lr=0.01, weight_decay=0.1)
    losses = []
    for _ in range(5):
        for model, optimizer in ((ours, own), (theirs, reference)):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(images.double()), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        same(ours.parameters(), theirs.parameters(), rtol=1e-9, atol=1e-12)
    assert losses[-1] < losses[0]


PLAIN = [name for name, kind in rule_types().items() if kind.curvature == "none" and "probe_tensor" not in vars(kind)]
"""Rules that take the gradient where the parameters are, and nothing else."""


@pytest.mark.parametrize("name", PLAIN)
def test_every_rule_trains_a_network(name):
    model = small_network(torch.float32)
    inputs, labels = small_batch(torch.float32)
    before = nn.functional.cross_entropy(model(inputs), labels)
    train(model, torch_optimizer(model.parameters(), name), steps=8, dtype=torch.float32)
    after = nn.functional.cross_entropy(model(inputs), labels)
    assert after < before
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())


def test_a_chain_trains_a_network_as_the_rule_that_it_spells():
    one, other = small_network(torch.float64), small_network(torch.float64)
    made = torch_optimizer(one.parameters(), chain(scale_by_adam(), scale_by_learning_rate(0.01)))
    assert made.param_groups[0]["lr"] == 0.01
    same(
        train(one, made),
        train(other, torch_optimizer(other.parameters(), "adam(learning_rate=0.01)")),
        rtol=1e-12,
        atol=0,
    )


def test_a_chain_that_clips_equals_clipping_by_hand():
    one, other = small_network(torch.float64), small_network(torch.float64)
    made = torch_optimizer(one.parameters(), chain(clip_by_norm(0.05), scale_by_learning_rate(0.5)))
    reference = torch.optim.SGD(other.parameters(), lr=0.5)
    inputs, labels = small_batch(torch.float64)
    for _ in range(5):
        for model, optimizer in ((one, made), (other, reference)):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs), labels).backward()
            if optimizer is reference:
                for parameter in model.parameters():
                    nn.utils.clip_grad_norm_(parameter, 0.05)
            optimizer.step()
    same(one.parameters(), other.parameters(), rtol=1e-12, atol=1e-14)


def test_groups_have_their_own_settings():
    ours, theirs = small_network(torch.float64), small_network(torch.float64)

    def groups(model):
        return [
            {"params": model[0].parameters(), "lr": 0.1},
            {"params": model[2].parameters(), "weight_decay": 0.5},
        ]

    own = torch_optimizer(groups(ours), "adam", lr=0.01)
    reference = torch.optim.Adam(groups(theirs), lr=0.01)
    assert [group["lr"] for group in own.param_groups] == [0.1, 0.01]
    same(train(ours, own), train(theirs, reference), rtol=1e-12, atol=1e-14)


def test_schedulers_of_pytorch_set_the_learning_rate():
    ours, theirs = small_network(torch.float64), small_network(torch.float64)
    own = torch_optimizer(ours.parameters(), "adam", learning_rate=0.1)
    reference = torch.optim.Adam(theirs.parameters(), lr=0.1)
    ways = []
    for model, optimizer in ((ours, own), (theirs, reference)):
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.7)
        ways.append(train(model, optimizer, after=scheduler.step))
    same(*ways, rtol=1e-12, atol=1e-14)
    assert own.param_groups[0]["lr"] == pytest.approx(0.1 * 0.7**10)


def test_a_schedule_within_the_rule_does_the_same_and_shows_in_the_group():
    ours, theirs = small_network(torch.float64), small_network(torch.float64)
    decaying = schedule("exponential(start=0.1, factor=0.7)")
    own = torch_optimizer(ours.parameters(), "adam", learning_rate=decaying)
    reference = torch.optim.Adam(theirs.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(reference, 0.7)
    shown = []
    first = train(ours, own, after=lambda: shown.append(own.param_groups[0]["lr"]))
    same(first, train(theirs, reference, after=scheduler.step), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(shown, 0.1 * 0.7 ** np.arange(10))


def test_a_schedule_and_a_scheduler_at_once_are_an_error():
    model = small_network(torch.float64)
    optimizer = torch_optimizer(model.parameters(), "sgd", lr=schedule("exponential(start=0.1, factor=0.7)"))
    torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.7)
    with pytest.raises(ArgumentError, match="Leave out one of the two"):
        train(model, optimizer)


@pytest.mark.parametrize("rule", ["adam", "sgd", "schedule_free_adamw", "prodigy", "lbfgs", Whole()])
def test_saved_state_continues_bit_for_bit(rule):
    model = small_network(torch.float32)
    optimizer = torch_optimizer(model.parameters(), rule, lr=schedule("exponential(start=0.1, factor=0.9)"))
    train(model, optimizer, steps=4, dtype=torch.float32)
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=False)
    other = small_network(torch.float32, seed=5)
    again = torch_optimizer(other.parameters(), rule, lr=schedule("exponential(start=0.1, factor=0.9)"))
    other.load_state_dict(saved["model"])
    again.load_state_dict(saved["optimizer"])
    same(train(model, optimizer, steps=4, dtype=torch.float32), train(other, again, steps=4, dtype=torch.float32))
    assert again.param_groups[0]["optiscope_step"] == 8


def test_a_saved_state_keeps_the_precision_that_the_rule_chose():
    @dataclass(frozen=True, kw_only=True, eq=False)
    class Precise(LookAhead):
        def init_tensor(self, parameter):
            return {"sum": parameter.double(), "count": torch.zeros(3, dtype=torch.int64)}

        def update_tensor(self, gradient, state, parameter, *, curvature=None):
            total = state["sum"] + gradient / 3
            return (-total).to(parameter.dtype), {"sum": total, "count": state["count"] + 1}

        def probe_tensor(self, state, parameter):
            return parameter

    model = small_network(torch.float32)
    optimizer = torch_optimizer(model.parameters(), Precise())
    train(model, optimizer, steps=2, dtype=torch.float32)
    again = torch_optimizer(model.parameters(), Precise())
    again.load_state_dict(optimizer.state_dict())
    for parameter in model.parameters():
        assert torch.equal(again.state[parameter]["sum"], optimizer.state[parameter]["sum"])
        assert again.state[parameter]["count"].tolist() == [2, 2, 2]


def test_a_deep_copy_is_independent_and_continues_the_same():
    model = small_network(torch.float64)
    optimizer = torch_optimizer(model.parameters(), "adam", lr=0.1)
    train(model, optimizer, steps=3)
    both = copy.deepcopy((model, optimizer))
    same(train(model, optimizer, steps=3), train(*both, steps=3))


@pytest.mark.parametrize("rule", ["adam", Whole()])
def test_parameters_without_gradients_are_left_alone(rule):
    still, moving = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(2))
    optimizer = torch_optimizer([still, moving], rule)
    optimizer.zero_grad()
    optimizer.step()
    assert torch.equal(moving, torch.ones(2))
    assert len(optimizer.state) == 0
    for _ in range(3):
        moving.grad = torch.ones(2)
        optimizer.step()
    assert torch.equal(still, torch.ones(3))
    assert (moving < 1).all()


def test_gradients_are_not_changed():
    for name in PLAIN:
        parameter = nn.Parameter(torch.ones(3, 2))
        optimizer = torch_optimizer([parameter], name)
        parameter.grad = torch.arange(1.0, 7.0).reshape(3, 2)
        optimizer.step()
        assert torch.equal(parameter.grad, torch.arange(1.0, 7.0).reshape(3, 2)), name


def test_a_sparse_gradient_is_refused_before_anything_changes():
    plain, table = nn.Parameter(torch.ones(2)), nn.Embedding(5, 2, sparse=True)
    optimizer = torch_optimizer([plain, table.weight], "adam")
    plain.grad = torch.ones(2)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(ArgumentError, match=r"dense gradients.*sparse=False.*parameter 1 of group 0"):
        optimizer.step()
    assert torch.equal(plain, torch.ones(2))


def test_a_closure_is_called_once_and_its_loss_returned():
    parameter = nn.Parameter(torch.tensor([2.0]))
    optimizer = torch_optimizer([parameter], "sgd", lr=0.25)
    calls = []

    def closure():
        optimizer.zero_grad()
        loss = (parameter**2).sum()
        loss.backward()
        calls.append(loss.item())
        return loss

    assert optimizer.step(closure).item() == 4.0
    assert calls == [4.0]
    assert parameter.item() == 1.0


def test_a_rule_that_looks_ahead_gets_the_gradient_there():
    parameter = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    optimizer = torch_optimizer([parameter], LookAhead())

    def closure():
        optimizer.zero_grad()
        loss = (parameter**2).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 9.0
    assert parameter.item() == pytest.approx(2 - 0.1 * 6)
    with pytest.raises(ArgumentError, match=r"looks ahead.*Pass a closure"):
        optimizer.step()


def test_nesterov_with_a_probe_equals_its_formula():
    parameter = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    optimizer = torch_optimizer([parameter], "nesterov_lookahead", lr=0.1, momentum=0.9)

    def closure():
        optimizer.zero_grad()
        loss = (parameter**2).sum()
        loss.backward()
        return loss

    x, velocity = 2.0, 0.0
    for _ in range(6):
        optimizer.step(closure)
        velocity = 0.9 * velocity - 0.1 * 2 * (x + 0.9 * velocity)
        x += velocity
        assert parameter.item() == pytest.approx(x, rel=1e-12)


def test_state_does_not_share_memory_with_what_training_changes():
    parameter = nn.Parameter(torch.tensor([2.0]))
    optimizer = torch_optimizer([parameter], LookAhead())
    for _ in range(2):
        parameter.grad = torch.ones(1)
        optimizer.step(lambda: torch.zeros(()))
    parameter.grad.zero_()
    state = optimizer.state[parameter]
    assert (state["start"].item(), state["gradient"].item()) == (2.0, 1.0)
    assert state["last"].item() == pytest.approx(1.9)


def test_inside_evaluation_the_parameters_are_the_average():
    parameter = nn.Parameter(torch.tensor([2.0]))
    optimizer = torch_optimizer([parameter], LookAhead())
    with optimizer.evaluation():
        assert parameter.item() == 2.0
    parameter.grad = torch.tensor([10.0])
    optimizer.step(lambda: torch.zeros(()))
    with optimizer.evaluation():
        assert parameter.item() == 1.5
        with pytest.raises(ArgumentError, match="Call step outside"):
            optimizer.step(lambda: torch.zeros(()))
    assert parameter.item() == 1.0


def test_curvature_reaches_the_rule():
    parameter = nn.Parameter(torch.tensor([3.0, -1.0], dtype=torch.float64))
    optimizer = torch_optimizer([parameter], "newton", learning_rate=1.0)
    hessian = torch.tensor([[2.0, 1.0], [1.0, 4.0]], dtype=torch.float64)
    parameter.grad = hessian @ parameter.detach()
    optimizer.step(curvature=[hessian])
    torch.testing.assert_close(parameter.detach(), torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-12)
    with pytest.raises(ArgumentError, match="one tensor for each of the 1 parameters"):
        optimizer.step(curvature=[hessian, hessian])
    with pytest.raises(ArgumentError, match="needs the Hessian"):
        optimizer.step()


def test_complex_parameters_are_pairs_of_real_ones():
    start = torch.tensor([1 + 2j, -3j], dtype=torch.complex128)
    one, other = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    ours, theirs = torch_optimizer([one], "adam", lr=0.1), torch.optim.Adam([other], lr=0.1)
    for _ in range(3):
        one.grad = other.grad = torch.tensor([1j, 2 - 1j], dtype=torch.complex128)
        ours.step()
        theirs.step()
    torch.testing.assert_close(one, other, rtol=1e-12, atol=0)


def test_a_scaler_skips_steps_with_infinite_gradients():
    parameter = nn.Parameter(torch.tensor([2.0]))
    optimizer = torch_optimizer([parameter], "sgd", lr=0.25)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    scaler.scale((parameter**2).sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    assert parameter.item() == 1.0
    parameter.grad = torch.tensor([torch.inf])
    scaler.step(optimizer)
    scaler.update()
    assert parameter.item() == 1.0


def test_half_precision_stays_half():
    for dtype in (torch.float16, torch.bfloat16):
        parameter = nn.Parameter(torch.ones(4, dtype=dtype))
        optimizer = torch_optimizer([parameter], "adam", lr=0.125)
        parameter.grad = torch.full((4,), 0.5, dtype=dtype)
        optimizer.step()
        assert parameter.dtype == dtype
        assert parameter.detach().float().tolist() == pytest.approx([0.875] * 4, abs=0.01)


def test_a_watch_records_it(tmp_path):
    model = small_network(torch.float32)
    optimizer = torch_optimizer(model.parameters(), "adam", lr=0.125)
    with osc.watch(model, optimizer, run=tmp_path / "run", budget=None, strict=True):
        train(model, optimizer, steps=3, dtype=torch.float32)
    run = osc.open_run(tmp_path / "run")
    assert run.optimizer["name"] == "Adam"
    assert run["learning_rate"].values.ravel().tolist() == [0.125] * 3
    assert run["beta2"].values.ravel().tolist() == [0.999] * 3


@pytest.mark.parametrize(
    ("arguments", "settings", "error", "words"),
    [
        (("adm",), {}, UnknownName, "Did you mean 'adam'"),
        (("adam",), {"beta3": 0.9}, UnknownName, "is not a setting of adam"),
        (("adam",), {"lr": -1.0}, ArgumentError, "learning_rate of adam is a finite number above 0"),
        ((3,), {}, ArgumentError, "An optimizer is a name, a rule"),
        (("sgd",), {"lr": schedule("reduce_on_plateau(value=0.1)")}, ArgumentError, "ReduceLROnPlateau"),
    ],
)
def test_what_cannot_work_is_said_at_once(arguments, settings, error, words):
    with pytest.raises(error, match=words):
        torch_optimizer([nn.Parameter(torch.ones(2))], *arguments, **settings)


def test_settings_of_a_group_are_checked():
    with pytest.raises(ArgumentError, match="learning_rate of adam is a finite number above 0"):
        torch_optimizer([{"params": [nn.Parameter(torch.ones(2))], "lr": float("nan")}], "adam")


def test_its_text_names_the_rule():
    assert repr(torch_optimizer([nn.Parameter(torch.ones(2))], "adam")).startswith("RuleOptimizer of Adam (")


def test_noise_is_another_in_every_group():
    pair = [nn.Parameter(torch.zeros(3)) for _ in range(2)]
    noisy = chain(osc.add_noise(1.0), scale_by_learning_rate(0.1))
    ends = []
    for groups in ([{"params": [one]} for one in pair], [{"params": pair}]):
        optimizer = torch_optimizer(groups, noisy)
        for one in pair:
            one.data.zero_()
            one.grad = torch.zeros(3)
        optimizer.step()
        ends.append([one.detach().clone() for one in pair])
    assert not torch.equal(*ends[0])
    same(*ends)


class Stepping:
    """A rule of a user's own with a setting called step."""

    def __init__(self, step=0.5):
        self.step = step

    def init(self, parameter):
        return None

    def update(self, gradient, state, parameter):
        return -self.step * gradient, state


def test_a_setting_called_step_stays_what_it_is():
    parameter = nn.Parameter(torch.zeros(2))
    optimizer = torch_optimizer([parameter], as_rule(Stepping(0.25)))
    for _ in range(2):
        parameter.grad = torch.ones(2)
        optimizer.step()
    assert parameter.tolist() == [-0.5, -0.5]


@dataclass(frozen=True, kw_only=True, eq=False)
class Colliding(LookAhead):
    """Has two names for the learning rate."""

    name: ClassVar[str] = "colliding_for_tests"
    lr: Setting = 0.1


def test_settings_that_collide_with_those_of_a_group_are_refused():
    with pytest.raises(ArgumentError, match="The setting 'lr' of colliding_for_tests has the name of something else"):
        torch_optimizer([nn.Parameter(torch.zeros(2))], Colliding())


@pytest.mark.parametrize(
    ("rule", "settings", "words"),
    [
        (chain(clip_by_norm(1.0)), {"maximum": -1.0}, "maximum of clip_by_norm is a finite number above 0"),
        (chain(osc.look_ahead(2)), {"every": 0}, "every of look_ahead is a whole number"),
        (
            chain(osc.add_l2(0.1), osc.add_weight_decay(0.1)),
            {"add_l2.weight_decay": -3.0},
            "weight_decay of add_l2 is a finite number, 0 or above",
        ),
        (chain(clip_by_norm(1.0), Adam()), {"beta1": 2.0}, "beta1 of adam is at least 0 and below 1"),
    ],
)
def test_settings_of_chains_are_checked(rule, settings, words):
    with pytest.raises(ArgumentError, match=words):
        torch_optimizer([nn.Parameter(torch.zeros(2))], rule, **settings)


@pytest.mark.parametrize("number", [np.float32(0.25), np.float64(0.25), np.array(0.25), np.int64(1)])
def test_scalars_of_numpy_are_settings(number):
    optimizer = torch_optimizer([nn.Parameter(torch.zeros(2))], "adam", learning_rate=number)
    assert optimizer.param_groups[0]["lr"] == float(number)
    assert isinstance(optimizer.param_groups[0]["lr"], float | int)
    torch.optim.lr_scheduler.StepLR(optimizer, 1)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (chain(scale_by_learning_rate(0.1), scale_by_learning_rate(0.2)), "several"),
        (chain(clip_by_norm(1.0)), "none"),
    ],
)
def test_a_scheduler_without_a_single_learning_rate_is_told_so(rule, words):
    optimizer = torch_optimizer([nn.Parameter(torch.zeros(2))], rule)
    for one in (optimizer, copy.deepcopy(optimizer)):
        with pytest.raises(ArgumentError, match=f"this rule has {words}"):
            torch.optim.lr_scheduler.StepLR(one, 1)
    optimizer.load_state_dict(optimizer.state_dict())
    with pytest.raises(ArgumentError, match=f"this rule has {words}"):
        torch.optim.lr_scheduler.StepLR(optimizer, 1)


def test_schedulers_that_cycle_momentum_leave_the_average_right():
    parameter = nn.Parameter(torch.tensor([3.0, 4.0], dtype=torch.float64))
    optimizer = torch_optimizer([parameter], "schedule_free_sgd", lr=0.1, averaging_rate_power=0.0)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.2, total_steps=8)
    z, points, betas = parameter.detach().clone(), [], set()
    for _ in range(7):
        parameter.grad = torch.tensor([0.4, 4.0], dtype=torch.float64) * parameter.detach()
        z = z - optimizer.param_groups[0]["lr"] * parameter.grad
        betas.add(optimizer.param_groups[0]["momentum"])
        points.append(z)
        optimizer.step()
        scheduler.step()
    assert len(betas) > 3
    with optimizer.evaluation():
        torch.testing.assert_close(parameter.detach(), torch.stack(points).mean(0), rtol=1e-11, atol=0)


@pytest.mark.parametrize("cycle", [torch.optim.lr_scheduler.OneCycleLR, torch.optim.lr_scheduler.CyclicLR])
def test_cycles_without_momentum_work_with_every_rule(cycle):
    optimizer = torch_optimizer([nn.Parameter(torch.zeros(2))], "adam")
    more = {"total_steps": 9} if cycle is torch.optim.lr_scheduler.OneCycleLR else {"base_lr": 0.01}
    cycle(optimizer, max_lr=0.1, cycle_momentum=False, **more)
    assert optimizer.param_groups[0]["lr"] < 0.1


def test_short_names_of_settings_are_those_of_pytorch():
    optimizer = torch_optimizer(
        [{"params": [nn.Parameter(torch.zeros(2))], "eps": 1e-3}], "adam", lr=0.5, betas=(0.5, 0.6)
    )
    group = optimizer.param_groups[0]
    assert (group["lr"], group["epsilon"], group["beta1"], group["beta2"]) == (0.5, 1e-3, 0.5, 0.6)
