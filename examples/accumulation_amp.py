"""A tiny transformer learns to sort digits, in bfloat16, with accumulated and clipped gradients."""

from __future__ import annotations

import math

import torch
from torch import nn

import optiscope as osc

# ---- settings
vocab_size = 10
block_size = 6
n_embd = 32
n_head = 4
n_layer = 1
micro_batch = 32
gradient_accumulation_steps = 2
max_iters = 70
warmup_iters = 7
learning_rate = 1e-2
min_lr = 1e-3
grad_clip = 1.0
seed = 1337

torch.manual_seed(seed)


class Sorter(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok_emb = nn.Embedding(vocab_size, n_embd)
        self.pos_emb = nn.Parameter(0.02 * torch.randn(block_size, n_embd))
        layer = nn.TransformerEncoderLayer(n_embd, n_head, 4 * n_embd, dropout=0.0, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, n_layer, enable_nested_tensor=False)
        self.ln_f = nn.LayerNorm(n_embd)
        self.head = nn.Linear(n_embd, vocab_size, bias=False)
        self.head.weight = self.tok_emb.weight  # tied
        nn.init.normal_(self.tok_emb.weight, std=0.1)

    def forward(self, idx, targets=None):
        x = self.tok_emb(idx) + self.pos_emb
        logits = self.head(self.ln_f(self.blocks(x)))
        if targets is None:
            return logits
        return nn.functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


def get_batch():
    x = torch.randint(vocab_size, (micro_batch, block_size))
    return x, x.sort(dim=1).values


def get_lr(it):
    if it < warmup_iters:
        return learning_rate * (it + 1) / warmup_iters
    progress = (it - warmup_iters) / (max_iters - warmup_iters)
    return min_lr + 0.5 * (learning_rate - min_lr) * (1 + math.cos(math.pi * progress))


model = Sorter()
decay = [p for p in model.parameters() if p.dim() >= 2]
no_decay = [p for p in model.parameters() if p.dim() < 2]
optimizer = torch.optim.AdamW(
    [{"params": decay, "weight_decay": 0.1}, {"params": no_decay, "weight_decay": 0.0}], betas=(0.9, 0.95)
)
watch = osc.watch(model, optimizer)  # the one line

for it in range(max_iters):
    for group in optimizer.param_groups:
        group["lr"] = get_lr(it)
    lossf = 0.0
    for _ in range(gradient_accumulation_steps):
        x, y = get_batch()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(x, y) / gradient_accumulation_steps
        loss.backward()
        lossf += loss.item()
    torch.nn.utils.clip_grad_norm_(model.parameters(), grad_clip)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    if it % 10 == 0 or it == max_iters - 1:
        print(f"iter {it}: loss {lossf:.4f}, lr {get_lr(it):.2e}")

with torch.no_grad():
    x, y = get_batch()
    print(f"digits at the right place: {(model(x).argmax(-1) == y).float().mean():.1%}")
print(f"recorded in {watch.path}")
