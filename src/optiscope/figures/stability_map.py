"""How fast a rule with momentum converges on a quadratic, for each learning rate and momentum."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from optiscope.experiments.race.stability import StabilityMap
from optiscope.figures.panel import LEGEND_ABOVE, ROW, head
from optiscope.figures.theme import scale_list, theme_named

_REACH = (0.05, 1.2)
"""Least and most powers of e on both sides of a factor of 1 that the colours tell apart."""
_TICKS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.1, 1.25, 1.5, 2.0, 3.0)


def stability_map(stability: StabilityMap, *, title: str | None = None, theme: str = "light") -> go.Figure:
    """The factor by which the distance to the minimum changes per step: below 1 it converges, above 1 it diverges.

    Args:
        stability: result of `optiscope.stability_map`.
        title: in place of the standard one.
        theme: "light" or "dark".
    """
    chosen = theme_named(theme)
    with np.errstate(all="ignore"):
        logs = np.log(stability.contraction)
    finite = logs[np.isfinite(logs)]
    reach = float(np.clip(-finite.min(), *_REACH)) if len(finite) else _REACH[1]
    shown = np.clip(logs, -reach, reach)
    ticks = [tick for tick in _TICKS if abs(math.log(tick)) <= reach and (tick == 1 or abs(tick - 1) > 0.15 * reach)]
    figure = go.Figure(
        go.Heatmap(
            x=stability.learning_rates,
            y=stability.momenta,
            z=shown,
            customdata=stability.contraction,
            zmin=-reach,
            zmax=reach,
            colorscale=scale_list(chosen.diverging),
            colorbar={
                "title": {"text": "factor<br>per step"},
                "tickvals": [math.log(tick) for tick in ticks],
                "ticktext": [f"{tick:g}" for tick in ticks],
            },
            hovertemplate=(
                "learning rate %{x:.4g}, momentum %{y:.3g}<br>distance × %{customdata:.4g} per step<extra></extra>"
            ),
        )
    )
    if np.isfinite(stability.border).any():
        figure.add_scatter(
            x=stability.border,
            y=stability.momenta,
            mode="lines",
            name="stable up to here, by theory",
            line={"color": chosen.text, "width": 2, "dash": "dash"},
            hovertemplate="border at momentum %{y:.3g}: learning rate %{x:.4g}<extra></extra>",
        )
    sentences = [f"Curvatures {_listed(stability.eigenvalues)}; blue converges, orange diverges."]
    factors = np.where(np.isfinite(stability.contraction), stability.contraction, np.inf)
    if len(finite):
        row, column = np.unravel_index(int(factors.argmin()), factors.shape)
        rate, momentum = float(stability.learning_rates[column]), float(stability.momenta[row])
        figure.add_scatter(
            x=[rate],
            y=[momentum],
            mode="markers",
            name="fastest",
            marker={
                "symbol": "star",
                "size": 14,
                "color": chosen.text,
                "line": {"width": 1, "color": chosen.background},
            },
            hovertemplate="fastest: learning rate %{x:.4g}, momentum %{y:.3g}<extra></extra>",
        )
        sentences.append(
            f"Fastest: learning rate {rate:.3g}, momentum {momentum:.2f}, distance × {factors.min():.3g} per step."
        )
    best = polyak(stability) if len(finite) else None
    if best is not None:
        rate, momentum, factor = best
        figure.add_scatter(
            x=[rate],
            y=[momentum],
            mode="markers",
            name="best by theory",
            marker={"symbol": "circle-open", "size": 15, "color": chosen.text, "line": {"width": 2}},
            hovertemplate="by theory: learning rate %{x:.4g}, momentum %{y:.3g}<extra></extra>",
        )
        sentences.append(
            f"By theory best: learning rate {rate:.3g}, momentum {momentum:.2f}, distance × {factor:.3g} per step."
        )
    head(figure, chosen, title or f"Where {stability.label} converges on a quadratic", sentences, room=ROW)
    ends = [_ends(stability.learning_rates), _ends(stability.momenta)]
    figure.update_layout(
        showlegend=True,
        legend=LEGEND_ABOVE,
        xaxis={"title": {"text": "learning rate"}, "range": ends[0], "showgrid": False},
        yaxis={"title": {"text": "momentum"}, "range": ends[1], "showgrid": False},
    )
    return figure


def polyak(stability: StabilityMap) -> tuple[float, float, float] | None:
    """Learning rate, momentum and factor per step that theory says are best for momentum; None for other rules.

    α* = (2/(√L+√m))² and μ* = ((√L−√m)/(√L+√m))², with which the distance shrinks by √μ* per step, where m and L are
    the least and the largest curvature. Source: B. Polyak, 1964. Nesterov's gradient has another optimum.
    """
    if not stability.label.startswith("Momentum"):
        return None
    low, high = math.sqrt(float(stability.eigenvalues.min())), math.sqrt(float(stability.eigenvalues.max()))
    root = (high - low) / (high + low)
    rate, momentum = (2 / (high + low)) ** 2, root**2
    within = rate <= float(stability.learning_rates[-1]) and momentum <= float(stability.momenta[-1])
    return (rate, momentum, root) if within else None


def _ends(values: np.ndarray) -> list[float]:
    half = float(values[1] - values[0]) / 2 if len(values) > 1 else 0.5
    return [float(values[0]) - half, float(values[-1]) + half]


def _listed(values: np.ndarray) -> str:
    if len(values) > 4:
        return f"{values[0]:.3g} … {values[-1]:.3g}"
    return ", ".join(f"{value:.3g}" for value in values)
