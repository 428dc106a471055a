"""A small network, its data, and ways to train it under a watch."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

import optiscope as osc


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


def steps_of_ones(model, optimizer, count):
    for _ in range(count):
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
