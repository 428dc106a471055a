"""A bar on the terminal that grows with the film."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int], None]
"""Called with the number of frames of the film that are written, and how many there will be."""


@contextmanager
def progress_bar(name: str) -> Iterator[Progress]:
    """Show a bar with time left on standard error; it goes away at the end, and is not there without a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield show
