"""What the Paddle adapter does beyond the conformance suite."""

from __future__ import annotations

from tests.optional_parts import require

require("paddle")

import copy  # noqa: E402 - only where PaddlePaddle is

import numpy as np  # noqa: E402
import paddle  # noqa: E402
import pytest  # noqa: E402

from optiscope.errors import ArgumentError  # noqa: E402
from optiscope.frameworks.watch import watch  # noqa: E402
from optiscope.recording.schedule import at, every  # noqa: E402
from optiscope.runs import open_run  # noqa: E402


def linear(inputs=3, outputs=2, **options):
    paddle.seed(0)
    return paddle.nn.Linear(inputs, outputs, **options)


def step(model, optimizer, scale=1.0):
    loss = paddle.square(model(paddle.ones([4, model.weight.shape[0]]) * scale)).mean()
    loss.backward()
    optimizer.step()
    optimizer.clear_grad()
    return loss


def record(path, model, optimizer, steps=3, **options):
    with watch(model, optimizer, run=path, **{"budget": None, "strict": True, **options}):
        for number in range(1, steps + 1):
            step(model, optimizer, number)
    return open_run(path)


def test_each_group_has_its_own_learning_rate_and_weight_decay(tmp_path):
    first, second = linear(), linear()
    model = paddle.nn.LayerDict({"first": first, "second": second})
    schedule = paddle.optimizer.lr.ExponentialDecay(0.5, gamma=0.5)
    groups = [
        {"params": first.parameters(), "weight_decay": 0.25},
        {"params": second.parameters(), "learning_rate": 0.5, "beta1": 0.75},
    ]
    optimizer = paddle.optimizer.AdamW(schedule, parameters=groups, weight_decay=0.125, beta2=0.875)
    with watch(model, optimizer, run=tmp_path / "run", budget=None, strict=True):
        for _ in range(3):
            (first(paddle.ones([1, 3])).sum() + second(paddle.ones([1, 3])).sum()).backward()
            optimizer.step()
            optimizer.clear_grad()
            schedule.step()
    run = open_run(tmp_path / "run")
    assert run["learning_rate"].labels == ("group 0", "group 1")
    np.testing.assert_allclose(run["learning_rate"].values, [[0.5, 0.25], [0.25, 0.125], [0.125, 0.0625]])
    assert run["weight_decay"].values[0].tolist() == [0.25, 0.125]
    assert run["beta1"].values[0].tolist() == [0.9, 0.75]
    assert run["beta2"].values[0].tolist() == [0.875, 0.875]
    assert [group["parameters"] for group in run.optimizer["groups"]] == [
        ["first.weight", "first.bias"],
        ["second.weight", "second.bias"],
    ]


@pytest.mark.parametrize("kind", ["SGD", "Momentum", "AdamW"])
def test_weight_decay_is_read_wherever_the_optimizer_keeps_it(tmp_path, kind):
    model = linear()
    optimizer = getattr(paddle.optimizer, kind)(0.5, parameters=model.parameters(), weight_decay=0.125)
    run = record(tmp_path / "run", model, optimizer)
    assert set(run["weight_decay"].values.ravel()) == {0.125}


@pytest.mark.parametrize("in_groups", [False, True])
def test_the_gradient_is_the_clipped_one(tmp_path, in_groups):
    model = linear()
    parameters = [{"params": model.parameters()}] if in_groups else model.parameters()
    clip = paddle.nn.ClipGradByGlobalNorm(0.125)
    run = record(tmp_path / "run", model, paddle.optimizer.SGD(0.5, parameters=parameters, grad_clip=clip))
    np.testing.assert_allclose(run["gradient_norm/global"].values, 0.125, rtol=1e-5)
    np.testing.assert_allclose(run["update_norm/global"].values, 0.0625, rtol=1e-5)
    assert "_dygraph_clip" not in vars(clip)


