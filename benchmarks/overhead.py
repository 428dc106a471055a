"""What recording costs: the time of a training step with a recorder against the same step without.

Each tool trains its own copy of the same model on the same batches. The copies take turns, a block of steps each, the
bare one before and after each of the others, so that a slow moment of the machine hits all of them; the figure is the
median over the rounds of (block with the tool) / (mean of the bare blocks around it).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

import optiscope as osc

THREADS = 2
BATCH = 64

Step = Callable[[], None]
Tool = Callable[[nn.Module, torch.optim.Optimizer, Path], "contextlib.AbstractContextManager[Callable[[Tensor], None]]"]


class LeNet(nn.Sequential):
    """The LeNet of the demo, on 28×28 images."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10),
        )  # fmt: skip


class Transformer(nn.Module):
    """Ten million parameters: an embedding and six layers of width 320 over 32 tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(4000, 320)
        layer = nn.TransformerEncoderLayer(320, 8, 1280, dropout=0.0, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
        self.head = nn.Linear(320, 4000)

    def forward(self, tokens: Tensor) -> Tensor:
        logits: Tensor = self.head(self.layers(self.embedding(tokens))[:, -1])
        return logits


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))


def batch_of(name: str) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    if name == "transformer":
        return torch.randint(0, 4000, (8, 32), generator=generator), torch.randint(0, 4000, (8,), generator=generator)
    shape = (BATCH, 784) if name == "mlp" else (BATCH, 1, 28, 28)
    return torch.rand(shape, generator=generator), torch.randint(0, 10, (BATCH,), generator=generator)


MODELS: dict[str, Callable[[], nn.Module]] = {"lenet": LeNet, "mlp": mlp, "transformer": Transformer}


# ------------------------------------------------------------------------------------------------------------- tools


@contextlib.contextmanager
def bare(model: nn.Module, optimizer: torch.optim.Optimizer, folder: Path) -> Iterator[Callable[[Tensor], None]]:
    yield lambda loss: None


@contextlib.contextmanager
def ours(model: nn.Module, optimizer: torch.optim.Optimizer, folder: Path) -> Iterator[Callable[[Tensor], None]]:
    with osc.watch(model, optimizer, run=folder, strict=True) as watch:
        yield lambda loss: watch.log(loss=loss)


@contextlib.contextmanager
def ours_whole(model: nn.Module, optimizer: torch.optim.Optimizer, folder: Path) -> Iterator[Callable[[Tensor], None]]:
    """All core quantities at every step; histograms and snapshots, which have schedules of their own, are off."""
    never = osc.at()
    with osc.watch(model, optimizer, run=folder, budget=None, histograms=never, snapshots=never, strict=True) as watch:
        yield lambda loss: watch.log(loss=loss)


@contextlib.contextmanager
def tensorboard(model: nn.Module, optimizer: torch.optim.Optimizer, folder: Path) -> Iterator[Callable[[Tensor], None]]:
    from torch.utils.tensorboard import SummaryWriter

    writer, step = SummaryWriter(str(folder)), 0

    def after(loss: Tensor) -> None:
        nonlocal step
        step += 1
        writer.add_scalar("loss", loss, step)
        for name, parameter in model.named_parameters():
            writer.add_histogram(name, parameter, step)
            if parameter.grad is not None:
                writer.add_histogram(f"{name}.grad", parameter.grad, step)

    yield after
    writer.close()


@contextlib.contextmanager
def wandb(model: nn.Module, optimizer: torch.optim.Optimizer, folder: Path) -> Iterator[Callable[[Tensor], None]]:
    import wandb as weights_and_biases

    folder.mkdir(parents=True)
    settings = weights_and_biases.Settings(silent=True, console="off", disable_git=True, x_disable_stats=True)
    run = weights_and_biases.init(mode="offline", project="benchmark", dir=str(folder), settings=settings, reinit=True)
    run.watch(model, log="all", log_freq=1)
    yield lambda loss: run.log({"loss": loss.item()})
    run.unwatch(model)
    run.finish()


TOOLS: dict[str, Tool] = {
    "optiscope, budget 5 %": ours,
    "optiscope, every step": ours_whole,
    "TensorBoard histograms": tensorboard,
    "wandb watch(all, 1)": wandb,
}


def training_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, batch: tuple[Tensor, Tensor]
) -> Callable[[], Tensor]:
    x, y = batch

    def step() -> Tensor:
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss

    return step


class Contestant:
    """One tool with its own copy of the model."""

    def __init__(self, name: str, tool: Tool, model_name: str, folder: Path, stack: contextlib.ExitStack) -> None:
        torch.manual_seed(0)
        model = MODELS[model_name]()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        self.name = name
        self._step = training_step(model, optimizer, batch_of(model_name))
        self._after = stack.enter_context(tool(model, optimizer, folder))

    def block(self, steps: int) -> float:
        """Seconds a step, over `steps` steps."""
        began = time.perf_counter()
        for _ in range(steps):
            self._after(self._step())
        return (time.perf_counter() - began) / steps


def measure(model_name: str, tools: dict[str, Tool], *, rounds: int, steps: int) -> tuple[dict[str, float], float]:
    """For each tool the median ratio to bare steps; and the median bare step in seconds."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        reference = Contestant("bare", bare, model_name, Path(folder) / "bare", stack)
        contestants = [
            Contestant(name, tool, model_name, Path(folder) / str(number), stack)
            for number, (name, tool) in enumerate(tools.items())
        ]
        reference.block(steps)
        for contestant in contestants:
            contestant.block(max(10, steps))
        ratios: dict[str, list[float]] = {name: [] for name in tools}
        bare_times = [reference.block(steps)]
        for _ in range(rounds):
            for contestant in contestants:
                seconds = contestant.block(steps)
                bare_times.append(reference.block(steps))
                ratios[contestant.name].append(2 * seconds / (bare_times[-1] + bare_times[-2]))
    return {name: statistics.median(values) for name, values in ratios.items()}, statistics.median(bare_times)


