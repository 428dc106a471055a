"""The PyTorch adapter in every kind of training loop that it has to bear."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.optional_parts import require

require("torch")

import torch  # noqa: E402
from torch import nn  # noqa: E402

import optiscope as osc  # noqa: E402
from optiscope.problems.tasks.lenet import lenet  # noqa: E402
from tests.frameworks.pytorch.training import everything, flat, small_batch, small_network  # noqa: E402


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
@pytest.mark.parametrize(("network", "side"), [(DropoutNetwork, 12), (lenet, 28)])
def test_training_is_bit_identical_with_and_without_watch(tmp_path, budget, optimizer_name, network, side):
    def train(watched):
        torch.manual_seed(3)
        model = network()
        optimizer = getattr(torch.optim, optimizer_name)(model.parameters(), lr=0.05)
        watch = None
        if watched:
            watch = osc.watch(
                model, optimizer, run=tmp_path / "run", budget=budget, raw_gradients=True, strict=True,
                snapshots=osc.every(2), histograms=osc.every(2),
            )  # fmt: skip
        losses = []
        for _ in range(8):
            x, y = torch.rand(16, 1, side, side), torch.randint(0, 10, (16,))

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
