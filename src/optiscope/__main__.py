"""`python -m optiscope` is the command `optiscope`."""

from __future__ import annotations

from optiscope.cli import main

if __name__ == "__main__":
    main()
