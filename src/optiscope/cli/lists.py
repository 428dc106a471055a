"""`optiscope optimizers`, `optiscope problems` and `optiscope schedules`: what there is to name."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]


def optimizers(as_json: AsJson = False) -> None:
    """List the update rules: settings, what the tests verify each against, and where it comes from.

    Optimizers of other packages race by name too: torch.Adam, pytorch_optimizer.Lion.
    """
    from optiscope.cli.output import Column, print_json, print_table
    from optiscope.optimizers.listing import list_optimizers

    listed = list_optimizers()
    if as_json:
        print_json([{**dataclasses.asdict(one), "search": _ranges(one.search)} for one in listed])
        return
    print_table(
        [Column(title=title) for title in ("name", "optimizer", "settings", "verified against", "source")],
        [[one.name, one.title, _settings(one.settings), one.reference, one.paper] for one in listed],
    )


def problems(as_json: AsJson = False) -> None:
    """List the problems: formula, domain and known minima."""
    from optiscope.cli.output import Column, print_json, print_table
    from optiscope.problems.listing import list_problems

    listed = list_problems()
    if as_json:
        print_json([dataclasses.asdict(one) for one in listed])
        return
    print_table(
        [
            Column(title="name"),
            Column(title="coordinates", numeric=True),
            Column(title="minimum", numeric=True),
            Column(title="formula"),
        ],
        [
            [one.name, f"{one.dimension}{' or any' if one.any_dimension else ''}", f"{one.minimum:.6g}", one.formula]
            for one in listed
        ],
    )


def schedules(as_json: AsJson = False) -> None:
    """List the schedules: the number at step t, settings, and what the tests verify each against."""
    from optiscope.cli.output import Column, print_json, print_table
    from optiscope.optimizers.listing import list_schedules

    listed = list_schedules()
    if as_json:
        print_json([dataclasses.asdict(one) for one in listed])
        return
    print_table(
        [Column(title=title) for title in ("name", "number at step t", "settings", "verified against")],
        [[one.name, one.formula, _settings(one.settings), one.reference] for one in listed],
    )


def _settings(settings: object) -> str:
    assert isinstance(settings, dict)
    return ", ".join(name if value == "required" else f"{name}={value}" for name, value in settings.items())


def _ranges(search: object) -> dict[str, dict[str, object]]:
    assert isinstance(search, dict)
    return {name: {"scale": type(one).__name__, "low": one.low, "high": one.high} for name, one in search.items()}
