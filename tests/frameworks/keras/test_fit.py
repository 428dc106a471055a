"""The Keras adapter under `model.fit`."""

from __future__ import annotations

from tests.optional_parts import require

require("keras", "tensorflow")

import keras  # noqa: E402 - only where Keras is
import numpy as np  # noqa: E402
import pytest  # noqa: E402

from optiscope.errors import RecordingWarning  # noqa: E402
from optiscope.frameworks.watch import watch  # noqa: E402
from optiscope.recording.schedule import at, every  # noqa: E402
from optiscope.runs import open_run  # noqa: E402

CLASSES, INPUTS, SAMPLES, BATCH = 3, 6, 48, 8
STEPS_PER_EPOCH = SAMPLES // BATCH


def data():
    random = np.random.default_rng(0)
    return random.normal(size=(SAMPLES, INPUTS)).astype(np.float32), random.integers(0, CLASSES, SAMPLES)


def inputs():
    return keras.layers.Input((INPUTS,))


def hidden():
    return keras.layers.Dense(5, activation="relu")


def dropout():
    return keras.layers.Dropout(0.25)


def output():
    return keras.layers.Dense(CLASSES)


def network(*layers, optimizer=None, jit_compile=False, **options):
    """A small classifier with dropout, or of the given layers, compiled; always with the same weights."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([make() for make in layers or (inputs, hidden, dropout, output)])
    model.compile(
        optimizer or keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=jit_compile,
        **options,
    )
    return model


def fit(model, epochs=1, **options):
    x, y = data()
    return model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0, shuffle=False, **options)


def record(path, model, epochs=1, fit_options=None, **options):
    with watch(model, model.optimizer, run=path, **{"budget": None, "strict": True, **options}):
        history = fit(model, epochs, **(fit_options or {}))
    return open_run(path), history


def test_a_plain_fit_is_recorded_without_another_line(tmp_path):
    run, history = record(tmp_path / "run", network(), epochs=2, fit_options={"validation_split": 0.0})
    steps = list(range(1, 2 * STEPS_PER_EPOCH + 1))
    assert run["gradient_norm"].steps.tolist() == steps
    assert run["gradient_norm"].labels == (
        "sequential/dense/kernel",
        "sequential/dense/bias",
        "sequential/dense_1/kernel",
        "sequential/dense_1/bias",
    )
    assert run["loss"].steps.tolist() == steps
    assert run["accuracy"].steps.tolist() == steps
    # Keras' logs are means since the epoch began, so the last of an epoch is that of the epoch.
    assert run["loss"].values[STEPS_PER_EPOCH - 1 :: STEPS_PER_EPOCH].tolist() == history.history["loss"]
    assert run["beta1"].values[0] == 0.9
    assert run.model["name"] == "sequential"


def test_epochs_are_a_timeline_and_validation_is_recorded_at_their_ends(tmp_path):
    run, history = record(tmp_path / "run", network(), epochs=2, fit_options={"validation_data": data()})
    expected = np.arange(1, 2 * STEPS_PER_EPOCH + 1) / STEPS_PER_EPOCH
    np.testing.assert_allclose(run["gradient_norm"].epochs, expected)
    assert run["val_loss"].steps.tolist() == [STEPS_PER_EPOCH, 2 * STEPS_PER_EPOCH]
    assert run["val_loss"].epochs.tolist() == [1, 2]
    assert run["val_loss"].values.tolist() == history.history["val_loss"]


@pytest.mark.parametrize("jit_compile", [False, "auto"])
def test_fit_with_dropout_is_the_same_to_the_last_bit_with_and_without_watch(tmp_path, jit_compile):
    bare, watched = network(jit_compile=jit_compile), network(jit_compile=jit_compile)
    # Both draw from the seed that is set here, and from the state that their layers begin with.
    keras.utils.set_random_seed(2)
    losses = fit(bare, epochs=2).history
    keras.utils.set_random_seed(2)
    run, history = record(tmp_path / "run", watched, epochs=2, snapshots=every(3), budget=0.05)
    assert history.history == losses
    assert len(run["gradient_norm"]) >= 3
    for ours, theirs in zip(watched.get_weights(), bare.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_xla_records_what_plain_graphs_do(tmp_path):
    # Without dropout: XLA draws other numbers from the same seed.
    plain, _ = record(tmp_path / "plain", network(inputs, hidden, output, jit_compile=False))
    xla, _ = record(tmp_path / "xla", network(inputs, hidden, output, jit_compile=True))
    for name in ("gradient_norm", "weight_norm", "update_norm", "gradient_std"):
        np.testing.assert_allclose(xla[name].values, plain[name].values, rtol=1e-4, err_msg=name)


def test_a_model_that_was_trained_before_is_compiled_anew_and_recorded(tmp_path):
    model = network()
    fit(model)
    run, _ = record(tmp_path / "run", model)
    assert run["update_norm"].steps.tolist() == list(range(1, STEPS_PER_EPOCH + 1))
    fit(model)


def test_a_model_that_is_built_by_its_first_batch_is_recorded_from_its_first_step(tmp_path):
    model = network(hidden, output)
    assert not model.built
    run, _ = record(tmp_path / "run", model, snapshots=at(0, 1))
    assert run["gradient_norm"].values.shape == (STEPS_PER_EPOCH, 4)
    assert run.model["parameters"] == INPUTS * 5 + 5 + 5 * CLASSES + CLASSES
    assert 0 in run.snapshots.steps


def test_several_steps_an_execution_record_the_last_one_under_its_number(tmp_path):
    single, _ = record(tmp_path / "single", network())
    several, _ = record(
        tmp_path / "several", network(steps_per_execution=3), quantities=["gradient_norm", "update_norm"]
    )
    assert several["gradient_norm"].steps.tolist() == [3, 6]
    for name in ("gradient_norm", "update_norm"):
        np.testing.assert_allclose(several[name].values, single[name].values[[2, 5]], rtol=1e-5)
    assert several.steps == STEPS_PER_EPOCH


def test_a_schedule_of_the_learning_rate_is_evaluated_at_each_step(tmp_path):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, decay_steps=1, decay_rate=0.5)
    run, _ = record(tmp_path / "run", network(optimizer=keras.optimizers.SGD(schedule)))
    np.testing.assert_allclose(run["learning_rate"].values[:, 0], 0.5 ** np.arange(1, STEPS_PER_EPOCH + 1))


def test_the_gradient_is_the_clipped_one(tmp_path):
    run, _ = record(tmp_path / "run", network(optimizer=keras.optimizers.SGD(0.5, global_clipnorm=0.125)))
    np.testing.assert_allclose(run["gradient_norm/global"].values, 0.125, rtol=1e-5)
    np.testing.assert_allclose(run["update_norm/global"].values, 0.0625, rtol=1e-4)


def test_accumulated_gradients_make_one_step_that_is_their_mean(tmp_path):
    optimizer = keras.optimizers.SGD(0.25, gradient_accumulation_steps=2)
    accumulated, _ = record(tmp_path / "accumulated", network(inputs, output, optimizer=optimizer))
    assert accumulated["gradient_norm"].steps.tolist() == [1, 2, 3]
    np.testing.assert_allclose(accumulated["update_norm"].values, accumulated["gradient_norm"].values / 4, rtol=1e-4)
    x, y = data()
    model = network(inputs, output, optimizer=keras.optimizers.SGD(0.25))
    with watch(model, model.optimizer, run=tmp_path / "large", budget=None, strict=True):
        model.fit(x, y, batch_size=2 * BATCH, verbose=0, shuffle=False)
    large = open_run(tmp_path / "large")
    np.testing.assert_allclose(accumulated["gradient_norm"].values, large["gradient_norm"].values, rtol=1e-4)


def test_with_loss_scaling_the_gradients_are_the_unscaled_ones(tmp_path):
    bare, _ = record(tmp_path / "bare", network(optimizer=keras.optimizers.SGD(0.25)))
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.25), initial_scale=1024.0)
    run, _ = record(tmp_path / "scaled", network(optimizer=scaled))
    assert run.optimizer["name"] == "SGD"
    np.testing.assert_allclose(run["gradient_norm"].values, bare["gradient_norm"].values, rtol=1e-4)


def test_an_embedding_has_a_gradient_whose_repeated_rows_are_added(tmp_path):
    model = keras.Sequential(
        [keras.layers.Input((4,)), keras.layers.Embedding(7, 2), keras.layers.GlobalAveragePooling1D()]
    )
    model.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=False)
    with watch(model, model.optimizer, run=tmp_path / "run", budget=None, strict=True):
        model.fit(np.array([[1, 1, 2, 1]] * 4), np.ones((4, 2), dtype=np.float32), batch_size=4, verbose=0)
    run = open_run(tmp_path / "run")
    np.testing.assert_allclose(run["update_norm"].values, run["gradient_norm"].values / 2, rtol=1e-6)
    assert run["gradient_zero_fraction"].values.item() == pytest.approx(5 / 7)


@pytest.mark.parametrize("kind", ["one", "several", "list object"])
def test_callbacks_of_the_user_are_called_as_before(tmp_path, kind):
    model = network()
    ends: list[int] = []
    theirs = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(epoch))
    callbacks = {
        "one": theirs,
        "several": [[theirs], keras.callbacks.TerminateOnNaN()],
        "list object": keras.callbacks.CallbackList([theirs], model=model, add_history=True, epochs=2, steps=None),
    }[kind]
    run, _ = record(tmp_path / "run", model, epochs=2, fit_options={"callbacks": callbacks})
    assert ends == [0, 1]
    assert run["loss"].epochs is not None
    if kind == "list object":
        assert theirs in callbacks.callbacks
        assert len(callbacks.callbacks) == 2


def test_a_failure_at_the_beginning_of_an_epoch_does_not_end_training(tmp_path):
    model = network()
    callbacks = keras.callbacks.CallbackList([], add_history=True, model=model)
    callbacks.params = None
    with (
        watch(model, model.optimizer, run=tmp_path / "run", budget=None) as watching,
        pytest.warns(RecordingWarning, match="training goes on"),
    ):
        fit(model, callbacks=callbacks)
    assert watching.step == STEPS_PER_EPOCH


def test_the_watch_may_be_closed_by_a_callback_in_the_middle_of_fit(tmp_path):
    model = network()
    watching = watch(model, model.optimizer, run=tmp_path / "run", budget=None, strict=True)

    def close(batch, logs):
        if batch == 2:
            watching.close()

    fit(model, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=close)])
    assert open_run(tmp_path / "run").steps == 3


def test_a_budget_that_is_far_too_small_thins_what_is_measured_inside_the_step(tmp_path):
    run, _ = record(tmp_path / "run", network(), epochs=10, budget=1e-6)
    assert run["gradient_norm"].steps.tolist()[:3] == [1, 2, 3]
    assert len(run["gradient_norm"]) < 10
    assert len(run["update_norm"]) < 10
    assert run.steps == 10 * STEPS_PER_EPOCH


def test_an_empty_plan_still_counts_steps_and_records_the_learning_rate_when_it_changes(tmp_path):
    model = network(optimizer=keras.optimizers.SGD(0.5))
    with watch(model, model.optimizer, run=tmp_path / "run", quantities=[], snapshots=at(), strict=True):
        fit(model)
        model.optimizer.learning_rate = 0.25
        fit(model)
    run = open_run(tmp_path / "run")
    assert run["learning_rate"].values.ravel().tolist() == [0.5, 0.25]
    assert run["learning_rate"].steps.tolist() == [1, STEPS_PER_EPOCH + 1]
