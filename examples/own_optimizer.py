"""Momentum with a decaying learning rate and weight decay, written in three ways, each beside torch.optim.SGD."""

from __future__ import annotations

import torch
from torch import nn

import optiscope as osc

LEARNING_RATE, MOMENTUM, WEIGHT_DECAY, FACTOR = 0.002, 0.9, 0.01, 0.99


class DecayingMomentum:
    """First way: a class that changes PyTorch's parameters."""

    def __init__(self, params, lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY):
        self.params = list(params)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.velocities = [torch.zeros_like(parameter) for parameter in self.params]
        self.steps = 0

    def zero_grad(self):
        for parameter in self.params:
            parameter.grad = None

    @torch.no_grad()
    def step(self):
        rate = self.lr * FACTOR**self.steps
        for index, parameter in enumerate(self.params):
            if parameter.grad is not None:
                gradient = parameter.grad + self.weight_decay * parameter
                self.velocities[index] = self.momentum * self.velocities[index] + gradient
                parameter.sub_(rate * self.velocities[index])
        self.steps += 1


@osc.register_optimizer("decaying_momentum")
class DecayingMomentumRule:
    """Second way: a rule for one array at a time, of NumPy or PyTorch. It remembers nothing itself."""

    batching = "elementwise"  # no coordinate looks at another, so thousands of paths run at once

    def __init__(self, learning_rate=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY):
        self.learning_rate, self.momentum, self.weight_decay = learning_rate, momentum, weight_decay

    def init(self, parameter):
        return {"momentum": 0 * parameter, "step": 0}

    def update(self, gradient, state, parameter):
        momentum = self.momentum * state["momentum"] + gradient + self.weight_decay * parameter
        rate = self.learning_rate * FACTOR ** state["step"]
        return -rate * momentum, {"momentum": momentum, "step": state["step"] + 1}


# Third way: a chain of what there is.
composed = osc.chain(
    osc.add_l2(WEIGHT_DECAY),
    osc.scale_by_momentum(MOMENTUM),
    osc.scale_by_learning_rate(osc.schedule(f"exponential(start={LEARNING_RATE}, factor={FACTOR})")),
)


def weights_after_training(make, *, with_scheduler=False):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1)).double()
    inputs = torch.randn(64, 4, dtype=torch.float64)
    targets = inputs.prod(dim=1, keepdim=True)
    optimizer = make(model.parameters())
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, FACTOR) if with_scheduler else None
    for _ in range(100):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(inputs), targets).backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def greatest_differences():
    """How far the weights are from those that torch.optim.SGD finds."""
    reference = weights_after_training(
        lambda p: torch.optim.SGD(p, lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY),
        with_scheduler=True,
    )
    ways = {
        "class": DecayingMomentum,
        "rule": lambda p: osc.torch_optimizer(p, "decaying_momentum"),
        "chain": lambda p: osc.torch_optimizer(p, composed),
    }
    return {name: float((weights_after_training(make) - reference).abs().max()) for name, make in ways.items()}


def main():
    for name, difference in greatest_differences().items():
        print(f"as a {name}: differs from torch.optim.SGD by {difference:.1e} after 100 steps")

    print()
    print(osc.check_optimizer(DecayingMomentum))

    print()
    race = osc.race("beale", ["decaying_momentum(momentum=0.8)", composed, DecayingMomentum, "adam", "torch.SGD"])
    for entry in race.entries:
        print(f"{entry.rank}. {entry.label}: {entry.final[0]:.3g}")


if __name__ == "__main__":
    main()
