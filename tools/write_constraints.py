"""Write constraints.txt: the version of every package that the extras bring in today.

Versions already pinned stay unless --upgrade is given, so that adding a dependency changes only what it must.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
HEADER = """\
# The exact versions that Optiscope is developed and tested with, for every extra:
#     pip install -e '.[all,dev]' -c constraints.txt
# Written by `make pins`. A pin without a local suffix also takes a local build, such as torch's for CPUs.
"""


def resolve(constraints: Path | None) -> dict[str, Any]:
    """Ask pip what it would install into an empty environment."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    command += [f"{ROOT}[all,bench,dev]"]
    if constraints is not None:
        command += ["--constraint", str(constraints)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    report: dict[str, Any] = json.loads(answer)
    return report


def pins(report: dict[str, Any]) -> list[str]:
    """The pins of pip's report: normalised names, no local suffix, not Optiscope itself."""
    versions = {
        package["metadata"]["name"].lower().replace("_", "-"): package["metadata"]["version"].partition("+")[0]
        for package in report["install"]
    }
    return [f"{name}=={version}" for name, version in sorted(versions.items()) if name != "optiscope"]


def main() -> None:
    """Resolve and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions instead of those pinned")
    upgrade = parser.parse_args().upgrade
    report = resolve(None if upgrade else CONSTRAINTS)
    CONSTRAINTS.write_text(HEADER + "\n".join(pins(report)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
