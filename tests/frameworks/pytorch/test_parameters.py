"""The PyTorch adapter with every kind of parameter and parameter group."""

from __future__ import annotations

import numpy as np
import pytest

from tests.optional_parts import require

require("torch")

import torch  # noqa: E402
from torch import nn  # noqa: E402

import optiscope as osc  # noqa: E402
from tests.frameworks.pytorch.training import everything, flat, small_batch, small_network, steps_of_ones  # noqa: E402


def test_channels_last_weights_meet_their_own_gradients_and_starts(tmp_path):
    def train(path, memory_format):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 2)).to(memory_format=memory_format)
        optimizer = torch.optim.Adam(model.parameters())
        x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1)).to(memory_format=memory_format)
        with everything(path, model, optimizer) as watch:
            for _ in range(3):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()
        return watch.open_run()

    plain = train(tmp_path / "plain", torch.contiguous_format)
    last = train(tmp_path / "last", torch.channels_last)
    for name in ("update_gradient_cosine", "gradient_previous_cosine", "distance_from_start"):
        np.testing.assert_allclose(last[name].values, plain[name].values, rtol=1e-4)


def test_missing_and_frozen_gradients_are_nan_and_do_not_spoil_the_whole(tmp_path):
    model = small_network()
    model[0].weight.requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = small_batch()
    with everything(tmp_path / "run", model, optimizer) as watch:
        for _ in range(2):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    run = watch.open_run()
    assert np.isnan(run["gradient_norm"].column("0.weight").values).all()
    assert np.isnan(run["gradient_nonfinite"].column("0.weight").values).all()
    assert run["update_norm"].column("0.weight").values.tolist() == [0, 0]
    others = [run["gradient_norm"].column(name).values[0] for name in ("0.bias", "2.weight", "2.bias")]
    assert run["gradient_norm/global"].values[0] == pytest.approx(np.linalg.norm(others), rel=1e-6)
    assert not run.model["tensors"][0]["trainable"]


def test_tied_parameters_are_measured_once(tmp_path):
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    model[1].weight = model[0].weight
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with everything(tmp_path / "run", model, optimizer) as watch:
        model(torch.ones(2, 4)).sum().backward()
        optimizer.step()
    assert watch.open_run()["gradient_norm"].labels == ("0.weight",)


def test_sparse_gradients_are_measured_like_dense_ones(tmp_path):
    def train(path, *, sparse):
        torch.manual_seed(0)
        model = nn.Embedding(10, 3, sparse=sparse)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        with everything(path, model, optimizer) as watch:
            for batch in ([1, 2, 2], [2, 3, 9]):
                optimizer.zero_grad()
                model(torch.tensor(batch)).pow(2).sum().backward()
                optimizer.step()
        return watch.open_run()

    dense, sparse = train(tmp_path / "dense", sparse=False), train(tmp_path / "sparse", sparse=True)
    for name in dense.names:
        if name.startswith(("gradient", "update", "weight", "distance")):
            np.testing.assert_allclose(sparse[name].values, dense[name].values, rtol=1e-6, err_msg=name)
    assert sparse["gradient_zero_fraction/global"].values[0] == pytest.approx(0.8)


