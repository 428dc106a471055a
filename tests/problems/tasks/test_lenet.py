from __future__ import annotations

import copy

import pytest

from optiscope.problems.tasks.lenet import lenet

torch = pytest.importorskip("torch")


def test_lenet_has_the_layers_of_the_experiments() -> None:
    model = lenet()
    assert sum(parameter.numel() for parameter in model.parameters()) == 61_610
    assert [name for name, _ in model.named_parameters()] == [
        f"{layer}.{kind}" for layer in ("conv1", "conv2", "fc1", "fc2", "fc3") for kind in ("weight", "bias")
    ]
    assert type(model).__name__ == "LeNet"
    assert model(torch.zeros(4, 1, 28, 28)).shape == (4, 10)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    first, again, other = (lenet(seed=seed).state_dict() for seed in (7, 7, 8))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["fc1.weight"], other["fc1.weight"])


def test_building_lenet_leaves_the_random_generator_as_it_was() -> None:
    torch.manual_seed(123)
    expected = torch.rand(3)
    torch.manual_seed(123)
    lenet(seed=5)
    assert torch.equal(torch.rand(3), expected)


def test_lenet_is_float32_on_the_cpu_whatever_the_default_type_is() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        assert next(lenet().parameters()).dtype == torch.float32
    finally:
        torch.set_default_dtype(torch.float32)


def test_lenet_can_be_copied() -> None:
    model = lenet()
    twin = copy.deepcopy(model)
    assert torch.equal(twin.state_dict()["fc1.weight"], model.state_dict()["fc1.weight"])
