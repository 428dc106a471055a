"""Seeing the steps that a gradient scaler skips: the optimizer's own hooks never fire for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch.optim import Optimizer

from optiscope.recording.recorder import Recorder


def watch_scaler(scaler: Any, optimizers: Sequence[Optimizer], recorder: Recorder) -> Callable[[], None]:
    """Record for each `scaler.step(optimizer)` whether the step was skipped; returns what undoes it.

    The scaler offers no hook, so its `step` is shadowed on this one object, and given back afterwards.
    """
    original = scaler.step
    sources = {id(optimizer): source for optimizer, source in zip(optimizers, recorder.sources, strict=True)}

    def step(optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
        source = sources.get(id(optimizer))
        before = None if source is None else source.step
        result = original(optimizer, *args, **kwargs)
        if source is not None:
            with recorder.guard:
                skipped = source.step == before
                if skipped:
                    source.skip()
                prefix = f"{source.name}/" if source.name else ""
                recorder.log({f"{prefix}step_skipped": float(skipped)})
        return result

    scaler.step = step

    def undo() -> None:
        if scaler.__dict__.get("step") is step:
            del scaler.step

    return undo
