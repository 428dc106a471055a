from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from optiscope.errors import ArgumentError, UnknownName
from optiscope.figures import plot
from optiscope.rendering.html import plotly_script
from optiscope.rendering.report import write_report
from optiscope.rendering.report.lazy_figure import differences
from optiscope.runs import Position, Run, RunWriter, open_run
from tests.figures.sample_runs import train

pytestmark = pytest.mark.slow

HOSTILE = "<img src=x onerror=alert(1)>"
CLOSING = "</script><script>alert(2)</script>"
SCRIPTS = re.compile(r"<script[^>]*>.*?</script>", re.DOTALL)


class Reading(HTMLParser):
    """What a browser would find in a page: its elements, its text, and which anchors there are and are asked for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page.replace(plotly_script(), "<script></script>"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href" and (value or "").startswith("#"):
                self.links.append((value or "")[1:])
            elif name in {"href", "src"}:
                self.addresses.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    folder = tmp_path_factory.mktemp("runs")
    return [
        train(folder / f"{optimizer}-{seed}", optimizer=optimizer, seed=seed, steps=60)
        for optimizer in ("sgd", "adam")
        for seed in (0, 1)
    ]


@pytest.fixture(scope="module")
def one(runs: list[Run], tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(runs[-1], tmp_path_factory.mktemp("one") / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def several(runs: list[Run], tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(runs, tmp_path_factory.mktemp("several") / "report.html").read_text(encoding="utf-8")


def figures_of(page: str) -> dict[str, dict[str, Any]]:
    found = re.findall(r'<script type="application/json" id="([^"]+)-plot-data">(.*?)</script>', page, re.DOTALL)
    return {anchor: json.loads(data) for anchor, data in found}


def test_a_page_about_one_run_holds_every_kind_of_figure(one: str) -> None:
    anchors = " ".join(figures_of(one))
    for part in ("overview", "loss", "gradient", "heatmap", "ratio", "rate", "histogram-weights", "path", "weights"):
        assert part in anchors, part


def test_a_page_needs_nothing_from_elsewhere(one: str, several: str) -> None:
    for page in (one, several):
        assert Reading(page).addresses == ["data:,"]
        assert page.count("plotly.js v") == 1
        assert "@import" not in SCRIPTS.sub("", page)


def test_every_anchor_is_there_once_and_every_link_leads_to_one(several: str) -> None:
    reading = Reading(several)
    assert len(reading.ids) == len(set(reading.ids))
    assert set(reading.links) <= set(reading.ids)
    assert {"comparison", "run-1", "run-4"} <= set(reading.links)


def test_several_runs_are_compared_before_each_has_its_section(several: str) -> None:
    titles = re.findall(r"<h2[^>]*>(.*?) <a", several)
    assert titles == ["Comparison of 4 runs", "sgd-0", "sgd-1", "adam-0", "adam-1"]
    text = Reading(several).text
    assert "settings in which they differ" in text
    assert "comparison-loss" in several


def test_a_page_of_many_runs_says_that_it_shows_the_main_figures(several: str, runs: list[Run], tmp_path: Path) -> None:
    assert "--figures all" in Reading(several).text
    assert len(figures_of(several)) < 15
    everything = write_report(runs[:2], tmp_path / "all.html", figures="all").read_text(encoding="utf-8")
    assert "--figures all" not in Reading(everything).text
    assert len(figures_of(everything)) > 25


def test_the_summary_the_configuration_and_the_cost_are_in_words(one: str, runs: list[Run]) -> None:
    text = Reading(one).text
    assert "loss went from" in text
    assert "Recording took 3.1 % of the training time" in text
    assert "budget 5 %" in text
    for heading in ("Configuration", "Optimizer", "Environment", "All series", "Recording: cost, thinning and losses"):
        assert heading in text, heading


def test_each_figure_has_the_colours_of_both_themes(one: str, runs: list[Run]) -> None:
    stored = figures_of(one)["run-1-overview"]
    figure, replacements = stored["figure"], stored["dark"]
    for path, value in replacements:
        part = figure
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = value
    dark = json.loads(plot(runs[-1], theme="dark").to_json())
    dark["layout"].pop("template")
    assert figure == dark
    assert replacements
    assert set(json.loads(re.findall(r'id="templates">(.*?)</script>', one)[0])) == {"light", "dark"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_of_one_theme_holds_that_theme_alone(runs: list[Run], tmp_path: Path, theme: str) -> None:
    page = write_report(runs[0], tmp_path / "page.html", theme=theme).read_text(encoding="utf-8")  # type: ignore[arg-type]
    assert f'<html lang="en" data-theme="{theme}">' in page
    assert all(stored["dark"] == [] for stored in figures_of(page).values())


def test_what_users_wrote_is_text_and_never_markup(tmp_path: Path) -> None:
    with RunWriter.create(
        tmp_path / HOSTILE,
        config={HOSTILE: CLOSING, "nested": {"a": HOSTILE}},
        model={"name": CLOSING, "tensors": [{"name": HOSTILE, "shape": [2], "dtype": "float32", "trainable": True}]},
        optimizer={"name": HOSTILE, "groups": [{"name": CLOSING, "hyperparameters": {HOSTILE: CLOSING}}]},
        environment={"host": HOSTILE},
        tags=(HOSTILE, CLOSING),
        note=CLOSING,
    ) as writer:
        for step in range(1, 6):
            writer.log(Position(step=step, seconds=step / 10), {HOSTILE: 1.0, CLOSING: 2.0})
        writer.event("note", CLOSING, step=3)
    run = open_run(tmp_path / HOSTILE)
    page = write_report([run, run], tmp_path / "page.html", title=CLOSING).read_text(encoding="utf-8")
    reading = Reading(page)
    assert "img" not in reading.tags
    assert "alert(2)" not in "".join(re.findall(r"<script>(.*?)</script>", page, re.DOTALL))
    assert reading.tags.count("script") == page.count("<script")
    assert HOSTILE in reading.text
    assert CLOSING in reading.text


def test_a_run_that_holds_next_to_nothing_still_has_a_page(tmp_path: Path) -> None:
    RunWriter.create(tmp_path / "empty").close()
    with RunWriter.create(tmp_path / "short") as writer:
        writer.log(Position(step=1, seconds=0.1), {"loss": float("nan")})
    empty, short = open_run(tmp_path / "empty"), open_run(tmp_path / "short")
    text = Reading(write_report([empty, short], tmp_path / "page.html").read_text(encoding="utf-8")).text
    assert "loss is NaN or infinite in 1 of its 1 values, first at step 1." in text


def test_damage_is_stated_on_the_page(tmp_path: Path) -> None:
    run = train(tmp_path / "run", steps=30)
    segment = next((run.path / "series").glob("layers*.arrows"))
    segment.write_bytes(segment.read_bytes()[:-7])
    text = Reading(write_report(open_run(run.path), tmp_path / "page.html").read_text(encoding="utf-8")).text
    assert "Warning:" in text
    assert "could not be read" in text


def test_a_report_replaces_a_file_as_a_whole_and_leaves_nothing_beside_it(runs: list[Run], tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old")
    assert write_report(runs[0], tmp_path / "report.html") == tmp_path / "report.html"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_wrong_arguments_are_named(runs: list[Run], tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="Received none"):
        write_report([], tmp_path / "x.html")
    with pytest.raises(ArgumentError, match="folder of the report does not exist"):
        write_report(runs, tmp_path / "no" / "x.html")
    with pytest.raises(ArgumentError, match="is a file, and this is a folder"):
        write_report(runs, tmp_path)
    with pytest.raises(UnknownName, match="Did you mean 'dark'"):
        write_report(runs, tmp_path / "x.html", theme="darc")  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="selection of figures"):
        write_report(runs, tmp_path / "x.html", figures="some")  # type: ignore[arg-type]


def test_differences_turn_one_value_into_the_other() -> None:
    light = {"a": [1, {"b": "white", "c": 2}], "d": [1, 2], "gone": 0}
    dark = {"a": [1, {"b": "black", "c": 2}], "d": [1, 2, 3], "new": {"e": None}}
    found = {tuple(path): value for path, value in differences(light, dark)}
    assert found == {("a", 1, "b"): "black", ("d",): [1, 2, 3], ("gone",): None, ("new",): {"e": None}}


def test_paths_in_place_of_runs_and_other_formats_than_html_are_refused(tmp_path: Path) -> None:
    for wrong in ("runs/adam", ["runs/adam"]):
        with pytest.raises(ArgumentError, match=r"osc\.open_run\('runs/adam'\)"):
            write_report(wrong, tmp_path / "x.html")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"ends in \.html or \.htm"):
        write_report(train(tmp_path / "run", steps=8), tmp_path / "x.pdf")
