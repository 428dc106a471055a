"""Laws that every transformation keeps, and bad settings."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from optiscope.errors import ArgumentError
from optiscope.optimizers.schedules.constant import Constant
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
from optiscope.optimizers.transformations.registry import transformation_types
from optiscope.optimizers.transformations.scale_by_adam import scale_by_adam
from optiscope.optimizers.transformations.scale_by_factored_rms import scale_by_factored_rms
from optiscope.optimizers.transformations.scale_by_learning_rate import scale_by_learning_rate
from optiscope.optimizers.transformations.scale_by_momentum import scale_by_momentum
from optiscope.optimizers.transformations.scale_by_rms import scale_by_rms
from optiscope.optimizers.transformations.scale_by_schedule import scale_by_schedule
from optiscope.optimizers.transformations.scale_by_sign import scale_by_sign
from optiscope.optimizers.transformations.transformation import Transformation

SAMPLES: tuple[Transformation, ...] = (
    accumulate(3),
    add_l2(0.1),
    add_noise(0.1, annealing=0.5),
    add_weight_decay(0.1),
    average_weights(0.9, begin=2),
    centralise(vectors=True),
    clip_by_global_norm(1.0),
    clip_by_norm(1.0),
    clip_by_rms(0.7),
    clip_by_value(0.5),
    look_ahead(3, 0.3),
    scale_by_adam(),
    scale_by_factored_rms(),
    scale_by_learning_rate(0.1),
    scale_by_momentum(0.9, dampening=0.2, nesterov=True),
    scale_by_rms(centred=True, beta=0.5),
    scale_by_schedule(Constant(value=0.5)).with_settings(factor=0.5),
    scale_by_sign(),
)
VARIED = {
    "accumulate": {},
    "add_noise": {"standard_deviation": (0.1, 2.0), "annealing": (0.0, 1.0), "seed": (1, 2)},
    "add_l2": {"weight_decay": (0.0, 0.5)},
    "add_weight_decay": {"weight_decay": (0.0, 0.5)},
    "average_weights": {"decay": (0.1, 0.9)},
    "centralise": {},
    "clip_by_global_norm": {"maximum": (0.1, 9.0), "epsilon": (0.0, 1e-3)},
    "clip_by_norm": {"maximum": (0.1, 9.0), "epsilon": (0.0, 1e-3)},
    "clip_by_rms": {"maximum": (0.1, 9.0)},
    "clip_by_value": {"maximum": (0.1, 9.0)},
    "look_ahead": {"rate": (0.1, 0.9)},
    "scale_by_adam": {"beta1": (0.0, 0.9), "beta2": (0.5, 0.99), "epsilon": (1e-8, 1e-2)},
    "scale_by_factored_rms": {"decay_exponent": (0.5, 1.0), "epsilon": (1e-8, 1e-2)},
    "scale_by_learning_rate": {"learning_rate": (0.1, 0.2)},
    "scale_by_momentum": {"momentum": (0.0, 0.9), "dampening": (0.0, 0.5)},
    "scale_by_rms": {"beta": (0.5, 0.9), "epsilon": (1e-8, 1e-2)},
    "scale_by_schedule": {"factor": (0.3, 0.9)},
    "scale_by_sign": {},
}
SHAPES = ((), (4,), (3, 2), (2, 3, 4))
each = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


def draw(*, shapes=SHAPES, steps=7, dtype="float64", seed=0):
    random = np.random.default_rng(seed)
    start = tuple(np.asarray(random.normal(size=shape), dtype=dtype) for shape in shapes)
    gradients = [tuple(np.asarray(random.normal(size=shape), dtype=dtype) for shape in shapes) for _ in range(steps)]
    return start, gradients


def run(sample: Transformation, start, gradients):
    state, parameters, way = sample.init(start), start, []
    for one in gradients:
        directions, state = sample.update(one, state, parameters)
        if directions is not None:
            parameters = tuple(p - 0.1 * d for p, d in zip(parameters, directions, strict=True))
        way.append((directions, sample.evaluation_point(state, parameters), sample.scale(state, parameters)))
    return way


def flat(way):
    for directions, kept, scale in way:
        yield from directions or ()
        yield from kept
        yield from scale


def test_there_is_a_sample_of_each_transformation():
    assert [sample.name for sample in SAMPLES] == list(transformation_types())
    assert sorted(VARIED) == list(transformation_types())


@each
def test_torch_tensors_give_what_numpy_arrays_give(sample):
    start, gradients = draw()
    theirs = run(sample, tuple(map(torch.from_numpy, start)), [tuple(map(torch.from_numpy, one)) for one in gradients])
    for ours, tensor in zip(flat(run(sample, start, gradients)), flat(theirs), strict=True):
        np.testing.assert_allclose(np.asarray(tensor), ours, rtol=1e-12, atol=1e-13)


@each
def test_rows_with_settings_of_their_own_are_as_if_alone(sample):
    assert_rows_are_as_if_alone(sample, (4,), VARIED[sample.name])


@pytest.mark.parametrize("sample", [one for one in SAMPLES if one.batching == "rowwise"], ids=lambda one: one.name)
def test_rows_of_matrices_are_as_if_alone(sample):
    # Other settings of shape (rows, 1) do not fit a batch of matrices.
    assert_rows_are_as_if_alone(sample, (3, 2), VARIED[sample.name] if sample.name == "scale_by_factored_rms" else {})


def assert_rows_are_as_if_alone(sample: Transformation, shape: tuple[int, ...], varied: dict[str, tuple]) -> None:
    columns = {name: np.array(values)[:, None] for name, values in varied.items()}
    start, gradients = draw(shapes=((2, *shape), (2, *shape)))
    batch = run(sample.with_settings(batch_axes=1, **columns), start, gradients)
    for row in range(2):
        own = {name: float(values[row, 0]) for name, values in columns.items()}
        alone = run(
            sample.with_settings(**own),
            tuple(one[row] for one in start),
            [tuple(one[row] for one in arrays) for arrays in gradients],
        )
        for (together, kept, _), (single, kept_alone, _) in zip(batch, alone, strict=True):
            assert (together is None) == (single is None)
            for one, other in zip((*(together or ()), *kept), (*(single or ()), *kept_alone), strict=True):
                np.testing.assert_allclose(one[row], other, rtol=1e-14, atol=1e-15)


@each
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_the_dtype_is_kept_by_numpy_and_torch(sample, dtype):
    start, gradients = draw(dtype=dtype, shapes=((4,), (3, 2)))
    for directions, kept, _ in run(sample, start, gradients):
        assert {one.dtype for one in (*(directions or ()), *kept)} == {np.dtype(dtype)}
    tensors = [tuple(map(torch.from_numpy, one)) for one in gradients]
    for directions, kept, _ in run(sample, tuple(map(torch.from_numpy, start)), tensors):
        assert {one.dtype for one in (*(directions or ()), *kept)} == {getattr(torch, dtype)}


@each
def test_brain_floats_stay_brain_floats(sample):
    start, gradients = draw(shapes=((4,), (3, 2)))
    tensors = [tuple(torch.from_numpy(one).bfloat16() for one in arrays) for arrays in (start, *gradients)]
    for directions, kept, _ in run(sample, tensors[0], tensors[1:]):
        assert {one.dtype for one in (*(directions or ()), *kept)} == {torch.bfloat16}


@each
def test_nothing_that_is_passed_is_changed(sample):
    start, gradients = draw()
    _, state = sample.update(gradients[0], sample.init(start), start)
    before = copy.deepcopy((start, gradients[1], state))
    first, _ = sample.update(gradients[1], state, start)
    again, _ = sample.update(gradients[1], state, start)
    np.testing.assert_equal((start, gradients[1], state), before)
    np.testing.assert_equal(first, again)


@each
def test_what_is_remembered_survives_when_parameters_change_in_place(sample):
    start, gradients = draw(shapes=((4,),))
    mine = tuple(one.copy() for one in start)
    state = sample.init(mine)
    mine[0][:] = np.nan
    directions, state = sample.update(gradients[0], state, start)
    for _ in range(2):
        directions, state = sample.update(gradients[0], state, start)
    assert np.isfinite(directions[0]).all()


@each
def test_a_transformation_says_what_it_is(sample):
    assert sample.title
    assert sample.reference
    assert set(sample.search) <= set(sample.settings)
    assert "batch_axes" not in sample.settings


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: accumulate(0), "every of accumulate is a whole number, 1 or above"),
        (lambda: accumulate(1.5), "every of accumulate is a whole number"),
        (lambda: add_l2(-1), "weight_decay of add_l2 is a finite number, 0 or above"),
        (lambda: add_weight_decay(float("nan")), "weight_decay of add_weight_decay is a finite number, 0 or above"),
        (lambda: add_noise(-1.0), "standard_deviation of add_noise is a finite number, 0 or above"),
        (lambda: add_noise(1.0, seed=0.5), "seed of add_noise is a whole number"),
        (lambda: add_noise(1.0, seed=-1), "seed of add_noise is a whole number, 0 or above"),
        (lambda: average_weights(1.0), "decay of average_weights is at least 0 and below 1"),
        (lambda: average_weights(kind="median"), "kind of average_weights is one of 'exponential', 'mean'"),
        (lambda: average_weights(begin=-1), "begin of average_weights is a whole number, 0 or above"),
        (lambda: clip_by_norm(0.0), "maximum of clip_by_norm is a finite number above 0"),
        (lambda: clip_by_global_norm(float("inf")), "maximum of clip_by_global_norm is a finite number above 0"),
        (lambda: clip_by_rms("much"), "maximum of clip_by_rms is a finite number above 0"),
        (lambda: clip_by_value(None), "maximum of clip_by_value is a finite number above 0"),
        (lambda: look_ahead(0), "every of look_ahead is a whole number, 1 or above"),
        (lambda: look_ahead(5, 0.0), "rate of look_ahead is a finite number above 0"),
        (lambda: scale_by_adam(beta1=1.0), "beta1 of scale_by_adam is at least 0 and below 1"),
        (lambda: scale_by_factored_rms(-0.8), "decay_exponent of scale_by_factored_rms is a finite number, 0 or above"),
        (lambda: scale_by_learning_rate(0.0), "learning_rate of scale_by_learning_rate is a finite number above 0"),
        (lambda: scale_by_learning_rate("fast"), "learning_rate of scale_by_learning_rate is a finite number above 0"),
        (lambda: scale_by_momentum(1.0), "momentum of scale_by_momentum is at least 0 and below 1"),
        (lambda: scale_by_rms(2.0), "beta of scale_by_rms is at least 0 and below 1"),
        (lambda: scale_by_schedule(0.5), "for a number there is scale_by_learning_rate"),
    ],
)
def test_a_bad_setting_is_an_error_that_says_what_it_should_be(make, message):
    with pytest.raises(ArgumentError, match=message) as error:
        make()
    assert "Received: " in str(error.value)
