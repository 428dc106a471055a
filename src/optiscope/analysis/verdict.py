"""What a comparison says, in words, and what limits it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from optiscope.analysis.wording import listed
from optiscope.runs.wording import counted

if TYPE_CHECKING:
    from optiscope.analysis.comparison import Group


def verdict(groups: Sequence[Group], *, metric: str, goal: Literal["min", "max"], baseline: bool) -> str:
    """Which group did best and which cannot be told from it. Never calls a difference that chance explains a win."""
    reference = next(group for group in groups if group.judgement == "reference")
    others = [group for group in groups if group is not reference]
    if reference.final.count == 0:
        diverged = "Every run" if all(group.final.count == 0 for group in groups) else f"Every run of {reference.label}"
        return f"{diverged} ends with a {metric} that is NaN or infinite: there is nothing to compare."
    if not others:
        return " ".join([f"The {metric} of {reference.label} ends at {reference.final}.", *_partly_diverged(groups)])
    if baseline:
        opening = f"The baseline {reference.label} ends with a {metric} of {reference.final}."
    else:
        extreme = "lowest" if goal == "min" else "highest"
        opening = f"{reference.label} ends {extreme}: {metric} {reference.final}."
    return " ".join([opening, *_clauses(others), *_partly_diverged(groups)])


def _partly_diverged(groups: Sequence[Group]) -> list[str]:
    return [
        f"{len(group.diverged)} of {counted(len(group.run_names), 'run')} of {group.label} diverged, outside its mean."
        for group in groups
        if group.diverged and group.final.count > 0
    ]


def _clauses(others: Sequence[Group]) -> list[str]:
    sentences = []
    better, worse, ties = (
        [group for group in others if group.judgement == kind] for kind in ("better", "worse", "tie")
    )
    for kind, members in (("better", better), ("worse", worse)):
        if members:
            strongest = max(group.p_value for group in members)
            be = "is" if len(members) == 1 else "are"
            sentences.append(f"{_names(members)} {be} {kind} (p ≤ {max(strongest, 0.0001):.2g}).")
    if ties:
        be = "ties" if len(ties) == 1 else "tie"
        sentences.append(f"{_names(ties)} {be} with it: the difference may be chance.")
    gone = [group for group in others if group.final.count == 0]
    if gone:
        sentences.append(f"{_names(gone)} diverged.")
    single = [group for group in others if group.judgement == "unknown" and group.final.count > 0]
    if single:
        sentences.append(
            f"Whether the difference to {_names(single)} is more than chance is not known: that needs at least two "
            "finite runs with different seeds on both sides."
        )
    return sentences


def limits(
    groups: Sequence[Group],
    *,
    interpolated: Sequence[str],
    target: float,
    target_chosen: bool,
    window: tuple[int, int],
) -> tuple[str, ...]:
    """How the numbers came about, and every reason not to trust them."""
    left_out = any(group.diverged for group in groups)
    rule = "; a run with NaN or infinity among them diverged and is left out" if left_out else ""
    sentences = [f"Final values are means over the last twentieth of a run's values{rule}."]
    if not math.isnan(target):
        origin = "" if target_chosen else ", the worst final value of a finite run that no run has from its start on"
        few, many = window
        width = (
            "each single value"
            if many == 1
            else f"the mean over {few} values"
            if few == many
            else (f"the mean over a twentieth of a run's values ({few} to {many})")
        )
        sentences.append(f"The target is {target:.4g}{origin}; a run is there when {width} first is.")
    elif any(group.final.count for group in groups):
        sentences.append("There is no target to count steps to: each final value is one that a run has from its start.")
    for group in groups:
        sentences += _group_limits(group)
    if interpolated:
        sentences.append(
            f"The runs of {listed(list(interpolated))} were logged at different steps: values between are interpolated "
            "on straight lines."
        )
    return tuple(sentences)


def _group_limits(group: Group) -> list[str]:
    sentences = []
    runs = counted(len(group.run_names), "run")
    if group.from_start:
        sentences.append(
            f"{group.label}: {listed(list(group.from_start))} {'is' if len(group.from_start) == 1 else 'are'} at the "
            "target from the first value on, so the steps to it say nothing."
        )
    if group.diverged:
        rest = len(group.run_names) - len(group.diverged)
        kept = f"; its mean is over the other {rest}" if rest else ""
        sentences.append(
            f"{group.label}: {len(group.diverged)} of {runs} diverged ({listed(list(group.diverged))}){kept}."
        )
    elif group.nonfinite:
        sentences.append(f"{group.label}: {counted(group.nonfinite, 'value')} on the way NaN or infinite.")
    if len(group.values) > 1 and len(group.steps) > 1 and bool((group.values == group.values[0]).all()):
        sentences.append(f"{group.label}: all {runs} are identical, so the seed seems to change nothing.")
    if len(group.steps) and group.longest > group.steps[-1]:
        sentences.append(
            f"{group.label}: a run ends at step {group.steps[-1]:,} and another at {group.longest:,}; the mean ends "
            "with the shorter, final values are each run's own."
        )
    if len(group.steps) == 0:
        sentences.append(f"{group.label}: its runs share no step, so there is no mean.")
    return sentences


def _names(groups: Sequence[Group]) -> str:
    return listed([group.label for group in groups])
