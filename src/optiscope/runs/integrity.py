"""Whether a run is whole: everything in it is read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optiscope.errors import RunDamaged, RunError
from optiscope.runs.run import Run, open_run
from optiscope.runs.schema import SNAPSHOT_SUFFIX


@dataclass(frozen=True, kw_only=True)
class Integrity:
    """Whether a run is whole."""

    path: str
    """Folder of the run."""
    status: str
    """What became of the run."""
    series: int
    """Series that can be read."""
    snapshots: int
    """Snapshots on disk."""
    problems: tuple[str, ...]
    """What is damaged or lost, one sentence each; empty for a whole run."""
    notes: tuple[str, ...]
    """What is worth knowing and no damage."""

    @property
    def whole(self) -> bool:
        """Whether nothing is damaged or lost."""
        return not self.problems


def check_path(path: Path) -> Integrity:
    """`check` the run in the folder `path`; one that cannot be opened is damaged. Raises `RunNotFound`."""
    try:
        return check(open_run(path))
    except RunDamaged as error:
        return Integrity(path=str(path), status="unreadable", series=0, snapshots=0, problems=(str(error),), notes=())


def check(run: Run) -> Integrity:
    """Read everything in `run`: every segment, every event, and every number of every snapshot."""
    problems = list(run.losses.sentences())
    notes = []
    expected = {tensor["name"]: tensor for tensor in run.model.get("tensors", ()) if "shape" in tensor}
    reported = " ".join(problems)
    for step in run.snapshots.steps:
        fault = _snapshot_fault(run, step, expected)
        if fault is not None and f"/{step}{SNAPSHOT_SUFFIX}" not in reported:
            problems.append(fault)
    if run.status == "crashed":
        notes.append("The writer ended without closing the run; what it had written by then is complete.")
    if run.status == "running":
        notes.append("The run is still being written.")
    return Integrity(
        path=str(run.path),
        status=run.status,
        series=len(run),
        snapshots=len(run.snapshots),
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _snapshot_fault(run: Run, step: int, expected: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Say what is wrong with the snapshot of `step`, or None."""
    try:
        tensors = run.snapshots.load(step)
    except (RunError, OSError) as error:
        return f"The snapshot of step {step} cannot be read: {error}"
    for name, tensor in tensors.items():
        # Summing touches every page of the file: a disk that cannot give it back says so here.
        tensor.sum()
        shape, said = list(tensor.shape), expected.get(name)
        if said is None or shape == said["shape"]:
            continue
        # Parts of complex numbers side by side, in a file that does not name the element type of the framework.
        if not ("complex" in str(said.get("dtype")) and shape == [*said["shape"], 2]):
            return f"The snapshot of step {step} holds {name} as {shape}; the model says {said['shape']}."
    missing = sorted(set(expected) - set(tensors))
    if missing:
        return f"The snapshot of step {step} lacks {len(missing)} tensors of the model, such as {missing[0]}."
    return None
