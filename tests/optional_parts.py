"""Parts that a machine may lack: a test that needs one is skipped there, and fails under continuous integration."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

PACKAGES = {
    "torch": "torch",
    "keras": "keras",
    "tensorflow": "tensorflow",
    "paddle": "paddle",
    "sklearn": "scikit-learn",
    "PIL": "pillow",
    "imageio_ffmpeg": "imageio-ffmpeg",
    "playwright": "playwright",
}
"""Import names of the optional Python packages, and the names that they are installed by."""

PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "pdftoppm": ("pdftoppm",),
}
"""Programs, each with the names of the executables that will do."""


def find_program(part: str) -> Path | None:
    """The executable of the program `part`, or None where there is none on the PATH."""
    found = (shutil.which(name) for name in PROGRAMS[part])
    return next((Path(path) for path in found if path), None)


def why_missing(part: str) -> str | None:
    """A sentence if `part` is not on this machine; nothing is imported to find out."""
    if part in PROGRAMS:
        return None if find_program(part) else f"the program {part!r} is not installed"
    if part not in PACKAGES:
        raise ValueError(f"{part!r} is no optional part. Valid: {', '.join(sorted({*PACKAGES, *PROGRAMS}))}.")
    present = importlib.util.find_spec(part) is not None
    return None if present else f"the package {PACKAGES[part]!r} is not installed"


def require(*parts: str) -> None:
    """Skip the test, or at module level the whole file, unless all `parts` are here; with CI=true, fail instead."""
    missing = [reason for part in parts if (reason := why_missing(part))]
    if not missing:
        return
    sentence = "; ".join(missing)
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"{sentence}, and under continuous integration every part has to be there", pytrace=False)
    pytest.skip(sentence, allow_module_level=True)


def require_program(part: str) -> Path:
    """The executable of the program `part`; skips or fails like `require` where it is missing."""
    require(part)
    program = find_program(part)
    assert program is not None
    return program
