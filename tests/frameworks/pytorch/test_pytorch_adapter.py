"""The PyTorch adapter against independent float64 formulas, in every kind of loop that it has to bear."""

from __future__ import annotations

import copy
import io
import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

from tests.optional_parts import require

require("torch")

import torch  # noqa: E402
from torch import nn  # noqa: E402

import optiscope as osc  # noqa: E402
from optiscope.errors import ArgumentError, RecordingWarning, UnknownName  # noqa: E402


def small_network(dtype=torch.float32, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)).to(dtype)


def small_batch(dtype=torch.float32, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(16, 5, generator=generator).to(dtype), torch.randint(0, 3, (16,), generator=generator)


def everything(path, model, optimizer, **options):
    return osc.watch(model, optimizer, run=path, budget=None, strict=True, **options)


def flat(tensors):
    return np.concatenate([t.detach().double().reshape(-1).numpy() for t in tensors])


def train_and_expect(path, dtype, steps=6, **options):
    """Train with momentum, and compute every core quantity beside the recorder in float64."""
    model = small_network(dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    x, y = small_batch(dtype)
    parameters = list(model.parameters())
    start = [p.detach().clone() for p in parameters]
    previous = None
    expected: dict[str, list] = {}
    with everything(path, model, optimizer, **options) as watch:
        for _ in range(steps):
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            before = [p.detach().clone() for p in parameters]
            optimizer.step()
            watch.log(loss=loss)
            gradient = [p.grad.clone() for p in parameters]
            for name, value in formulas(parameters, gradient, before, start, previous).items():
                expected.setdefault(name, []).append(value)
            previous = gradient
    return watch.open_run(), expected


def formulas(parameters, gradient, before, start, previous):
    columns: dict[str, list] = {}
    groups = [
        ([p], [g], [b], [s], None if previous is None else [q])
        for p, g, b, s, q in zip(parameters, gradient, before, start, previous or gradient, strict=True)
    ]
    groups.append((parameters, gradient, before, start, previous))
    if previous is None:
        groups = [(*group[:4], None) for group in groups]
    for group in groups:
        w, g, b, s = (flat(part) for part in group[:4])
        q = None if group[4] is None else flat(group[4])
        u = w - b
        values = {
            "gradient_norm": np.linalg.norm(g),
            "weight_norm": np.linalg.norm(w),
            "update_norm": np.linalg.norm(u),
            "update_ratio": np.linalg.norm(u) / np.linalg.norm(w),
            "update_gradient_cosine": -(u @ g) / np.linalg.norm(u) / np.linalg.norm(g),
            "gradient_previous_cosine": np.nan if q is None else (g @ q) / np.linalg.norm(g) / np.linalg.norm(q),
            "gradient_mean": g.mean(),
            "gradient_std": g.std(),
            "gradient_zero_fraction": np.mean(g == 0),
            "gradient_nonfinite": 0,
            "distance_from_start": np.linalg.norm(w - s),
        }
        for name, value in values.items():
            columns.setdefault(name, []).append(value)
    return {name: np.array(values) for name, values in columns.items()}


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 3e-6), (torch.bfloat16, 3e-6)]
)
def test_every_core_quantity_equals_its_formula_at_every_step(tmp_path, dtype, tolerance):
    run, expected = train_and_expect(tmp_path / "run", dtype)
    for name, rows in expected.items():
        whole = np.stack(rows)
        series = run[name]
        assert series.labels == ("0.weight", "0.bias", "2.weight", "2.bias")
        assert series.steps.tolist() == [1, 2, 3, 4, 5, 6]
        np.testing.assert_allclose(series.values, whole[:, :-1], rtol=tolerance, atol=tolerance * 1e-2, err_msg=name)
        np.testing.assert_allclose(
            run[f"{name}/global"].values, whole[:, -1], rtol=tolerance, atol=tolerance * 1e-2, err_msg=name
        )


