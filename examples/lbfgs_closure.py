"""A network is fitted to a few noisy readings of a damped oscillation with L-BFGS, whose step takes a closure."""

from __future__ import annotations

import torch
from torch import nn

import optiscope as osc


def main():
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)

    t = torch.linspace(-1, 1, 60).unsqueeze(1)
    truth = torch.exp(-1 - t) * torch.cos(4 * torch.pi * t)
    readings = truth + 0.02 * torch.randn_like(truth)

    model = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1))
    criterion = nn.MSELoss()
    optimizer = torch.optim.LBFGS(
        model.parameters(), lr=1.0, max_iter=20, history_size=20, line_search_fn="strong_wolfe"
    )
    watch = osc.watch(model, optimizer, config={"readings": len(t)})  # the one line

    for i in range(16):

        def closure():
            optimizer.zero_grad()
            loss = criterion(model(t), readings)
            loss.backward()
            return loss

        loss = optimizer.step(closure)
        if i % 3 == 0:
            print(f"step {i:2d}  loss {loss.item():.6f}")

    with torch.no_grad():
        print(f"error against the truth {criterion(model(t), truth).item():.6f}")
    print(f"recorded in {watch.path}")


if __name__ == "__main__":
    main()
