"""Each transformation against an independent computation: PyTorch's, another library's, or the formula in a loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytorch_optimizer import Lookahead, centralize_gradient
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, get_swa_avg_fn

from optiscope.optimizers.chain import chain
from optiscope.optimizers.rules.adam import Adam
from optiscope.optimizers.schedules.cosine import Cosine
from optiscope.optimizers.transformations.accumulate import accumulate
from optiscope.optimizers.transformations.add_l2 import add_l2
from optiscope.optimizers.transformations.add_noise import add_noise
from optiscope.optimizers.transformations.add_weight_decay import add_weight_decay
from optiscope.optimizers.transformations.average_weights import average_weights
from optiscope.optimizers.transformations.centralise import centralise
from optiscope.optimizers.transformations.clip_by_global_norm import clip_by_global_norm
from optiscope.optimizers.transformations.clip_by_norm import clip_by_norm
from optiscope.optimizers.transformations.clip_by_rms import clip_by_rms
from optiscope.optimizers.transformations.clip_by_value import clip_by_value
from optiscope.optimizers.transformations.look_ahead import look_ahead
from optiscope.optimizers.transformations.scale_by_adam import scale_by_adam
from optiscope.optimizers.transformations.scale_by_factored_rms import scale_by_factored_rms
from optiscope.optimizers.transformations.scale_by_learning_rate import scale_by_learning_rate
from optiscope.optimizers.transformations.scale_by_momentum import scale_by_momentum
from optiscope.optimizers.transformations.scale_by_rms import scale_by_rms
from optiscope.optimizers.transformations.scale_by_schedule import scale_by_schedule
from optiscope.optimizers.transformations.scale_by_sign import scale_by_sign
from optiscope.optimizers.transformations.transformation import Transformation
from tests.optimizers.reference import (
    MATRICES,
    Course,
    Way,
    assert_same_path,
    course,
    courses,
    decays,
    drive_rule,
    drive_torch,
    fractions,
    rates,
)

some = hypothesis_settings(max_examples=15)


def directions_of(transformation: Transformation, course: Course) -> Way:
    """What comes out in each step, at parameters that stay where they are."""
    state, way = transformation.init(course.start), []
    for gradients in course.gradients:
        directions, state = transformation.update(gradients, state, course.start)
        way.append(directions)
    return way


def gradients_through(change, course: Course) -> Way:
    """The gradients after a PyTorch function that changes those of a list of parameters in place."""
    way = []
    for gradients in course.gradients:
        parameters = [torch.nn.Parameter(torch.from_numpy(one.copy())) for one in course.start]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = torch.from_numpy(gradient.copy())
        change(parameters)
        way.append(tuple(parameter.grad.numpy() for parameter in parameters))
    return way


@some
@given(course=courses(), maximum=rates(0.01, 10))
def test_clip_by_value_is_pytorchs(course, maximum):
    theirs = gradients_through(lambda parameters: torch.nn.utils.clip_grad_value_(parameters, maximum), course)
    assert_same_path(directions_of(clip_by_value(maximum), course), theirs)


@some
@given(course=courses(), maximum=rates(0.1, 30))
def test_clip_by_global_norm_is_pytorchs(course, maximum):
    theirs = gradients_through(lambda parameters: torch.nn.utils.clip_grad_norm_(parameters, maximum), course)
    assert_same_path(directions_of(clip_by_global_norm(maximum), course), theirs)


@some
@given(course=courses(), maximum=rates(0.1, 30))
def test_clip_by_norm_is_pytorchs_for_each_tensor_by_itself(course, maximum):
    def each(parameters: list[torch.nn.Parameter]) -> None:
        for parameter in parameters:
            torch.nn.utils.clip_grad_norm_([parameter], maximum)

    assert_same_path(directions_of(clip_by_norm(maximum), course), gradients_through(each, course))


@pytest.mark.parametrize("make", [clip_by_norm, clip_by_global_norm])
def test_clipping_bears_zeros_and_numbers_whose_squares_overflow(make):
    clip = make(2.0, epsilon=0.0)
    with np.errstate(divide="ignore"):
        ((nothing,), _) = clip.update((np.zeros(3),), clip.init((np.zeros(3),)), (np.zeros(3),))
    assert nothing.tolist() == [0, 0, 0]
    huge = np.array([3e200, -4e200])
    ((short,), _) = clip.update((huge,), clip.init((huge,)), (huge,))
    np.testing.assert_allclose(short, [1.2, -1.6], rtol=1e-14)


@some
# PyTorch leaves out the dampening too when the momentum is zero.
@given(course=courses(), learning_rate=rates(), momentum=rates(0.01, 0.99), dampening=fractions(), decay=decays())
def test_momentum_is_pytorchs_sgd(course, learning_rate, momentum, dampening, decay):
    ours = chain(add_l2(decay), scale_by_momentum(momentum, dampening=dampening), scale_by_learning_rate(learning_rate))
    theirs = drive_torch(
        lambda p: torch.optim.SGD(p, learning_rate, momentum=momentum, dampening=dampening, weight_decay=decay), course
    )
    assert_same_path(drive_rule(ours, course), theirs)


@some
@given(course=courses(), learning_rate=rates(), momentum=st.floats(0.01, 0.99))
def test_nesterovs_momentum_is_pytorchs_sgd(course, learning_rate, momentum):
    ours = chain(scale_by_momentum(momentum, nesterov=True), scale_by_learning_rate(learning_rate))
    theirs = drive_torch(lambda p: torch.optim.SGD(p, learning_rate, momentum=momentum, nesterov=True), course)
    assert_same_path(drive_rule(ours, course), theirs)


@some
@given(course=courses(), learning_rate=rates(), beta1=fractions(), beta2=fractions(), decay=decays())
def test_adam_with_decay_before_and_after_is_pytorchs_adam_and_adamw(course, learning_rate, beta1, beta2, decay):
    scale, rate = scale_by_adam(beta1=beta1, beta2=beta2), scale_by_learning_rate(learning_rate)
    betas = (beta1, beta2)
    assert_same_path(
        drive_rule(chain(add_l2(decay), scale, rate), course),
        drive_torch(lambda p: torch.optim.Adam(p, learning_rate, betas, weight_decay=decay), course),
    )
    assert_same_path(
        drive_rule(chain(scale, add_weight_decay(decay), rate), course),
        drive_torch(lambda p: torch.optim.AdamW(p, learning_rate, betas, weight_decay=decay), course),
    )


@pytest.mark.parametrize("epsilon_inside", [False, True])
def test_the_chain_of_adam_is_the_rule(epsilon_inside):
    one = course(3)
    ours = chain(scale_by_adam(epsilon=1e-3, epsilon_inside=epsilon_inside), scale_by_learning_rate(0.1))
    rule = Adam(learning_rate=0.1, epsilon=1e-3, epsilon_inside=epsilon_inside)
    assert_same_path(drive_rule(ours, one), drive_rule(rule, one), tolerance=4e-15)


@some
@given(course=courses(), learning_rate=rates(), decay=fractions())
def test_rms_is_pytorchs_rmsprop(course, learning_rate, decay):
    ours = chain(scale_by_rms(decay, epsilon=1e-4), scale_by_learning_rate(learning_rate))
    theirs = drive_torch(lambda p: torch.optim.RMSprop(p, learning_rate, alpha=decay, eps=1e-4), course)
    assert_same_path(drive_rule(ours, course), theirs)


@some
@given(course=courses(), learning_rate=rates(), decay=st.floats(0.5, 0.999))
def test_centred_rms_is_pytorchs_rmsprop(course, learning_rate, decay):
    ours = chain(scale_by_rms(decay, epsilon=1e-4, centred=True), scale_by_learning_rate(learning_rate))
    theirs = drive_torch(lambda p: torch.optim.RMSprop(p, learning_rate, alpha=decay, eps=1e-4, centered=True), course)
    # G − d̄² is a difference: up to three digits are lost in it while the decay is at one half.
    assert_same_path(drive_rule(ours, course), theirs, tolerance=1e-11)


def test_centred_rms_bears_directions_that_do_not_change():
    # G − d̄² is zero but for rounding, and may come out below.
    scale, one = scale_by_rms(0.1, centred=True), (np.full(50, 1 / 3) * np.arange(1, 51),)
    state = scale.init(one)
    for _ in range(30):
        (direction,), state = scale.update(one, state, one)
        assert np.isfinite(direction).all()


def test_rms_with_epsilon_inside_ends_where_the_known_answer_is():
    # The weighted sphere 0.2 x₀² + 2 x₁² from (3, 4); the end was computed to eight digits elsewhere.
    ours = chain(scale_by_rms(0.9, epsilon=1e-7, epsilon_inside=True), scale_by_learning_rate(0.1))
    x, weights = np.array([3.0, 4.0]), np.array([0.2, 2.0])
    state = ours.init((x,))
    for _ in range(50):
        (update,), state = ours.update((2 * weights * x,), state, (x,))
        x = x + update
    np.testing.assert_allclose(x, [0.00252965, 0.10352261], atol=5e-9)


def test_sign_is_pytorchs():
    one = course(5)
    theirs = [tuple(torch.from_numpy(g).sign().numpy() for g in gradients) for gradients in one.gradients]
    assert_same_path(directions_of(scale_by_sign(), one), theirs)
    ((zero,), _) = scale_by_sign().update((np.zeros(2),), ({},), (np.ones(2),))
    assert zero.tolist() == [0, 0]


@some
@given(course=courses(shapes=[(3,), *MATRICES, (2, 3, 4)]), exponent=st.floats(0.3, 1.0), clip=st.floats(1, 3))
def test_factored_rms_with_its_clipping_is_pytorchs_adafactor(course, exponent, clip):
    # PyTorch's step is also scaled with the size of the parameters; that is done by the learning rate here.
    # Its ε is the machine's.
    rate, epsilon = 0.01, float(np.finfo(np.float64).eps)
    parts = [scale_by_factored_rms(exponent, epsilon=epsilon), clip_by_rms(clip)]
    parameters, states, ours = course.start, [part.init(course.start) for part in parts], []
    for step, gradients in enumerate(course.gradients, start=1):
        directions = gradients
        for index, part in enumerate(parts):
            directions, states[index] = part.update(directions, states[index], parameters)
        size = [max(1e-3, math.sqrt(float(np.mean(p * p)))) * min(rate, 1 / math.sqrt(step)) for p in parameters]
        parameters = tuple(p - s * d for p, s, d in zip(parameters, size, directions, strict=True))
        ours.append(parameters)
    theirs = drive_torch(
        lambda p: torch.optim.Adafactor(p, rate, beta2_decay=-exponent, eps=(None, 1e-3), d=clip, weight_decay=0.0),
        course,
    )
    assert_same_path(ours, theirs)


def test_centralise_is_pytorch_optimizers():
    one = course(7, shapes=[(), (4,), (3, 2), (2, 3, 4), (2, 1, 3, 3)])

    def each(parameters: list[torch.nn.Parameter]) -> None:
        for parameter in parameters:
            centralize_gradient(parameter.grad)

    assert_same_path(directions_of(centralise(), one), gradients_through(each, one))


def test_centralise_takes_the_mean_out_of_vectors_when_asked():
    ((direction,), _) = centralise(vectors=True).update((np.array([1.0, 2.0, 6.0]),), ({},), (np.zeros(3),))
    assert direction.tolist() == [-2, -1, 3]


def test_noise_has_the_mean_the_variance_and_the_distribution_it_should():
    from scipy.stats import kstest

    noise = add_noise(0.5, annealing=0.55, seed=3)
    zeros = (np.zeros((100, 200)),)
    state, samples = noise.init(zeros), []
    for _ in range(4):
        (one,), state = noise.update(zeros, state, zeros)
        samples.append(one.ravel())
    for step, sample in enumerate(samples):
        size = 0.5 / (1 + step) ** 0.275
        # The bounds are five standard errors of 20,000 numbers; this seed is fixed.
        assert abs(sample.mean()) < 5 * size / math.sqrt(20_000)
        assert sample.std() == pytest.approx(size, rel=5 / math.sqrt(2 * 20_000))
        assert kstest(sample / size, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(samples)[np.triu_indices(4, 1)]).max() < 5 / math.sqrt(20_000)


def test_noise_depends_on_seed_step_and_tensor_alone():
    two = (np.zeros(3), np.zeros(3))

    def first(seed: int) -> tuple[np.ndarray, ...]:
        noise = add_noise(1.0, seed=seed)
        return noise.update(two, noise.init(two), two)[0]

    assert np.array_equal(first(1), first(1))
    assert not np.array_equal(first(1)[0], first(1)[1])
    assert not np.array_equal(first(1), first(2))


def test_rows_with_seeds_of_their_own_meet_the_noise_of_those_seeds():
    seeds = np.array([[4], [9], [4]])
    rows = (np.zeros((3, 2)),)
    noise = add_noise(1.0, seed=seeds).with_settings(batch_axes=1)
    ((batch,), _) = noise.update(rows, noise.init(rows), rows)
    for row, seed in enumerate(seeds[:, 0]):
        alone = add_noise(1.0, seed=int(seed))
        single = (np.zeros(2),)
        assert np.array_equal(batch[row], alone.update(single, alone.init(single), single)[0][0])


@some
@given(course=courses(), learning_rate=rates(), every=st.integers(1, 6), rate=st.floats(0.05, 1))
def test_look_ahead_is_pytorch_optimizers(course, learning_rate, every, rate):
    ours = chain(scale_by_adam(), scale_by_learning_rate(learning_rate), look_ahead(every, rate))
    theirs = drive_torch(lambda p: Lookahead(torch.optim.Adam(p, learning_rate), k=every, alpha=rate), course)
    assert_same_path(drive_rule(ours, course), theirs)


def _averages(course: Course, averaging, *, begin: int = 0) -> Way:
    """What PyTorch's averaged copy of a model holds after each step of SGD."""
    model = torch.nn.ParameterList([torch.nn.Parameter(torch.from_numpy(one.copy())) for one in course.start])
    averaged = AveragedModel(model, **averaging)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    way = []
    for step, gradients in enumerate(course.gradients):
        for parameter, gradient in zip(model, gradients, strict=True):
            parameter.grad = torch.from_numpy(gradient.copy())
        optimizer.step()
        if step >= begin:
            averaged.update_parameters(model)
        now = averaged.module if step >= begin else model
        way.append(tuple(one.detach().numpy().copy() for one in now))
    return way