def test_the_path_for_accelerators_gives_the_same_numbers(tmp_path, monkeypatch):
    from optiscope.frameworks.pytorch import meter

    monkeypatch.setattr(meter, "_is_on_cpu", lambda parameter: False)
    run, expected = train_and_expect(tmp_path / "run", torch.float32, raw_gradients=True, histograms=osc.every(1))
    for name, rows in expected.items():
        whole = np.stack(rows)
        np.testing.assert_allclose(run[name].values, whole[:, :-1], rtol=2e-5, atol=1e-8, err_msg=name)
    np.testing.assert_allclose(run["raw_gradient_norm"].values, run["gradient_norm"].values, rtol=1e-6)
    assert run.histograms("weights").counts[0].sum() == run.model["parameters"]


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


def test_sums_of_tensors_longer_than_a_chunk_keep_their_digits(tmp_path):
    weight = nn.Parameter(torch.randn(3_000_001, generator=torch.Generator().manual_seed(0)) + 2)
    model = nn.ParameterList([weight])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    weight.grad = torch.randn(3_000_001, generator=torch.Generator().manual_seed(1)) + 5
    before, gradient = weight.detach().double().numpy().copy(), weight.grad.double().numpy()
    with everything(tmp_path / "run", model, optimizer, histograms=osc.at(), snapshots=osc.at()) as watch:
        optimizer.step()
    run = watch.open_run()
    after = weight.detach().double().numpy()
    assert run["gradient_norm/global"].values[0] == pytest.approx(np.linalg.norm(gradient), rel=1e-6)
    assert run["update_norm/global"].values[0] == pytest.approx(np.linalg.norm(after - before), rel=1e-6)
    assert run["gradient_mean/global"].values[0] == pytest.approx(gradient.mean(), rel=1e-6)
    assert run["gradient_std/global"].values[0] == pytest.approx(gradient.std(), rel=1e-6)


@pytest.mark.parametrize("size", [1e-25, 1e-38, 1e25, 5e37])
def test_norms_of_tiny_and_huge_gradients_neither_vanish_nor_overflow(tmp_path, size):
    weight = nn.Parameter(torch.zeros(4))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    weight.grad = torch.tensor([3.0, 4.0, 0.0, 0.0]) * size
    with everything(tmp_path / "run", nn.ParameterList([weight]), optimizer) as watch:
        optimizer.step()
    run = watch.open_run()
    assert run["gradient_norm/global"].values[0] == pytest.approx(5 * size, rel=1e-6)
    assert run["update_norm/global"].values[0] == pytest.approx(5 * size, rel=1e-6)
    assert run["update_gradient_cosine/global"].values[0] == pytest.approx(1.0, rel=1e-6)
    assert run["gradient_nonfinite/global"].values[0] == 0
    assert run["gradient_std/global"].values[0] == pytest.approx(np.std([3, 4, 0, 0]) * size, rel=1e-6)


def test_the_spread_of_gradients_that_are_nearly_all_equal_keeps_its_digits(tmp_path):
    weight = nn.Parameter(torch.zeros(1000))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    weight.grad = 1000 + torch.randn(1000, generator=torch.Generator().manual_seed(0))
    with everything(tmp_path / "run", nn.ParameterList([weight]), optimizer) as watch:
        optimizer.step()
    expected = weight.grad.double().numpy().std()
    assert watch.open_run()["gradient_std/global"].values[0] == pytest.approx(expected, rel=1e-6)


