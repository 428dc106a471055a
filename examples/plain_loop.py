"""A small fully connected network learns two interleaved spirals. The usual script: train(), test(), main()."""

from __future__ import annotations

import argparse

import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset

import optiscope as osc


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 64)
        self.fc2 = nn.Linear(64, 64)
        self.dropout = nn.Dropout(0.1)
        self.out = nn.Linear(64, 2)

    def forward(self, x):
        x = torch.tanh(self.fc1(x))
        x = torch.tanh(self.fc2(x))
        return F.log_softmax(self.out(self.dropout(x)), dim=1)


def spirals(samples):
    label = torch.arange(samples) % 2
    radius = torch.rand(samples).sqrt()
    angle = 3.5 * radius * torch.pi + label * torch.pi
    points = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
    return TensorDataset(points + 0.02 * torch.randn(samples, 2), label)


def train(args, model, loader, optimizer, epoch):
    model.train()
    for batch_idx, (data, target) in enumerate(loader):
        optimizer.zero_grad()
        loss = F.nll_loss(model(data), target)
        loss.backward()
        optimizer.step()
        if epoch % args.log_interval == 0 and batch_idx == 0:
            print(f"epoch {epoch:3d}  loss {loss.item():.4f}")


def test(model, loader):
    model.eval()
    correct = 0
    with torch.no_grad():
        for data, target in loader:
            correct += (model(data).argmax(dim=1) == target).sum().item()
    print(f"test accuracy {correct / len(loader.dataset):.1%}")


def main():
    parser = argparse.ArgumentParser(description="Two spirals")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--gamma", type=float, default=0.5)
    parser.add_argument("--log-interval", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    train_loader = DataLoader(spirals(768), batch_size=args.batch_size, shuffle=True)
    test_loader = DataLoader(spirals(512), batch_size=256)

    model = Net()
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    scheduler = StepLR(optimizer, step_size=20, gamma=args.gamma)
    watch = osc.watch(model, optimizer, config=vars(args))  # the one line

    for epoch in range(1, args.epochs + 1):
        train(args, model, train_loader, optimizer, epoch)
        scheduler.step()
    test(model, test_loader)
    print(f"recorded in {watch.path}")


if __name__ == "__main__":
    main()
