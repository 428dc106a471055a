"""Seeing the steps that a gradient scaler skips: the optimizer's own hooks never fire for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch.optim import Optimizer

from optiscope.frameworks.shadow import Shadow
from optiscope.recording.recorder import Recorder


def watch_scaler(scaler: Any, optimizers: Sequence[Optimizer], recorder: Recorder) -> Shadow:
    """Record for each `scaler.step(optimizer)` whether the step was skipped, until the shadow is removed."""
    sources = {id(optimizer): source for optimizer, source in zip(optimizers, recorder.sources, strict=True)}

    def observe(original: Callable[..., Any]) -> Callable[..., Any]:
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

        return step

    return Shadow(scaler, "step", observe)