# ----------------------------------------------------------------------------------------------------------- Cockpit


def cockpit_ratio(model_name: str, *, rounds: int, steps: int) -> float:
    """Cockpit's economy configuration at every step. It needs its own step: a loss per sample and extended layers."""
    from backpack import extend
    from cockpit import Cockpit
    from cockpit.utils.configuration import configuration

    torch.manual_seed(0)
    model = extend(MODELS[model_name]())
    individual, whole = nn.CrossEntropyLoss(reduction="none"), extend(nn.CrossEntropyLoss())
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    cockpit = Cockpit(model.parameters(), quantities=configuration("economy"))
    x, y = batch_of(model_name)
    step = 0

    def with_cockpit() -> None:
        nonlocal step
        optimizer.zero_grad()
        outputs = model(x)
        loss, losses = whole(outputs, y), individual(outputs, y)
        info = {"batch_size": BATCH, "individual_losses": losses, "loss": loss, "optimizer": optimizer}
        with cockpit(step, info=info):
            loss.backward(create_graph=cockpit.create_graph(step))
        optimizer.step()
        step += 1

    torch.manual_seed(0)
    plain_model = MODELS[model_name]()
    plain = training_step(plain_model, torch.optim.SGD(plain_model.parameters(), lr=1e-3), batch_of(model_name))
    return alternate(plain, with_cockpit, rounds=rounds, steps=steps)


def alternate(plain: Callable[[], object], other: Step, *, rounds: int, steps: int) -> float:
    def block(step: Callable[[], object]) -> float:
        began = time.perf_counter()
        for _ in range(steps):
            step()
        return time.perf_counter() - began

    block(plain)
    block(other)
    ratios, before = [], block(plain)
    for _ in range(rounds):
        seconds, after = block(other), block(plain)
        ratios.append(2 * seconds / (before + after))
        before = after
    return statistics.median(ratios)