def test_complex_parameters_count_as_their_real_and_imaginary_parts(tmp_path):
    weight = nn.Parameter(torch.tensor([3 + 4j, 0 + 0j]))
    optimizer = torch.optim.SGD([weight], lr=0.5)
    weight.grad = torch.tensor([1 + 0j, 0 + 2j])
    with everything(tmp_path / "run", nn.ParameterList([weight]), optimizer) as watch:
        optimizer.step()
    run = watch.open_run()
    assert run["gradient_norm/global"].values[0] == pytest.approx(np.sqrt(5))
    assert run["update_norm/global"].values[0] == pytest.approx(np.sqrt(5) / 2)
    assert run["gradient_zero_fraction/global"].values[0] == 0.5
    assert run["update_gradient_cosine/global"].values[0] == pytest.approx(1)
    assert run.snapshots.load(0)["0"].tolist() == [3 + 4j, 0]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_weights_are_kept_exactly_in_snapshots(tmp_path, dtype):
    model = small_network(dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    expected = model[0].weight.detach().float().numpy()
    with everything(tmp_path / "run", model, optimizer, snapshots=osc.every(1)) as watch:
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
    snapshots = watch.open_run().snapshots
    assert snapshots.steps == (0, 1)
    np.testing.assert_array_equal(snapshots.load(0)["0.weight"].astype(np.float32), expected)
    np.testing.assert_array_equal(snapshots.load(1)["0.weight"], model[0].weight.detach().float().numpy())


def test_a_parameter_group_added_later_is_followed(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model[2].parameters(), lr=0.1)
    x, y = small_batch()
    with everything(tmp_path / "run", model, optimizer) as watch:
        for step in range(6):
            if step == 3:
                optimizer.add_param_group({"params": list(model[0].parameters()), "lr": 0.01})
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    run = watch.open_run()
    series = run["gradient_norm"]
    assert set(series.labels) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    late = series.column("0.weight").values
    assert np.isnan(late[:3]).all()
    assert np.isfinite(late[3:]).all()
    assert np.isfinite(series.column("2.weight").values).all()
    distance = run["distance_from_start"].column("2.weight").values
    assert (distance[3:] > distance[2] * 0.9).all()
    np.testing.assert_allclose(run["learning_rate"].column("group 1").values[3:], 0.01)
    assert "parameters-changed" in {event.kind for event in run.events}


def test_a_parameter_group_added_at_a_thinned_step_loses_nothing(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model[2].parameters(), lr=0.1)
    path = tmp_path / "run"
    with osc.watch(model, optimizer, run=path, quantities={"gradient_norm": osc.every(10)}, strict=True) as watch:
        steps_of_ones(model, optimizer, 15)
        optimizer.add_param_group({"params": list(model[0].parameters()), "lr": 0.01})
        steps_of_ones(model, optimizer, 10)
    run = watch.open_run()
    assert run["gradient_norm"].steps.tolist() == [10, 20]
    assert set(run["learning_rate"].labels) == {"group 0", "group 1"}
    assert run["learning_rate"].column("group 1").values[-1] == 0.01
    assert not run.losses


def test_a_parameter_group_added_before_the_first_step_is_followed(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model[2].parameters(), lr=0.1)
    with everything(tmp_path / "run", model, optimizer) as watch:
        optimizer.add_param_group({"params": list(model[0].parameters())})
        steps_of_ones(model, optimizer, 3)
    run = watch.open_run()
    assert len(run["gradient_norm"].labels) == 4
    assert np.isfinite(run["distance_from_start"].values).all()


@pytest.mark.parametrize("large", [False, True])
def test_the_start_is_kept_although_the_first_step_has_nothing_to_measure(tmp_path, large):
    model = nn.Linear(100, 100) if large else small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    options = {"quantities": {"distance_from_start": osc.every(10)}, "histograms": osc.at(), "snapshots": osc.every(10)}
    with osc.watch(model, optimizer, run=tmp_path / "run", strict=True, **options) as watch:
        start = flat(model.parameters())
        steps_of_ones(model, optimizer, 10)
        distance = np.linalg.norm(flat(model.parameters()) - start)
    run = watch.open_run()
    assert run["distance_from_start/global"].values[0] == pytest.approx(distance, rel=1e-6)
    assert run.snapshots.steps == (0, 10)


def test_a_module_that_is_called_module_keeps_its_name(tmp_path):
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.module = nn.Linear(2, 1)
            self.weight = nn.Parameter(torch.ones(1))

    model = Outer()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with everything(tmp_path / "run", model, optimizer) as watch:
        steps_of_ones(model, optimizer, 1)
    run = watch.open_run()
    assert run["gradient_norm"].labels == ("weight", "module.weight", "module.bias")
    assert run.model["parameters"] == 4


def test_a_tensor_learning_rate_that_is_changed_in_place_is_seen(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=torch.tensor(1.0))
    with osc.watch(model, optimizer, run=tmp_path / "run", quantities={"gradient_norm": osc.every(50)}) as watch:
        steps_of_ones(model, optimizer, 10)
        optimizer.param_groups[0]["lr"].fill_(0.5)
        steps_of_ones(model, optimizer, 10)
    rates = watch.open_run()["learning_rate"]
    assert dict(zip(rates.steps.tolist(), rates.values[:, 0].tolist(), strict=True))[11] == 0.5


def test_learning_rate_momentum_betas_and_decay_are_recorded_for_each_group(tmp_path):
    model = small_network()
    optimizer = torch.optim.AdamW(
        [
            {"params": model[0].parameters(), "lr": 0.1, "weight_decay": 0.3},
            {"params": model[2].parameters(), "betas": (0.8, 0.95)},
        ],
        lr=0.01,
    )
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    with everything(tmp_path / "run", model, optimizer) as watch:
        for _ in range(3):
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
            optimizer.step()
            scheduler.step()
    run = watch.open_run()
    np.testing.assert_allclose(run["learning_rate"].values, [[0.1, 0.01], [0.05, 0.005], [0.025, 0.0025]])
    np.testing.assert_allclose(run["beta1"].values[0], [0.9, 0.8])
    np.testing.assert_allclose(run["beta2"].values[0], [0.999, 0.95])
    np.testing.assert_allclose(run["weight_decay"].values[0], [0.3, 0.01])
    assert run["learning_rate"].labels == ("group 0", "group 1")


def test_every_change_of_the_learning_rate_is_recorded_although_quantities_are_thinned(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10, 0.5)
    with osc.watch(model, optimizer, run=tmp_path / "run", quantities={"gradient_norm": osc.every(50)}) as watch:
        for _ in range(40):
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
            optimizer.step()
            scheduler.step()
    rates = watch.open_run()["learning_rate"]
    changes = dict(zip(rates.steps.tolist(), rates.values[:, 0].tolist(), strict=True))
    assert (changes[1], changes[11], changes[21], changes[31]) == (1.0, 0.5, 0.25, 0.125)


def test_a_model_that_is_converted_after_watch_goes_on_being_measured(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with everything(tmp_path / "run", model, optimizer) as watch:
        for step in range(4):
            if step == 2:
                model.to(torch.float64)
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
            optimizer.step()
    run = watch.open_run()
    np.testing.assert_allclose(run["update_norm"].values[3], run["update_norm"].values[0], rtol=1e-6)
    assert np.isfinite(run["distance_from_start"].values).all()
