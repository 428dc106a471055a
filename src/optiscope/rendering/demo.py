"""The pages and pictures of the demo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from optiscope.analysis.comparison import compare
from optiscope.analysis.trajectory import trajectory
from optiscope.figures import plot
from optiscope.rendering.report import write_report
from optiscope.rendering.save import save
from optiscope.runs import open_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    import plotly.graph_objects as go

    from optiscope.experiments.demo import DemoResult
    from optiscope.runs import Run


def present_demo(result: DemoResult, folder: str | Path) -> tuple[Path, ...]:
    """Write `report.html` and the pictures of the demo's finished runs into `folder`; the report's path comes first.

    Raises `ArgumentError` when no run is finished.
    """
    folder = Path(folder)
    runs = [open_run(run.path) for run in result.runs]
    title = (
        "Five optimizers on handwritten digits" if len(result.summaries()) == 5 else "Optimizers on handwritten digits"
    )
    report = write_report(runs, folder / "report.html", title=title)
    return (report, *(save(figure, folder / f"{name}.png") for name, figure in _pictures(runs)))


def _pictures(runs: list[Run]) -> Iterator[tuple[str, go.Figure]]:
    """The pictures: two comparisons, one run in full, its layers over the steps, its learning rate, and the paths."""
    last = runs[-1]
    yield "comparison-loss", plot(compare(runs, metric="loss"))
    yield "comparison-test-accuracy", plot(compare(runs, metric="test_accuracy"))
    yield f"overview-{last.name}", plot(last)
    yield f"gradient-norm-{last.name}", plot(last["gradient_norm"], view="heatmap")
    yield f"update-ratio-{last.name}", plot(last["update_ratio"])
    yield f"learning-rate-{last.name}", plot(last["learning_rate"])
    seed = runs[0].config["seed"]
    yield f"paths-seed{seed}", plot(trajectory([run for run in runs if run.config["seed"] == seed]))
