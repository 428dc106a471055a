"""Small real runs: a network of two layers in NumPy, trained on rings, recorded through the run writer.

The problem is small enough to train in milliseconds and hard enough that optimizers differ on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from optiscope.recording import bins
from optiscope.runs import Position, Row, Run, RunWriter, open_run

Arrays = dict[str, NDArray[np.float64]]

RATES = {"sgd": 0.3, "momentum": 0.05, "adam": 0.02}


def train(
    path: Path,
    *,
    optimizer: str = "adam",
    seed: int = 0,
    steps: int = 120,
    width: int = 12,
    rate: float | None = None,
    poison: int | None = None,
    snapshots: int = 4,
    measured: bool = True,
    status: str = "finished",
) -> Run:
    """Train and record one run. `poison` is the step from which the gradient of the second layer is NaN."""
    rng = np.random.default_rng(seed)
    rate = RATES[optimizer] if rate is None else rate
    inputs, targets = _rings(rng, 400)
    weights = _start(rng, width)
    start = {name: value.copy() for name, value in weights.items()}
    state: dict[str, Arrays] = {}
    previous: Arrays = {}
    writer = RunWriter.create(
        path,
        config={"optimizer": optimizer, "lr": rate, "seed": seed},
        model={"name": "rings", "framework": "numpy", "parameters": sum(value.size for value in weights.values())},
        optimizer={"name": optimizer, "groups": [{"name": "group 0", "hyperparameters": {"lr": rate}}]},
        seed=seed,
    )
    with writer:
        writer.snapshot(0, weights.copy)
        for step in range(1, steps + 1):
            batch = rng.integers(0, len(inputs), 32)
            loss, accuracy, gradients = _loss(weights, inputs[batch], targets[batch])
            if poison is not None and step >= poison:
                gradients["second.weight"] = gradients["second.weight"] * np.nan
                loss = float("nan")
            updates = _update(optimizer, rate * min(1.0, step / 10), gradients, state, step)
            weights = {name: value + updates[name] for name, value in weights.items()}
            position = Position(step=step, seconds=step * 0.004, epoch=step * 32 / 400, samples=step * 32)
            writer.log(position, {"loss": loss, "accuracy": accuracy})
            if measured:
                rows = _measure(position, weights, gradients, updates, start, previous, rate)
                writer.submit(partial(iter, rows))
            if step % snapshots == 0:
                writer.snapshot(step, weights.copy)
            previous = gradients
        writer.describe(
            overhead={"fraction": 0.031, "budget": 0.05, "intervals": {"histograms": 10, "gradient_norm": 1}}
        )
        writer.close(status)
    return open_run(path)


def _rings(rng: np.random.Generator, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    target = rng.integers(0, 2, count).astype(np.float64)
    angle, radius = rng.uniform(0, 2 * np.pi, count), 0.5 + target + rng.normal(0, 0.15, count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), target


def _start(rng: np.random.Generator, width: int) -> Arrays:
    sizes = {"first": (2, width), "second": (width, width), "third": (width, 1)}
    weights: Arrays = {}
    for name, (inner, outer) in sizes.items():
        weights[f"{name}.weight"] = rng.normal(0, 1 / np.sqrt(inner), (inner, outer))
        weights[f"{name}.bias"] = np.zeros(outer)
    return weights


def _loss(weights: Arrays, x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float, Arrays]:
    first = np.tanh(x @ weights["first.weight"] + weights["first.bias"])
    second = np.tanh(first @ weights["second.weight"] + weights["second.bias"])
    logit = np.clip((second @ weights["third.weight"] + weights["third.bias"])[:, 0], -30, 30)
    chance = 1 / (1 + np.exp(-logit))
    loss = float(-np.mean(y * np.log(chance + 1e-12) + (1 - y) * np.log(1 - chance + 1e-12)))
    out = ((chance - y) / len(y))[:, None]
    back_second = out @ weights["third.weight"].T * (1 - second**2)
    back_first = back_second @ weights["second.weight"].T * (1 - first**2)
    gradients = {
        "first.weight": x.T @ back_first,
        "first.bias": back_first.sum(0),
        "second.weight": first.T @ back_second,
        "second.bias": back_second.sum(0),
        "third.weight": second.T @ out,
        "third.bias": out.sum(0),
    }
    return loss, float(((chance > 0.5) == y).mean()), gradients


def _update(optimizer: str, rate: float, gradients: Arrays, state: dict[str, Arrays], step: int) -> Arrays:
    updates: Arrays = {}
    for name, gradient in gradients.items():
        memory = state.setdefault(name, {"first": np.zeros_like(gradient), "second": np.zeros_like(gradient)})
        if optimizer == "sgd":
            updates[name] = -rate * gradient
        elif optimizer == "momentum":
            memory["first"] = 0.9 * memory["first"] + gradient
            updates[name] = -rate * memory["first"]
        else:
            memory["first"] = 0.9 * memory["first"] + 0.1 * gradient
            memory["second"] = 0.99 * memory["second"] + 0.01 * gradient**2
            mean, square = memory["first"] / (1 - 0.9**step), memory["second"] / (1 - 0.99**step)
            updates[name] = -rate * mean / (np.sqrt(square) + 1e-8)
    return updates


def _measure(
    position: Position,
    weights: Arrays,
    gradients: Arrays,
    updates: Arrays,
    start: Arrays,
    previous: Arrays,
    rate: float,
) -> list[Row]:
    names = tuple(weights)
    parts = {
        "gradient_norm": gradients,
        "weight_norm": weights,
        "update_norm": updates,
        "distance_from_start": {name: weights[name] - start[name] for name in names},
    }
    values: dict[str, float | NDArray[np.generic]] = {}
    for quantity, arrays in parts.items():
        norms = np.array([np.linalg.norm(arrays[name]) for name in names])
        values[quantity], values[f"{quantity}/global"] = norms, float(np.linalg.norm(norms))
    values["update_ratio"] = np.asarray(values["update_norm"]) / np.maximum(values["weight_norm"], 1e-12)
    values["update_ratio/global"] = float(values["update_norm/global"]) / float(values["weight_norm/global"])
    values["update_gradient_cosine"] = np.array([_cosine(updates[name], -gradients[name]) for name in names])
    values["gradient_previous_cosine"] = np.array([_cosine(gradients[name], previous.get(name)) for name in names])
    values["gradient_nonfinite"] = np.array([float((~np.isfinite(gradients[name])).sum()) for name in names])
    values["learning_rate"] = np.array([rate * min(1.0, position.step / 10)])
    labels: dict[str, tuple[str, ...]] = {name: names for name, value in values.items() if np.ndim(value) == 1}
    rows = [Row(source="layers", position=position, values=values, labels=labels | {"learning_rate": ("group 0",)})]
    if position.step % 10 == 0 or position.step == 1:
        rows.append(_histograms(position, {"weights": weights, "gradients": gradients}, names))
    return rows


def _histograms(position: Position, kinds: Mapping[str, Arrays], names: tuple[str, ...]) -> Row:
    values: dict[str, float | NDArray[np.generic]] = {}
    for kind, arrays in kinds.items():
        counted = [bins.count(arrays[name]) for name in names]
        values[kind] = np.stack([counts for counts, _ in counted])
        values[f"{kind}/nonfinite"] = np.array([nonfinite for _, nonfinite in counted], dtype=np.int64)
    return Row(source="histograms", position=position, values=values, labels=dict.fromkeys(values, names))


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64] | None) -> float:
    if b is None:
        return float("nan")
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.sum(a * b)) / size if size > 0 else float("nan")