@some
@given(course=courses(), decay=fractions())
def test_the_exponential_average_of_weights_is_pytorchs(course, decay):
    ours = drive_rule(chain(scale_by_learning_rate(0.1), average_weights(decay)), course, evaluate=True)
    assert_same_path(ours, _averages(course, {"multi_avg_fn": get_ema_multi_avg_fn(decay)}))


@some
@given(course=courses(), begin=st.integers(0, 12))
def test_the_plain_average_of_weights_is_pytorchs(course, begin):
    rule = chain(scale_by_learning_rate(0.1), average_weights(kind="mean", begin=begin))
    ours = drive_rule(rule, course, evaluate=True)
    assert_same_path(ours, _averages(course, {"avg_fn": get_swa_avg_fn()}, begin=begin))


def test_averaging_leaves_the_parameters_where_they_go():
    one = course(11)
    averaged = chain(Adam(learning_rate=0.1), average_weights())
    assert_same_path(drive_rule(averaged, one), drive_rule(Adam(learning_rate=0.1), one), tolerance=1e-15)


@some
@given(course=courses(), every=st.integers(1, 5))
def test_accumulated_steps_are_steps_with_the_mean_gradient(course, every):
    ours = drive_rule(chain(accumulate(every), scale_by_adam(), scale_by_learning_rate(0.1)), course)
    full = len(course.gradients) // every
    means = tuple(
        tuple(np.asarray(np.mean(tensor, axis=0)) for tensor in zip(*course.gradients[k : k + every], strict=True))
        for k in range(0, full * every, every)
    )
    shorter = Course(start=course.start, gradients=means, curvatures=course.curvatures[:full])
    theirs = drive_torch(lambda p: torch.optim.Adam(p, 0.1), shorter)
    assert_same_path(ours[every - 1 :: every], theirs)
    for step, parameters in enumerate(ours, start=1):
        before = ours[step - 2] if step > 1 else course.start
        still = all(np.array_equal(one, other) for one, other in zip(parameters, before, strict=True))
        assert still == (step % every != 0)


def test_a_schedule_multiplies_the_direction_as_pytorchs_lambda_does():
    one, schedule = course(13), Cosine(start=1.0, steps=10)

    class Scheduled:
        def __init__(self, parameters: list[torch.nn.Parameter]):
            self.optimizer = torch.optim.SGD(parameters, 0.3, momentum=0.9)
            self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, schedule)

        def step(self) -> None:
            self.optimizer.step()
            self.scheduler.step()

    beside = chain(scale_by_momentum(0.9), scale_by_schedule(schedule), scale_by_learning_rate(0.3))
    within = chain(scale_by_momentum(0.9), scale_by_learning_rate(Cosine(start=0.3, steps=10)))
    theirs = drive_torch(Scheduled, one)
    assert_same_path(drive_rule(beside, one), theirs)
    assert_same_path(drive_rule(within, one), theirs)