def test_minimize_takes_a_step_too(tmp_path):
    model = linear()
    optimizer = paddle.optimizer.SGD(0.5, parameters=model.parameters())
    with watch(model, optimizer, run=tmp_path / "run", budget=None, strict=True):
        for _ in range(2):
            loss = model(paddle.ones([1, 3])).sum()
            loss.backward()
            optimizer.minimize(loss)
            optimizer.clear_grad()
    run = open_run(tmp_path / "run")
    assert run["gradient_norm"].steps.tolist() == [1, 2]
    np.testing.assert_allclose(run["update_norm"].values, run["gradient_norm"].values / 2, rtol=1e-6)


def test_the_high_level_fit_is_recorded(tmp_path):
    network = linear()
    model = paddle.Model(network)
    optimizer = paddle.optimizer.Adam(0.1, parameters=network.parameters())
    model.prepare(optimizer, paddle.nn.MSELoss())
    data = [(np.ones(3, dtype=np.float32), np.zeros(2, dtype=np.float32))] * 8
    with watch(network, optimizer, run=tmp_path / "run", budget=None, strict=True):
        model.fit(data, epochs=1, verbose=0)
    assert open_run(tmp_path / "run")["gradient_norm"].steps.tolist() == list(range(1, len(data) + 1))


@pytest.mark.filterwarnings("ignore:To copy construct from a tensor:UserWarning")  # what Paddle's LBFGS does itself
def test_with_a_closure_the_gradient_is_the_one_at_the_weights_before_the_step(tmp_path):
    model = linear()
    optimizer = paddle.optimizer.LBFGS(0.5, max_iter=3, parameters=model.parameters())
    first: list[float] = []

    def closure():
        optimizer.clear_grad()
        loss = paddle.square(model(paddle.ones([4, 3])) - 1).mean()
        loss.backward()
        if not first:
            first.append(float(paddle.linalg.norm(model.weight.grad)))
        return loss

    with watch(model, optimizer, run=tmp_path / "run", budget=None, strict=True):
        optimizer.step(closure)
    run = open_run(tmp_path / "run")
    assert run["gradient_norm"].values[0, 0] == pytest.approx(first[0], rel=1e-6)
    assert run["update_norm"].values[0, 0] > 0


def test_a_sparse_gradient_has_its_repeated_rows_added(tmp_path):
    paddle.seed(0)
    model = paddle.nn.Embedding(7, 2, sparse=True)
    optimizer = paddle.optimizer.SGD(0.5, parameters=model.parameters())
    with watch(model, optimizer, run=tmp_path / "run", budget=None, strict=True):
        for _ in range(2):
            model(paddle.to_tensor([1, 1, 2])).sum().backward()
            optimizer.step()
            optimizer.clear_grad()
    run = open_run(tmp_path / "run")
    np.testing.assert_allclose(run["gradient_norm"].values, np.sqrt(2 * 4 + 2 * 1), rtol=1e-6)
    np.testing.assert_allclose(run["update_norm"].values, run["gradient_norm"].values / 2, rtol=1e-5)
    np.testing.assert_allclose(run["gradient_zero_fraction"].values, 5 / 7)
    assert run["gradient_previous_cosine"].values[1] == pytest.approx(1)


def test_frozen_parameters_have_no_gradient_and_keep_their_weights(tmp_path):
    model = linear()
    model.bias.stop_gradient = True
    run = record(tmp_path / "run", model, paddle.optimizer.SGD(0.5, parameters=model.parameters()))
    assert np.isnan(run["gradient_norm"].values[:, 1]).all()
    assert (run["update_norm"].values[:, 1] == 0).all()
    assert [tensor["trainable"] for tensor in run.model["tensors"]] == [True, False]