def test_nonfinite_gradients_are_recorded_and_counted(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with everything(tmp_path / "run", model, optimizer) as watch:
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        model[0].weight.grad[0, :2] = torch.tensor([float("nan"), float("inf")])
        optimizer.step()
    run = watch.open_run()
    assert run["gradient_nonfinite"].column("0.weight").values.tolist() == [2]
    assert run["gradient_nonfinite/global"].values.tolist() == [2]
    assert np.isnan(run["gradient_norm"].column("0.weight").values[0])
    assert np.isnan(run["gradient_norm/global"].values[0])
    assert run["gradient_norm"].column("2.bias").values[0] == pytest.approx(np.sqrt(3))
    gradients = run.histograms("gradients")
    assert gradients.nonfinite[0].tolist() == [2, 0, 0, 0]


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


def test_accumulated_micro_batches_are_one_step_with_the_whole_gradient(tmp_path):
    x, y = small_batch()

    def train(path, parts):
        model = small_network()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        with everything(path, model, optimizer) as watch:
            for _ in range(3):
                optimizer.zero_grad()
                for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
                    (nn.functional.cross_entropy(model(xs), ys) / parts).backward()
                optimizer.step()
        return watch.open_run()

    whole, parts = train(tmp_path / "whole", 1), train(tmp_path / "parts", 4)
    assert parts["gradient_norm"].steps.tolist() == [1, 2, 3]
    np.testing.assert_allclose(parts["gradient_norm"].values, whole["gradient_norm"].values, rtol=1e-4)


def test_gradients_are_measured_after_clipping_and_on_request_before(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = small_batch()
    found = []
    with everything(tmp_path / "run", model, optimizer, raw_gradients=True) as watch:
        for _ in range(3):
            optimizer.zero_grad()
            (100 * nn.functional.cross_entropy(model(x), y)).backward()
            found.append(float(nn.utils.clip_grad_norm_(model.parameters(), 0.5)))
            optimizer.step()
    run = watch.open_run()
    np.testing.assert_allclose(run["raw_gradient_norm/global"].values, found, rtol=1e-5)
    np.testing.assert_allclose(run["gradient_norm/global"].values, 0.5, rtol=1e-4)


def test_a_step_that_the_scaler_skips_is_recorded_as_skipped(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    x, y = small_batch()
    with everything(tmp_path / "run", model, optimizer, scaler=scaler, raw_gradients=True) as watch:
        for step in range(4):
            optimizer.zero_grad()
            scaler.scale(nn.functional.cross_entropy(model(x), y)).backward()
            if step == 2:
                model[0].weight.grad[0, 0] = float("inf")
            scaler.step(optimizer)
            scaler.update()
    run = watch.open_run()
    assert run["step_skipped"].values.tolist() == [0, 0, 1, 0]
    assert run["step_skipped"].steps.tolist() == [1, 2, 3, 4]
    assert run["gradient_norm"].steps.tolist() == [1, 2, 4]
    ratio = run["raw_gradient_norm/global"].values[:2] / run["gradient_norm/global"].values[:2]
    np.testing.assert_allclose(ratio, 1024, rtol=1e-5)
    assert "step" not in vars(scaler)


def test_a_fused_optimizer_under_a_scaler_shows_unscaled_gradients(tmp_path):
    x, y = small_batch()

    def train(path, scaler):
        model = small_network()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=True)
        with everything(path, model, optimizer, scaler=scaler) as watch:
            for _ in range(3):
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(model(x), y)
                if scaler is None:
                    loss.backward()
                    optimizer.step()
                else:
                    scaler.scale(loss).backward()
                    scaler.step(optimizer)
                    scaler.update()
        return watch.open_run()

    plain = train(tmp_path / "plain", None)
    scaled = train(tmp_path / "scaled", torch.amp.GradScaler("cpu", init_scale=256.0))
    for name in ("gradient_norm", "update_gradient_cosine", "gradient_previous_cosine"):
        np.testing.assert_allclose(scaled[name].values, plain[name].values, rtol=1e-4, err_msg=name)


def test_an_optimizer_that_overwrites_its_gradients_does_not_fool_the_cosine(tmp_path):
    x, y = small_batch()

    def train(path, *, foreach):
        model = small_network()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, foreach=foreach)
        with everything(path, model, optimizer) as watch:
            for _ in range(5):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(x), y).backward()
                optimizer.step()
        return watch.open_run()

    plain, foreach = train(tmp_path / "plain", foreach=False), train(tmp_path / "foreach", foreach=True)
    for name in ("gradient_norm", "update_gradient_cosine", "gradient_previous_cosine"):
        known = ~np.isnan(foreach[name].values)
        assert known[2:].all()
        np.testing.assert_allclose(foreach[name].values[known], plain[name].values[known], rtol=1e-4, err_msg=name)


