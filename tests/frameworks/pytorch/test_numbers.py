"""The numbers that the PyTorch adapter records, against independent float64 formulas."""

from __future__ import annotations

import numpy as np
import pytest

from tests.optional_parts import require

require("torch")

import torch  # noqa: E402
from torch import nn  # noqa: E402

import optiscope as osc  # noqa: E402
from tests.frameworks.pytorch.training import everything, flat, small_batch, small_network, steps_of_ones  # noqa: E402


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