# -------------------------------------------------------------------------------------------------------------- main


def copies_of_parameters() -> float:
    """Extra copies of the parameters that recording holds by default, as the run states them."""
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters())
    with tempfile.TemporaryDirectory() as folder:
        with osc.watch(model, optimizer, run=Path(folder) / "run", budget=None) as watch:
            step = training_step(model, optimizer, batch_of("mlp"))
            for _ in range(5):
                step()
        return float(watch.open_run().overhead["copies_of_parameters"])


def available(tools: dict[str, Tool]) -> tuple[dict[str, Tool], dict[str, str]]:
    """The tools whose packages are installed, and why the others are left out."""
    import importlib.util

    left_out = {}
    for name, package in (("TensorBoard histograms", "tensorboard"), ("wandb watch(all, 1)", "wandb")):
        if importlib.util.find_spec(package) is None:
            left_out[name] = f"the package {package!r} is not installed (extra bench)"
    return {name: tool for name, tool in tools.items() if name not in left_out}, left_out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, our own modes only on the two small models")
    quick = parser.parse_args().quick
    torch.set_num_threads(THREADS)
    os.environ.setdefault("WANDB_SILENT", "true")
    tools, left_out = available(TOOLS)
    mine = {name: tool for name, tool in tools.items() if name.startswith("optiscope")}
    figures: dict[str, float] = {}
    rows: list[tuple[str, str, float]] = []
    for model_name, rounds, steps in (("lenet", 15, 60), ("mlp", 15, 200), ("transformer", 5, 8)):
        if quick and model_name == "transformer":
            continue
        # The expensive tools are measured apart: their minutes of work would heat and fill the machine between ours.
        ratios, bare_seconds = measure(model_name, mine, rounds=6 if quick else rounds, steps=steps)
        figures[f"{model_name}_bare_ms"] = 1e3 * bare_seconds
        if not quick and model_name != "transformer":
            others = {name: tool for name, tool in tools.items() if name not in mine}
            ratios |= measure(model_name, others, rounds=5, steps=20)[0]
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    ratios["Cockpit economy"] = cockpit_ratio(model_name, rounds=3, steps=3)
            except ImportError as error:
                left_out["Cockpit economy"] = f"{error} (extra bench)"
        for tool, ratio in ratios.items():
            figures[f"{model_name}: {tool}"] = ratio
            rows.append((model_name, tool, ratio))
    figures["copies_of_parameters"] = copies_of_parameters()
    bars = {
        "lenet_budget_ratio": (figures["lenet: optiscope, budget 5 %"], 1.06),
        "mlp_budget_ratio": (figures["mlp: optiscope, budget 5 %"], 1.06),
        "lenet_every_step_ratio": (figures["lenet: optiscope, every step"], 1.10),
        "mlp_every_step_ratio": (figures["mlp: optiscope, every step"], 1.30),
        "copies_of_parameters": (figures["copies_of_parameters"], 2.0),
    }
    print(f"{'model':<12} {'recorder':<26} step / bare step")
    for model_name, tool, ratio in rows:
        print(f"{model_name:<12} {tool:<26} {ratio:8.3f} ×")
    for tool, reason in left_out.items():
        print(f"{'—':<12} {tool:<26} left out: {reason}")
    print(f"{'—':<12} {'copies of the parameters':<26} {figures['copies_of_parameters']:8.2f}")
    machine = {"cores": os.cpu_count(), "threads": THREADS, "platform": platform.platform(), "torch": torch.__version__}
    result = {
        "benchmark": "overhead",
        "machine": machine,
        "figures": figures,
        "left_out": left_out,
        "bars": {
            name: {"value": value, "bar": f"<= {bar}", "holds": value <= bar} for name, (value, bar) in bars.items()
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
