"""The page of a race plays in a real browser, offline, in any window, in light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from optiscope.rendering import save
from tests.rendering.made_races import beale, tuned

from .conftest import Visit
from .test_report_page import draw_all, ground

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(beale(), tmp_path_factory.mktemp("race") / "race.html")


def ready(page: Page) -> None:
    page.wait_for_selector("#race-contour-plot[data-moves] .slider-rail-touch-rect")


MARKS = "document.querySelectorAll('#race-contour-plot .scatterlayer .point').length"
"""How many marks the contour shows: one for each step that the paths have made, and some that stand still."""


def marks(page: Page) -> int:
    return int(page.evaluate(MARKS))


def test_it_opens_offline_and_draws_every_figure_without_an_error(visit: Visit, tmp_path: Path) -> None:
    page = visit.open(save(tuned(), tmp_path / "race.html"))
    assert draw_all(page) >= 7
    assert visit.fetched == []
    assert visit.errors == []


def test_play_moves_the_paths_and_pause_stops_them(visit: Visit, page_file: Path) -> None:
    page = visit.open(page_file)
    ready(page)
    whole = marks(page)
    buttons = page.locator("#race-contour-plot .updatemenu-button")
    buttons.nth(0).click()
    page.wait_for_function(f"{MARKS} < {whole - 5}")
    buttons.nth(1).click()
    page.wait_for_timeout(150)
    stopped = marks(page)
    page.wait_for_timeout(250)
    assert marks(page) == stopped
    assert visit.errors == []


def test_the_slider_goes_to_a_step(visit: Visit, page_file: Path) -> None:
    page = visit.open(page_file)
    ready(page)
    whole = marks(page)
    page.locator("#race-contour-plot").scroll_into_view_if_needed()
    rail = page.locator("#race-contour-plot .slider-rail-touch-rect").bounding_box()
    assert rail is not None
    page.mouse.click(rail["x"] + rail["width"] * 0.25, rail["y"] + rail["height"] / 2)
    page.wait_for_function(f"{MARKS} < {whole // 2}")
    assert marks(page) > whole // 8
    assert visit.errors == []


def test_it_still_plays_after_a_change_to_dark_colours(visit: Visit, page_file: Path) -> None:
    page = visit.open(page_file)
    ready(page)
    visit.page.emulate_media(color_scheme="dark")
    page.wait_for_selector("#race-contour-plot[data-moves=dark]")
    assert ground(page, "#race-contour-plot .main-svg", "backgroundColor") == "rgb(20, 24, 31)"
    whole = marks(page)
    page.locator("#race-contour-plot .updatemenu-button").nth(0).click()
    page.wait_for_function(f"{MARKS} < {whole - 5}")
    assert visit.errors == []


@pytest.mark.parametrize("width", [360, 1280])
def test_no_window_scrolls_sideways_and_every_button_is_within_it(visit: Visit, page_file: Path, width: int) -> None:
    visit.page.set_viewport_size({"width": width, "height": 740})
    page = visit.open(page_file)
    draw_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ready(page)
    ends = page.evaluate(
        "[...document.querySelectorAll('#race-contour-plot .updatemenu-button')]"
        ".map((b) => b.getBoundingClientRect()).map((b) => [b.left, b.right])"
    )
    assert len(ends) == 6
    assert all(left >= 0 and right <= width for left, right in ends)


def test_on_paper_there_are_no_buttons(visit: Visit, page_file: Path) -> None:
    page = visit.open(page_file)
    ready(page)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function("document.querySelectorAll('.updatemenu-button, .slider-rail-rect').length === 0")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    ready(page)
    page.wait_for_function("document.querySelectorAll('#race-contour-plot .updatemenu-button').length === 6")
    assert visit.errors == []