def test_a_closure_is_measured_at_its_first_evaluation(tmp_path):
    model = small_network(torch.float64)
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4)
    x, y = small_batch(torch.float64)
    first_norms = []

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        norms.append(np.linalg.norm(flat(p.grad for p in model.parameters())))
        return loss

    with everything(tmp_path / "run", model, optimizer) as watch:
        for step in range(3):
            norms: list[float] = []
            before = flat(model.parameters())
            loss = optimizer.step(closure) if step else optimizer.step(closure=closure)
            watch.log(loss=loss)
            first_norms.append(norms[0])
            moved = np.linalg.norm(flat(model.parameters()) - before)
    run = watch.open_run()
    np.testing.assert_allclose(run["gradient_norm/global"].values, first_norms, rtol=1e-12)
    assert run["update_norm/global"].values[-1] == pytest.approx(moved, rel=1e-12)
    assert run["loss"].steps.tolist() == [1, 2, 3]


def test_several_optimizers_are_told_apart_by_name(tmp_path):
    generator, critic = small_network(seed=0), small_network(seed=1)
    optimizers = {
        "generator": torch.optim.Adam(generator.parameters(), lr=0.001),
        "critic": torch.optim.SGD(critic.parameters(), lr=0.1),
    }
    x, _ = small_batch()
    with everything(tmp_path / "run", {"generator": generator, "critic": critic}, optimizers) as watch:
        for step in range(6):
            for name in ("critic", "generator") if step % 3 == 2 else ("critic",):
                model = generator if name == "generator" else critic
                optimizers[name].zero_grad()
                model(x).square().mean().backward()
                optimizers[name].step()
            watch.log(loss=float(step))
    run = watch.open_run()
    assert run["critic/gradient_norm"].steps.tolist() == [1, 2, 3, 4, 5, 6]
    assert run["critic/gradient_norm"].labels[0] == "critic.0.weight"
    assert run["generator/gradient_norm"].labels[0] == "generator.0.weight"
    assert run["generator/learning_rate"].values[0, 0] == 0.001
    assert run["loss"].steps.tolist() == [1, 2, 3, 4, 5, 6]
    assert [one["name"] for one in run.optimizers] == ["Adam", "SGD"]


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


def steps_of_ones(model, optimizer, count):
    for _ in range(count):
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()


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


def test_the_start_is_kept_although_the_scaler_skips_the_first_steps(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    start = model[0].weight.detach().clone().numpy()
    with everything(tmp_path / "run", model, optimizer, scaler=scaler, snapshots=osc.every(1)) as watch:
        for step in range(4):
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
            scaler.scale(torch.zeros(()))
            if step < 2:
                model[0].weight.grad[0, 0] = float("nan")
            scaler.step(optimizer)
            scaler.update()
    run = watch.open_run()
    np.testing.assert_array_equal(run.snapshots.load(run.snapshots.steps[0])["0.weight"], start)
    assert run["step_skipped"].values.tolist() == [1, 1, 0, 0]
    assert run["distance_from_start"].steps.tolist() == [3, 4]


def test_the_previous_gradient_of_an_overwriting_optimizer_is_right_under_a_schedule(tmp_path):
    x, y = small_batch()

    def train(path, **options):
        model = small_network()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, foreach=True)
        with osc.watch(
            model, optimizer, run=path, strict=True, histograms=osc.at(), snapshots=osc.at(), **options
        ) as w:
            for _ in range(20):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(x), y).backward()
                optimizer.step()
        return w.open_run()["gradient_previous_cosine/global"]

    whole = train(tmp_path / "whole", budget=None)
    thinned = train(tmp_path / "thinned", quantities={"gradient_previous_cosine": osc.every(10)})
    assert thinned.steps.tolist() == [10, 20]
    np.testing.assert_allclose(thinned.values, whole.values[[9, 19]], rtol=1e-5)


def test_measurements_go_on_after_the_disk_has_stood_still(tmp_path, monkeypatch):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with osc.watch(model, optimizer, run=tmp_path / "run", budget=None) as watch:
        steps_of_ones(model, optimizer, 3)
        submit = watch._recorder.writer.submit
        watch.flush()
        monkeypatch.setattr(watch._recorder.writer, "submit", lambda job: False)
        steps_of_ones(model, optimizer, 3)
        monkeypatch.setattr(watch._recorder.writer, "submit", submit)
        steps_of_ones(model, optimizer, 3)
    assert watch.open_run()["gradient_norm"].steps.tolist() == list(range(1, 10))


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


