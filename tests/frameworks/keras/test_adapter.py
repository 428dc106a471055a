"""What the Keras adapter does beyond `fit` and the conformance suite."""

from __future__ import annotations

from tests.optional_parts import require

require("keras", "tensorflow")

import copy  # noqa: E402 - only where Keras is

import keras  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
import tensorflow as tf  # noqa: E402

from optiscope.analysis.snapshot_matrix import SnapshotMatrix  # noqa: E402
from optiscope.errors import ArgumentError  # noqa: E402
from optiscope.frameworks.watch import watch  # noqa: E402
from optiscope.recording.schedule import every  # noqa: E402
from optiscope.runs import open_run  # noqa: E402
from optiscope.runs.integrity import check  # noqa: E402


def linear(size=4, **options):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((size,)), keras.layers.Dense(2, **options)])
    model.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=False)
    return model


def test_a_step_that_the_user_compiles_is_seen_when_a_tensor_is_logged(tmp_path):
    model = linear()
    optimizer = model.optimizer

    @tf.function
    def train_step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x)))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    losses = []
    with watch(model, optimizer, run=tmp_path / "run", budget=None, strict=True) as watching:
        for step in range(1, 4):
            loss = train_step(tf.ones((3, 4)) * step)
            watching.log(loss=loss)
            losses.append(float(loss))
        train_step(tf.ones((3, 4)))
    run = open_run(tmp_path / "run")
    assert run["gradient_norm"].steps.tolist() == [1, 2, 3, 4]  # the last one is seen when the watch is closed
    assert run["loss"].steps.tolist() == [1, 2, 3]
    np.testing.assert_allclose(run["loss"].values, losses)


def test_sums_of_millions_of_squares_keep_their_digits(tmp_path):
    model = keras.Sequential([keras.layers.Input((1_500_000,)), keras.layers.Dense(2, use_bias=False)])
    optimizer = keras.optimizers.SGD(0.5)
    random = np.random.default_rng(3)
    kernel = model.trainable_variables[0]
    kernel.assign(random.normal(size=kernel.shape) + 1)
    gradient = tf.constant(random.normal(size=kernel.shape).astype(np.float32) + 10)
    before = kernel.numpy().astype(np.float64)
    with watch(model, optimizer, run=tmp_path / "run", budget=None, snapshots=every(10**9), strict=True):
        optimizer.apply([gradient], [kernel])
    run, after, g = open_run(tmp_path / "run"), kernel.numpy().astype(np.float64), gradient.numpy().astype(np.float64)
    for name, expected in {
        "gradient_norm": np.linalg.norm(g.ravel()),
        "weight_norm": np.linalg.norm(after.ravel()),
        "update_norm": np.linalg.norm((after - before).ravel()),
        "gradient_mean": g.mean(),
        "gradient_std": g.std(),
    }.items():
        assert run[name].values.item() == pytest.approx(expected, rel=1e-10), name


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_gradients_whose_squares_do_not_fit_their_precision_have_their_norm(tmp_path, size):
    model = linear(use_bias=False)
    (kernel,) = model.trainable_variables
    with watch(model, model.optimizer, run=tmp_path / "run", budget=None, strict=True):
        model.optimizer.apply([tf.fill(kernel.shape, tf.constant(size, tf.float32))], [kernel])
    norm = open_run(tmp_path / "run")["gradient_norm"].values.item()
    assert norm == pytest.approx(np.sqrt(8) * size, rel=1e-6)


def test_half_precision_weights_are_measured(tmp_path):
    model = linear(dtype="bfloat16")
    with watch(model, model.optimizer, run=tmp_path / "run", budget=None, snapshots=every(1), strict=True):
        model.train_on_batch(np.ones((2, 4)), np.zeros((2, 2)))
    run = open_run(tmp_path / "run")
    expected = [np.linalg.norm(np.asarray(v.numpy(), dtype=np.float64)) for v in model.trainable_variables]
    np.testing.assert_allclose(run["weight_norm"].values[0], expected)
    assert run.snapshots.load(1)["sequential/dense/kernel"].dtype == np.float32


# Keras asks NumPy for the variables in a way that NumPy 2 has given up.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
def test_saving_cloning_and_copying_a_watched_model_gives_models_that_are_not_watched(tmp_path):
    model = linear()
    x, y = np.ones((2, 4)), np.zeros((2, 2))
    with watch(model, model.optimizer, run=tmp_path / "run", budget=None, strict=True) as watching:
        model.train_on_batch(x, y)
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        clone, copied = keras.models.clone_model(model), copy.deepcopy(model)
        clone.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=False)
        for other in (loaded, clone, copied):
            other.train_on_batch(x, y)
            assert "fit" not in vars(other)
            assert "apply" not in vars(other.optimizer)
        np.testing.assert_array_equal(copied.get_weights()[0], loaded.get_weights()[0])
        assert watching.step == 1


def test_frozen_layers_are_described_and_not_measured(tmp_path):
    model = keras.Sequential(
        [keras.layers.Input((4,)), keras.layers.Dense(3, name="first"), keras.layers.Dense(2, name="second")]
    )
    model.layers[0].trainable = False
    model.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=False)
    with watch(model, model.optimizer, run=tmp_path / "run", budget=None, strict=True):
        model.train_on_batch(np.ones((2, 4)), np.zeros((2, 2)))
    run = open_run(tmp_path / "run")
    assert run["weight_norm"].labels == ("sequential/second/kernel", "sequential/second/bias")
    trained = {tensor["name"]: (tensor["trainable"], tensor["in_optimizer"]) for tensor in run.model["tensors"]}
    assert trained["sequential/first/kernel"] == (False, False)
    assert trained["sequential/second/kernel"] == (True, True)


def test_a_snapshot_holds_every_weight_of_the_description_and_the_path_only_what_is_trained(tmp_path):
    model = keras.Sequential(
        [keras.layers.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization(), keras.layers.Dense(2)]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    with watch(model, model.optimizer, run=tmp_path / "run", budget=None, snapshots=every(1), strict=True):
        for step in range(3):
            model.train_on_batch(np.ones((2, 4)) * step, np.zeros((2, 2)))
    run = open_run(tmp_path / "run")
    last = run.snapshots.load(3)
    assert set(last) == {tensor["name"] for tensor in run.model["tensors"]}
    moving = "sequential/batch_normalization/moving_variance"
    np.testing.assert_array_equal(last[moving], model.layers[1].moving_variance.numpy())
    assert check(run).problems == ()
    assert set(SnapshotMatrix.of([run]).shapes) == set(run["weight_norm"].labels)


def test_a_symbolic_tensor_is_no_metric(tmp_path):
    model = linear()
    with watch(model, model.optimizer, run=tmp_path / "run") as watching:

        @tf.function
        def log(x):
            with pytest.warns(UserWarning, match="outside of tf.function"):
                watching.log(inside=x)
            return x

        log(tf.constant(1.0))
    assert "inside" not in open_run(tmp_path / "run")


def test_something_that_is_no_keras_model_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"keras\.Model.*Received: dict"):
        watch({}, keras.optimizers.SGD(), run=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_optimizer_of_another_model_is_refused(tmp_path):
    model, other = linear(), linear()
    other.train_on_batch(np.ones((2, 4)), np.zeros((2, 2)))
    with pytest.raises(ArgumentError, match="none of the model's"):
        watch(model, other.optimizer, run=tmp_path / "run")