def test_sums_of_millions_of_squares_keep_their_digits(tmp_path):
    model = linear(1_500_000, 2, bias_attr=False)
    optimizer = paddle.optimizer.SGD(0.5, parameters=model.parameters())
    with watch(model, optimizer, run=tmp_path / "run", budget=None, snapshots=at(), strict=True):
        before = model.weight.numpy().astype(np.float64)
        model.weight.sum().backward()
        optimizer.step()
        after = model.weight.numpy().astype(np.float64)
    run = open_run(tmp_path / "run")
    assert run["gradient_norm"].values.item() == pytest.approx(np.sqrt(3e6), rel=1e-12)
    assert run["weight_norm"].values.item() == pytest.approx(np.linalg.norm(after), rel=1e-10)
    assert run["update_norm"].values.item() == pytest.approx(np.linalg.norm(after - before), rel=1e-10)


@pytest.mark.filterwarnings("ignore:Accumulating with FP16/BF16:UserWarning")
def test_half_precision_weights_are_measured_and_kept(tmp_path):
    model = linear().to(dtype="bfloat16")
    optimizer = paddle.optimizer.SGD(0.5, parameters=model.parameters())
    with watch(model, optimizer, run=tmp_path / "run", budget=None, snapshots=every(1), strict=True):
        model.weight.sum().backward()
        optimizer.step()
    run = open_run(tmp_path / "run")
    expected = [float(paddle.linalg.norm(p.astype("float64").flatten())) for p in model.parameters()]
    np.testing.assert_allclose(run["weight_norm"].values[0], expected)
    np.testing.assert_array_equal(run.snapshots.load(1)["weight"], model.weight.astype("float32").numpy())


def test_dropout_draws_the_same_with_and_without_watch(tmp_path):
    def train(path=None):
        paddle.seed(3)
        model = paddle.nn.Sequential(paddle.nn.Linear(3, 8), paddle.nn.Dropout(0.5), paddle.nn.Linear(8, 1))
        optimizer = paddle.optimizer.Adam(0.1, parameters=model.parameters())
        watching = watch(model, optimizer, run=path, snapshots=every(2)) if path else None
        losses = []
        for _ in range(8):
            loss = paddle.square(model(paddle.ones([4, 3])) - 1).mean()
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            losses.append(float(loss))
        if watching is not None:
            watching.close()
        return losses, [parameter.numpy() for parameter in model.parameters()]

    (bare, theirs), (watched, ours) = train(), train(tmp_path / "run")
    assert watched == bare
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_copy_of_a_watched_optimizer_is_not_watched(tmp_path):
    model = linear()
    optimizer = paddle.optimizer.SGD(0.5, parameters=model.parameters())
    with watch(model, optimizer, run=tmp_path / "run", budget=None, strict=True) as watching:
        copied = copy.deepcopy(optimizer)  # once it has taken a step, Paddle cannot copy it any more
        copied.step()
        assert watching.step == 0
        step(model, optimizer)
        assert watching.step == 1


def test_the_state_of_a_watched_optimizer_is_saved_as_ever(tmp_path):
    model = linear()
    optimizer = paddle.optimizer.Adam(0.5, parameters=model.parameters())
    with watch(model, optimizer, run=tmp_path / "run", strict=True):
        step(model, optimizer)
        watched = optimizer.state_dict()
    assert watched.keys() == optimizer.state_dict().keys()


def test_a_tensor_of_several_elements_is_no_metric(tmp_path):
    model = linear()
    optimizer = paddle.optimizer.SGD(0.5, parameters=model.parameters())
    with (
        watch(model, optimizer, run=tmp_path / "run") as watching,
        pytest.warns(UserWarning, match=r"single number.*shape \(3,\)"),
    ):
        watching.log(many=paddle.ones([3]))


def test_something_that_is_no_layer_is_refused(tmp_path):
    optimizer = paddle.optimizer.SGD(0.5, parameters=linear().parameters())
    with pytest.raises(ArgumentError, match=r"paddle\.nn\.Layer.*Received: dict"):
        watch({}, optimizer, run=tmp_path / "run")


def test_an_optimizer_of_another_model_is_refused(tmp_path):
    optimizer = paddle.optimizer.SGD(0.5, parameters=linear().parameters())
    with pytest.raises(ArgumentError, match="none of the model's parameters"):
        watch(linear(), optimizer, run=tmp_path / "run")
