"""Every exception that Optiscope raises on purpose, as one tree.

    OptiscopeError
    ├── ArgumentError            a caller passed something that cannot work (also a ValueError)
    │   ├── UnknownName          a name is not one of the valid ones; the message suggests the nearest
    │   └── CannotDraw           a figure or a part of one has no faithful rendering in the asked format
    ├── RunError                 anything about a run on disk
    │   ├── RunNotFound          there is no run at that path
    │   ├── RunExists            a new run would overwrite an old one
    │   ├── RunInUse             another process is writing to the run
    │   ├── RunDamaged           nothing of the run can be read
    │   └── NewerFormat          the run was written by a newer version of the format
    ├── RecordingError           the recorder failed (only raised with strict=True)
    └── MissingDependency        an optional package is not installed (also an ImportError)

Each message says what happened, why, and how to mend it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class OptiscopeError(Exception):
    """Base of every error that Optiscope raises on purpose."""


class ArgumentError(OptiscopeError, ValueError):
    """An argument cannot work. The message ends with what was received."""


class UnknownName(ArgumentError):
    """A name is not one of the valid ones."""

    @classmethod
    def among(cls, name: object, valid: Iterable[str], *, kind: str) -> UnknownName:
        """Build the error for `name`, naming the nearest of the `valid` names and then all of them."""
        choices = sorted(valid)
        near = difflib.get_close_matches(str(name), choices, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        listing = ", ".join(choices) if choices else "(none)"
        return cls(f"{name!r} is not a {kind}.{hint} Valid: {listing}.")


class CannotDraw(ArgumentError):
    """A figure, or a part of one, has no faithful rendering in the asked format."""


class RunError(OptiscopeError):
    """Something about a run on disk."""


class RunNotFound(RunError, FileNotFoundError):
    """There is no run at that path."""


class RunExists(RunError, FileExistsError):
    """A new run would take the place of an old one."""


class RunInUse(RunError):
    """Another process, or another recorder of this one, is writing to the run."""


class RunDamaged(RunError):
    """Nothing of the run can be read."""


class NewerFormat(RunError):
    """The run was written by a newer version of the run format."""


class RecordingError(OptiscopeError):
    """The recorder failed. Raised only with `strict=True`; otherwise it warns once and is counted."""


class RecordingWarning(UserWarning):
    """The recorder failed, or left something out, and training goes on."""


class MissingDependency(OptiscopeError, ImportError):
    """An optional package is not installed."""

    @classmethod
    def of(cls, package: str, *, purpose: str, extra: str) -> MissingDependency:
        """Build the error for `package`, which `purpose` needs and the extra `extra` installs."""
        return cls(
            f"{purpose} needs the package {package!r}, which is not installed. "
            f"Install it with: pip install 'optiscope[{extra}]'"
        )
