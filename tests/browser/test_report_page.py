"""What `write_report` writes opens in a real browser, offline, in any window, in light and dark, and prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from optiscope.rendering.report import write_report
from tests.figures.sample_runs import train

from .conftest import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    return write_report(train(folder / "adam", steps=60), folder / "report.html")


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several")
    runs = [
        train(folder / f"{optimizer}-{seed}", optimizer=optimizer, seed=seed, steps=40)
        for optimizer in ("sgd", "adam")
        for seed in (0, 1)
    ]
    return write_report(runs, folder / "report.html")


def draw_all(page: Page) -> int:
    """Scroll through the page until each figure is drawn; how many there are."""
    count = page.locator(".lazy-figure").count()
    for index in range(count):
        page.evaluate(f"document.querySelectorAll('.lazy-figure')[{index}].scrollIntoView()")
        page.wait_for_function(
            f"document.querySelectorAll('.lazy-figure')[{index}].querySelector('.main-svg') !== null", timeout=20_000
        )
    return count


def ground(page: Page, selector: str, property_: str) -> str:
    return str(page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).{property_}"))


@pytest.mark.parametrize("name", ["one", "several"])
def test_a_report_opens_offline_and_draws_every_figure_without_an_error(
    visit: Visit, name: str, request: pytest.FixtureRequest
) -> None:
    page = visit.open(request.getfixturevalue(name))
    assert draw_all(page) >= 8
    assert visit.fetched == []
    assert visit.errors == []
    assert len(visit.requests) == 1


def test_figures_far_below_the_window_wait_until_they_come_near(visit: Visit, several: Path) -> None:
    page = visit.open(several)
    page.wait_for_selector(".lazy-figure[data-drawn]")
    drawn = page.locator(".lazy-figure[data-drawn]").count()
    assert 0 < drawn < page.locator(".lazy-figure").count()


@pytest.mark.parametrize("width", [360, 768, 1280, 3840])
def test_no_window_scrolls_sideways(visit: Visit, several: Path, width: int) -> None:
    visit.page.set_viewport_size({"width": width, "height": 740})
    page = visit.open(several)
    draw_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert visit.errors == []


def test_on_a_telephone_titles_break_into_lines_and_legends_stand_below(visit: Visit, one: Path) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 740})
    page = visit.open(one)
    draw_all(page)
    for text in (".gtitle", ".gtitle-subtitle"):
        widest = page.evaluate(
            f"Math.max(...[...document.querySelectorAll('.lazy-figure')].filter((f) => f.clientWidth < 400)"
            f".flatMap((f) => [...f.querySelectorAll('{text}')].map((t) => t.getBoundingClientRect().right)))"
        )
        assert widest <= 360, text


def test_the_page_and_its_figures_follow_the_system_into_dark_and_back(visit: Visit, one: Path) -> None:
    visit.page.emulate_media(color_scheme="dark")
    page = visit.open(one)
    page.wait_for_selector("#run-1-overview-plot[data-drawn=dark] .main-svg")
    assert ground(page, "body", "backgroundColor") == "rgb(20, 24, 31)"
    assert ground(page, "#run-1-overview-plot .main-svg", "backgroundColor") == "rgb(20, 24, 31)"
    visit.page.emulate_media(color_scheme="light")
    page.wait_for_selector("#run-1-overview-plot[data-drawn=light]")
    assert ground(page, "#run-1-overview-plot .main-svg", "backgroundColor") == "rgb(255, 255, 255)"
    assert visit.errors == []


def test_links_in_the_contents_lead_to_their_sections_by_keyboard(visit: Visit, several: Path) -> None:
    page = visit.open(several)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("nav a", has_text="adam-0").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("location.hash === '#run-3'")
    page.wait_for_function("Math.abs(document.querySelector('#run-3').getBoundingClientRect().top) < 60")


def test_tables_unfold_by_keyboard(visit: Visit, several: Path) -> None:
    page = visit.open(several)
    summary = page.locator("#run-1-configuration summary")
    summary.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#run-1-configuration[open] td")


def test_before_printing_every_figure_is_drawn_in_light_colours(visit: Visit, several: Path, tmp_path: Path) -> None:
    visit.page.emulate_media(color_scheme="dark")
    page = visit.open(several)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    total = page.locator(".lazy-figure").count()
    assert page.locator(".lazy-figure[data-drawn=light] .main-svg:first-child").count() == total
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator(".lazy-figure[data-drawn=dark]").count() == total
    assert visit.errors == []


def test_a_hostile_name_runs_no_script(visit: Visit, tmp_path: Path) -> None:
    name = "<img src=x onerror=document.title=1>"
    run = train(tmp_path / name, steps=12)
    page = visit.open(write_report(run, tmp_path / "report.html"))
    draw_all(page)
    assert page.title() == name
    assert page.locator("h1").inner_text() == name
    assert page.locator("img").count() == 0
    assert visit.errors == []