def test_a_wrong_argument_leaves_no_run_behind(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for wrong in ({"budget": -1}, {"snapshot_bytes": -1}, {"tags": "abc"}, {"histograms": 3}):
        with pytest.raises(ArgumentError):
            osc.watch(model, optimizer, run=tmp_path / "run", **wrong)
    assert not (tmp_path / "run").exists()
    osc.watch(model, optimizer, run=tmp_path / "run").close()


def test_two_watches_in_one_second_get_runs_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = set()
    for _ in range(2):
        model = small_network()
        with osc.watch(model, torch.optim.SGD(model.parameters(), lr=0.1)) as watch:
            paths.add(watch.path)
    assert len(paths) == 2


def test_the_run_is_closed_although_detaching_fails(tmp_path, monkeypatch):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch = everything(tmp_path / "run", model, optimizer)

    def fail():
        raise RuntimeError("boom")

    monkeypatch.setattr(watch._adapter, "detach", fail)
    with pytest.raises(osc.errors.RecordingError, match="boom"):
        watch.close()
    assert osc.open_run(tmp_path / "run").status == "finished"


def test_a_tensor_learning_rate_that_is_changed_in_place_is_seen(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=torch.tensor(1.0))
    with osc.watch(model, optimizer, run=tmp_path / "run", quantities={"gradient_norm": osc.every(50)}) as watch:
        steps_of_ones(model, optimizer, 10)
        optimizer.param_groups[0]["lr"].fill_(0.5)
        steps_of_ones(model, optimizer, 10)
    rates = watch.open_run()["learning_rate"]
    assert dict(zip(rates.steps.tolist(), rates.values[:, 0].tolist(), strict=True))[11] == 0.5


def test_the_first_gradient_that_is_not_finite_is_measured_although_quantities_are_thinned(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with osc.watch(model, optimizer, run=tmp_path / "run", budget=1e-6, strict=True) as watch:
        steps_of_ones(model, optimizer, 50)
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        model[0].bias.grad[1] = float("nan")
        model[2].weight.grad[0, 0] = float("inf")
        optimizer.step()
        steps_of_ones(model, optimizer, 10)
    run = watch.open_run()
    counts = run["gradient_nonfinite"]
    assert 51 in counts.steps
    bad = counts.values[counts.steps.tolist().index(51)]
    assert dict(zip(counts.labels, bad.tolist(), strict=True)) == {
        "0.weight": 0, "0.bias": 1, "2.weight": 1, "2.bias": 0,
    }  # fmt: skip
    noted = [(event.kind, event.step) for event in run.events if "nonfinite" in event.kind]
    assert noted == [("nonfinite-gradient", 51)]


def test_a_metric_that_turns_nan_is_noted_and_makes_the_next_step_measured(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with osc.watch(model, optimizer, run=tmp_path / "run", budget=1e-6, strict=True) as watch:
        for step in range(60):
            steps_of_ones(model, optimizer, 1)
            watch.log(loss=torch.tensor(float("nan") if step >= 40 else 1.0), other=2)
    run = watch.open_run()
    assert 42 in run["gradient_norm"].steps
    assert [(event.kind, event.step) for event in run.events if "nonfinite" in event.kind] == [("nonfinite-metric", 41)]


def test_metrics_come_as_a_mapping_too_and_what_is_none_never_stops_training(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with osc.watch(model, optimizer, run=tmp_path / "run") as watch:
        steps_of_ones(model, optimizer, 1)
        watch.log({"val/loss": 0.5}, loss=1.0)
        with pytest.warns(RecordingWarning, match="log takes names"):
            watch.log(3.0)
    run = watch.open_run()
    assert run["val/loss"].values.tolist() == [0.5]
    assert run["loss"].values.tolist() == [1.0]


def test_a_metric_with_the_name_of_a_measured_series_does_not_hide_it(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with osc.watch(model, optimizer, run=tmp_path / "run") as watch:
        steps_of_ones(model, optimizer, 2)
        with pytest.warns(RecordingWarning, match="'logged/learning_rate'"):
            watch.log(learning_rate=7.0)
    run = watch.open_run()
    assert run["logged/learning_rate"].values.tolist() == [7.0]
    assert run["learning_rate"].values[0, 0] == 0.1


def test_what_is_logged_after_closing_is_refused_with_one_warning(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with osc.watch(model, optimizer, run=tmp_path / "run") as watch:
        steps_of_ones(model, optimizer, 1)
    with pytest.warns(RecordingWarning, match="closed"):
        watch.log(loss=1.0)
    watch.log(loss=1.0)


def test_an_optimizer_that_never_steps_is_said_at_the_end(tmp_path):
    model = small_network()
    watch = osc.watch(model, torch.optim.SGD(model.parameters(), lr=0.1), run=tmp_path / "run")
    steps_of_ones(model, torch.optim.SGD(model.parameters(), lr=0.1), 2)
    watch.log(loss=1.0)
    with pytest.warns(RecordingWarning, match="took no step"):
        watch.close()


def test_a_run_of_another_model_is_not_resumed(tmp_path):
    for model in (nn.Linear(3, 1), nn.Linear(7, 2)):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        if model.in_features == 7:
            with pytest.raises(ArgumentError, match="of another model"):
                osc.watch(model, optimizer, run=tmp_path / "run", resume=True)
        else:
            with osc.watch(model, optimizer, run=tmp_path / "run"):
                steps_of_ones(model, optimizer, 2)
    assert osc.open_run(tmp_path / "run").steps == 2


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


def test_a_compiled_model_is_recorded_under_plain_names(tmp_path):
    model = small_network()
    compiled = torch.compile(model, backend="eager")
    optimizer = torch.optim.SGD(compiled.parameters(), lr=0.1)
    x, y = small_batch()
    with everything(tmp_path / "run", compiled, optimizer) as watch:
        optimizer.zero_grad()
        nn.functional.cross_entropy(compiled(x), y).backward()
        optimizer.step()
    run = watch.open_run()
    assert run["gradient_norm"].labels == ("0.weight", "0.bias", "2.weight", "2.bias")
    assert run.model["name"] == "Sequential"


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


def test_the_model_can_be_copied_pickled_and_saved_while_it_is_watched(tmp_path):
    model = small_network()
    optimizer = torch.optim.Adam(model.parameters())
    x, y = small_batch()
    with everything(tmp_path / "run", model, optimizer, raw_gradients=True):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        twin = copy.deepcopy(model)
        again = pickle.loads(pickle.dumps(model))
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, io.BytesIO())
        copy.deepcopy(optimizer)
    for other in (twin, again):
        assert torch.equal(other[0].weight, model[0].weight)


def test_nothing_is_left_on_model_and_optimizer_after_closing(tmp_path):
    model = small_network()
    optimizer = torch.optim.Adam(model.parameters())
    watch = everything(tmp_path / "run", model, optimizer, raw_gradients=True)
    watch.close()
    watch.close()
    assert not optimizer._optimizer_step_pre_hooks
    assert not optimizer._optimizer_step_post_hooks
    assert not any(parameter._post_accumulate_grad_hooks for parameter in model.parameters())


class DropoutNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5),
            nn.Linear(6 * 36, 20), nn.BatchNorm1d(20), nn.ReLU(), nn.Linear(20, 10),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x)


@pytest.mark.parametrize("budget", [None, 0.05])
@pytest.mark.parametrize("optimizer_name", ["SGD", "Adam", "LBFGS"])
def test_training_is_bit_identical_with_and_without_watch(tmp_path, budget, optimizer_name):
    def train(watched):
        torch.manual_seed(3)
        model = DropoutNetwork()
        optimizer = getattr(torch.optim, optimizer_name)(model.parameters(), lr=0.05)
        watch = None
        if watched:
            watch = osc.watch(
                model, optimizer, run=tmp_path / "run", budget=budget, raw_gradients=True, strict=True,
                snapshots=osc.every(2), histograms=osc.every(2),
            )  # fmt: skip
        losses = []
        for _ in range(8):
            x, y = torch.rand(16, 1, 12, 12), torch.randint(0, 10, (16,))

            def closure():
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(model(x), y)  # noqa: B023
                loss.backward()
                return loss

            if optimizer_name == "LBFGS":
                loss = optimizer.step(closure)
            else:
                loss = closure()
                optimizer.step()
            if watch is not None:
                watch.log(loss=loss)
            losses.append(loss.item())
        if watch is not None:
            watch.close()
        state = {**model.state_dict(), "rng": torch.get_rng_state()}
        return losses, state, np.random.get_state()[1].copy()

    losses, state, numpy_state = train(watched=False)
    watched_losses, watched_state, watched_numpy_state = train(watched=True)
    assert watched_losses == losses
    assert (watched_numpy_state == numpy_state).all()
    for name, tensor in state.items():
        assert torch.equal(watched_state[name], tensor), name


def test_histograms_count_the_elements_that_numpy_counts(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = small_batch()
    with everything(tmp_path / "run", model, optimizer, histograms=osc.every(1)) as watch:
        before = model[0].weight.detach().clone()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    run = watch.open_run()
    elements = {
        "weights": model[0].weight.detach(),
        "gradients": model[0].weight.grad,
        "updates": model[0].weight.detach() - before,
    }
    for kind, tensor in elements.items():
        histogram = run.histograms(kind)
        expected, _ = np.histogram(tensor.double().numpy(), bins=histogram.edges)
        np.testing.assert_array_equal(histogram.counts[0, 0], expected)
        assert histogram.counts[0].sum() == sum(p.numel() for p in model.parameters())


def test_an_optimizer_of_another_model_is_refused_before_training(tmp_path):
    with pytest.raises(ArgumentError, match="holds none of the model's parameters"):
        osc.watch(small_network(), torch.optim.SGD(small_network().parameters(), lr=0.1), run=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_no_optimizer_is_refused_with_the_valid_choices(tmp_path):
    with pytest.raises(ArgumentError, match=r"Received: builtins\.str"):
        osc.watch(small_network(), "adam", run=tmp_path / "run")
    with pytest.raises(ArgumentError, match=r"goes with a torch\.nn\.Module"):
        osc.watch("model", torch.optim.SGD(small_network().parameters(), lr=0.1), run=tmp_path / "run")


def test_a_misspelt_quantity_is_named_with_its_nearest(tmp_path):
    model = small_network()
    with pytest.raises(UnknownName, match="Did you mean 'gradient_norm'"):
        osc.watch(model, torch.optim.SGD(model.parameters(), lr=0.1), run=tmp_path / "r", quantities=["gradiant_norm"])


def test_a_metric_that_is_no_number_is_left_out_with_one_warning_and_training_goes_on(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with osc.watch(model, optimizer, run=tmp_path / "run") as watch:
            for step in range(3):
                optimizer.step()
                watch.log(
                    loss=torch.tensor(float(step)), logits=torch.zeros(3), name="x", ok=np.float32(step), flag=True
                )
    assert len([w for w in caught if issubclass(w.category, RecordingWarning)]) == 2
    run = watch.open_run()
    assert run["loss"].values.tolist() == [0, 1, 2]
    assert run["ok"].values.tolist() == [0, 1, 2]
    assert "logits" not in run


def test_a_failure_inside_the_recorder_warns_once_is_counted_and_training_goes_on(tmp_path, monkeypatch):
    from optiscope.frameworks.pytorch.small import SmallTensors

    def fail(*_):
        raise RuntimeError("boom")

    monkeypatch.setattr(SmallTensors, "weight_sums", fail)
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    start = flat(model.parameters())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with osc.watch(model, optimizer, run=tmp_path / "run", budget=None) as watch:
            for _ in range(5):
                for parameter in model.parameters():
                    parameter.grad = torch.ones_like(parameter)
                optimizer.step()
    ours = [w for w in caught if issubclass(w.category, RecordingWarning)]
    assert len(ours) == 1
    assert "boom" in str(ours[0].message)
    np.testing.assert_allclose(flat(model.parameters()), start - 0.5, rtol=1e-5)
    assert watch.open_run().status == "finished"


def test_an_exception_in_the_loop_marks_the_run_failed_and_says_why(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def train():
        with osc.watch(model, optimizer, run=tmp_path / "run") as watch:
            watch.log(loss=1.0)
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        train()
    run = osc.open_run(tmp_path / "run")
    assert run.status == "failed"
    assert any("ZeroDivisionError" in event.message for event in run.events)
    assert run["loss"].values.tolist() == [1.0]


def test_an_interrupted_run_is_resumed_where_it_stopped(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def train(steps, **options):
        with osc.watch(model, optimizer, run=tmp_path / "run", budget=None, strict=True, **options) as watch:
            for _ in range(steps):
                for parameter in model.parameters():
                    parameter.grad = torch.ones_like(parameter)
                optimizer.step()
                watch.log(loss=1.0)
        return watch.open_run()

    train(3)
    run = train(2, resume=True)
    assert run["gradient_norm"].steps.tolist() == [1, 2, 3, 4, 5]
    assert run["loss"].steps.tolist() == [1, 2, 3, 4, 5]
    assert (np.diff(run["loss"].seconds) > 0).all()


def test_ranks_other_than_zero_are_silent(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 1)
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with osc.watch(model, optimizer, run=tmp_path / "run") as watch:
        watch.log(loss=1.0, epoch=1)
        watch.note("unheard")
        watch.snapshot()
        optimizer.step()
    assert not (tmp_path / "run").exists()
    assert not optimizer._optimizer_step_post_hooks


def test_epoch_and_samples_become_timelines(tmp_path):
    model = small_network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with everything(tmp_path / "run", model, optimizer) as watch:
        for step in range(4):
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
            optimizer.step()
            watch.log(loss=float(step), epoch=step // 2, samples=16 * (step + 1))
    run = watch.open_run()
    assert run["loss"].timeline("epoch").tolist() == [0, 0, 1, 1]
    assert run["loss"].timeline("samples").tolist() == [16, 32, 48, 64]
    assert run["loss"].timeline("step").tolist() == [1, 2, 3, 4]


DISTRIBUTED = """
import sys, torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
import optiscope as osc
rank, store, run = int(sys.argv[1]), sys.argv[2], sys.argv[3]
dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
torch.manual_seed(0)
model = DistributedDataParallel(torch.nn.Linear(4, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with osc.watch(model, optimizer, run=run, budget=None, strict=True) as watch:
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(torch.full((2, 4), float(rank + 1))).square().mean()
        loss.backward()
        optimizer.step()
        watch.log(loss=loss)
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_in_a_distributed_training_rank_zero_records_the_averaged_gradient_and_others_are_silent(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(DISTRIBUTED)
    ranks = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", script, str(rank), tmp_path / "store", tmp_path / "run"],
            env={**os.environ, "GLOO_SOCKET_IFNAME": "lo"},
            stderr=subprocess.PIPE,
        )
        for rank in range(2)
    ]
    outcomes = [rank.communicate(timeout=90)[1] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], outcomes
    run = osc.open_run(tmp_path / "run")
    assert run["gradient_norm"].labels == ("weight", "bias")
    assert len(run["loss"]) == 3
    torch.manual_seed(0)
    twin = nn.Linear(4, 2)
    sum(twin(torch.full((2, 4), float(rank + 1))).square().mean() / 2 for rank in range(2)).backward()
    assert run["gradient_norm"].column("weight").values[0] == pytest.approx(float(twin.weight.grad.norm()), rel=1e-5)


UNCLOSED = """
import sys, torch, optiscope as osc
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
watch = osc.watch(model, optimizer, run=sys.argv[1], budget=None, snapshots=osc.at(0))
for _ in range(5):
    optimizer.zero_grad()
    loss = model(torch.ones(3, 2)).square().mean()
    loss.backward()
    optimizer.step()
    watch.log(loss=loss)
"""


@pytest.mark.slow
def test_a_script_that_never_closes_its_watch_leaves_a_whole_run(tmp_path):
    subprocess.run([sys.executable, "-c", UNCLOSED, tmp_path / "run"], check=True, timeout=60)
    run = osc.open_run(tmp_path / "run")
    assert run.status == "finished"
    assert len(run["loss"]) == 5
    assert run.snapshots.steps == (0, 5)
    assert run.overhead["fraction"] > 0
    assert not run.losses
