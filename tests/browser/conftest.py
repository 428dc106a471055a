"""A real browser without a network: Debian's chromium, driven by playwright."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Route

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]

_LOCAL = ("file:", "data:", "blob:", "about:")


@dataclass(kw_only=True)
class Visit:
    """One page, and everything that happened on it."""

    page: Page
    requests: list[str] = field(default_factory=list)
    """Addresses that were asked for, except data and blob ones."""
    errors: list[str] = field(default_factory=list)
    """Errors on the console, and exceptions that nobody caught."""

    def open(self, path: Path) -> Page:
        """Open a file and wait until the page has loaded."""
        self.page.goto(path.resolve().as_uri())
        return self.page

    @property
    def fetched(self) -> list[str]:
        """Requests for anything but files."""
        return [address for address in self.requests if not address.startswith("file:")]


def _missing(reason: str) -> None:
    """Skip on a developer's machine; on a continuous-integration machine a missing browser is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} On CI the browser tests must run.")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[BrowserContext]:
    """A browser with a fresh profile and no network."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
    if not Path(executable).exists():
        _missing("There is no chromium; install Debian's package 'chromium' to run the browser tests.")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("The package 'playwright' is missing; it comes with the extra 'dev'.")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=executable, args=ARGUMENTS, headless=True, offline=True
        )
        yield context
        context.close()


@pytest.fixture
def visit(chromium: BrowserContext) -> Iterator[Visit]:
    """A new page of 1280 × 800 pixels that refuses and records every request beyond the machine."""
    page = chromium.new_page()
    page.set_viewport_size({"width": 1280, "height": 800})
    seen = Visit(page=page)

    def note(request: Request) -> None:
        if not request.url.startswith(("data:", "blob:")):
            seen.requests.append(request.url)

    def pass_on(route: Route) -> None:
        if route.request.url.startswith(_LOCAL):
            route.continue_()
        else:
            route.abort()

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            seen.errors.append(message.text)

    page.on("request", note)
    page.on("console", listen)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.route("**/*", pass_on)
    yield seen
    page.close()
