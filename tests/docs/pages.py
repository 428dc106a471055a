"""The pages of the documentation."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = tuple(
    path for path in (ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md") if path.exists()
) + tuple(sorted((ROOT / "docs").rglob("*.md")))
"""Every page that a reader is pointed to."""


def named(path: Path) -> str:
    """How a page is called in the tests' names."""
    return path.relative_to(ROOT).as_posix()
