"""What the subtitles of pictures of a race say of the problem."""

from __future__ import annotations

import re

import numpy as np

from optiscope.experiments.race.result import Race
from optiscope.problems.functions.function import Function
from optiscope.problems.modifiers.gradient_noise import GradientNoise
from optiscope.problems.modifiers.modifier import Modifier
from optiscope.problems.modifiers.sparse_gradients import SparseGradients

_NOTHING_NEW = re.compile(r"[\w \-]+\(x\)")
"""A formula that says no more than the name of the function."""


def problem_sentence(race: Race, title: str = "") -> list[str]:
    """What is minimised, unless the title says it; and what was done to its gradients."""
    formula = race.problem.formula.rstrip(".")
    told = not formula or _NOTHING_NEW.fullmatch(formula) or _bare(formula) in _bare(title)
    return [*([] if told else [f"f = {formula}."]), *noise_sentence(race)]


def noise_sentence(race: Race) -> list[str]:
    """The noise on the gradients and with how many seeds; nothing where there is none."""
    parts = [part for modifier in _modifiers(race.problem) if (part := _described(modifier))]
    if not parts:
        return []
    seeds = [f"{len(race.seeds):,} seeds"] if len(race.seeds) > 1 else []
    text = ", ".join([*parts, *seeds])
    return [f"{text[:1].upper()}{text[1:]}."]


def _modifiers(problem: Function) -> list[Modifier]:
    found = []
    while isinstance(problem, Modifier):
        found.append(problem)
        problem = problem.base
    return found


def _described(modifier: Modifier) -> str:
    if isinstance(modifier, SparseGradients):
        return f"each coordinate of the gradient is kept with probability {modifier.probability:g}"
    if not isinstance(modifier, GradientNoise):
        return ""
    given = np.asarray(modifier.covariance, dtype=np.float64)
    freedom = modifier.degrees_of_freedom
    kind, symbol = (
        ("gradient noise", "σ") if freedom is None else (f"gradient noise of Student’s t, ν = {freedom:g}", "scale")
    )
    if given.ndim == 2:
        return f"{kind} with a covariance matrix"
    deviations = np.unique(np.sqrt(given))
    return f"{kind}{' ' if freedom is None else ', '}{symbol} = {', '.join(f'{value:.3g}' for value in deviations[:4])}"


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)
