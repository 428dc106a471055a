from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from optiscope.errors import ArgumentError, UnknownName
from optiscope.figures.plot import view_names
from optiscope.rendering import race_page as module
from optiscope.rendering import save
from optiscope.rendering.race_page import race_page, verdict
from optiscope.rendering.race_tables import median, point_text, result_table, settings_table, shown, tuning_tables
from tests.rendering.made_races import beale, tuned, with_finals

pytestmark = pytest.mark.slow

MEASURE = " at the end (mean of the last 3 steps)"
INFINITE = float("inf")


def test_the_page_of_a_race_holds_every_view_of_it_and_plotly_once():
    page = race_page(tuned())
    for view in view_names(tuned()):
        assert f'<figure id="race-{view}">' in page
    assert page.count("is not drawn") == 0
    assert page.count("plotly.js v") == 1
    # What is fetched would be an address in an attribute; plotly.js itself names addresses in its texts.
    assert not re.search(r'<(script|link|img)[^>]*(src|href)="(?!data:)', page)


def test_a_view_that_cannot_be_drawn_is_replaced_by_the_reason(monkeypatch):
    plot = module.plot

    def broken(race: object, **arguments: object) -> object:
        if arguments["view"] == "curves":
            raise ArgumentError("No ink.")
        return plot(race, **arguments)

    monkeypatch.setattr(module, "plot", broken)
    page = race_page(beale())
    assert "The view &#39;curves&#39; is not drawn. No ink." in page
    assert '<figure id="race-contour">' in page


def test_the_same_race_gives_the_same_page():
    assert race_page(beale()) == race_page(beale())


def test_frames_are_on_the_page_once_and_only_their_colours_change_in_the_dark():
    page = race_page(beale())
    data = re.search(r'id="race-contour-plot-data">(.*?)</script>', page, re.DOTALL).group(1)
    assert data.count('"frames":[{') == 1
    dark = data[data.index('"dark":') :]
    assert '"frames"' not in dark
    assert '"sliders"' in dark


def test_a_hostile_title_is_only_text():
    page = race_page(beale(), title="<script>alert(1)</script>")
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_an_unknown_theme_is_refused():
    with pytest.raises(UnknownName, match="theme of a page"):
        race_page(beale(), theme="blue")


# ------------------------------------------------------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("finals", "ranks", "sentence"),
    [
        (
            {"A": [0.1], "B": [0.5]},
            [1, 2],
            f"A comes first after 60 steps: loss 0.1{MEASURE}; next is B with 0.5.",
        ),
        (
            {"A": [0.1], "B": [INFINITE]},
            [1, 2],
            f"A comes first after 60 steps: loss 0.1{MEASURE}; next is B with a divergence.",
        ),
        (
            {"A": [0.1], "B": [0.1], "C": [3.0]},
            [1, 1, 3],
            f"A and B share the first place after 60 steps, as they do not differ demonstrably: loss 0.1{MEASURE}.",
        ),
        (
            {"A": [0.1], "B": [0.1]},
            [1, 1],
            f"Nobody wins after 60 steps: A and B do not differ demonstrably, loss 0.1{MEASURE}.",
        ),
        ({"A": [2.0]}, [1], f"A has loss 2{MEASURE}, after 60 steps."),
        ({"A": [INFINITE], "B": [INFINITE]}, [1, 1], "Every path diverged within 60 steps: there is no winner."),
    ],
)
def test_the_first_sentence_says_who_is_ahead_or_that_nobody_is(finals, ranks, sentence):
    assert next(verdict(with_finals(finals, ranks))) == sentence


def test_the_verdict_says_who_reaches_the_target_most_often():
    race = tuned()
    shares = {entry.label: np.isfinite(entry.reached).mean() for entry in race.entries}
    told = list(verdict(race))
    assert len(told) == 2
    assert max(shares, key=shares.get) in told[1]


def test_a_divergence_stands_out():
    page = race_page(beale())
    assert re.search(r'<li class="warning"><strong>Warning:</strong> Momentum[^<]* diverges', page)
    assert '<div class="warning"><dt>Diverged</dt><dd>1 of 3' in page


def test_the_median_is_infinite_only_where_half_are():
    assert median(np.array([1.0, 3.0])) == 2.0
    assert median(np.array([1.0, 2.0, INFINITE])) == 2.0
    assert median(np.array([1.0, INFINITE])) == INFINITE


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (True, "yes"), (3, "3"), (0.1 + 0.2, "0.3"), (np.float64(2e-5), "2e-05"), ("full", "full")],
)
def test_settings_are_written_in_few_digits(value, text):
    assert shown(value) == text


def test_a_long_point_is_shortened():
    assert point_text([1.0, -2.5]) == "(1, −2.5)"
    assert point_text(np.arange(9.0)) == "(0, 1, 2, …, 8)"


# ----------------------------------------------------------------------------------------------------------- tables


def test_the_result_table_has_a_row_for_each_optimizer_in_their_order():
    table = result_table(beale())
    headings = [column.title for column in table.columns]
    assert [row[0] for row in table.rows] == [entry.label for entry in beale().entries]
    lost = table.rows[-1][headings.index("diverges at step")]
    assert lost == str(next(path.diverged_at for path in beale().paths if path.diverged_at is not None))
    assert table.rows[-1][headings.index("loss at the end")] == "∞"


def test_the_settings_table_says_how_settings_were_found():
    assert {row[-1] for row in settings_table(tuned()).rows} == {"tuning, 6 trials"}
    assert {row[-1] for row in settings_table(beale()).rows} == {"given, or default"}


def test_the_best_trial_comes_first():
    tables = list(tuning_tables(tuned()))
    assert len(tables) == len(tuned().entries)
    best = tuned().entries[0].tuning
    assert tables[0].rows[0][1] == f"{best.settings[next(iter(best.settings))][best.best]:.4g}"
    assert not list(tuning_tables(beale()))


# ------------------------------------------------------------------------------------------------------------- save


def test_a_race_is_saved_as_a_page_a_print_or_a_film(tmp_path: Path):
    page = save(beale(), tmp_path / "r.html").read_text(encoding="utf-8")
    assert page == race_page(beale())
    for suffix in ("png", "svg", "pdf"):
        assert save(beale(), tmp_path / f"r.{suffix}").stat().st_size > 5000
    film = save(beale(), tmp_path / "r.gif", width=320, height=180, seconds=0.5)
    with Image.open(film) as image:
        assert image.n_frames > 5


def test_a_view_or_a_visual_argument_asks_for_one_figure(tmp_path: Path):
    one = save(beale(), tmp_path / "r.html", view="curves").read_text(encoding="utf-8")
    assert "lazy-figure" not in one
    assert save(beale(), tmp_path / "r.png", view="curves").stat().st_size > 5000
    with pytest.raises(UnknownName, match="view of a Race"):
        save(beale(), tmp_path / "r.png", view="contuor")


def test_a_race_beyond_two_coordinates_has_no_plane_but_a_page(tmp_path: Path):
    from optiscope.experiments.race.race import race

    result = race("rosenbrock(dimension=4)", ["adam(learning_rate=0.05)"], steps=20)
    page = race_page(result)
    assert 'id="race-curves"' in page
    assert 'id="race-contour"' not in page


def test_everybody_who_reaches_the_target_most_often_is_named():
    race = with_finals({"A": [0.1], "B": [0.2], "C": [0.3]}, [1, 2, 3])
    reached = {"A": [3.0, 4.0], "B": [5.0, 6.0], "C": [INFINITE, 7.0]}
    entries = tuple(replace(entry, reached=np.array(reached[entry.label])) for entry in race.entries)
    sentences = list(verdict(replace(race, entries=entries, target=1.0)))
    assert sentences[1].startswith("Of starts spread over the domain, A and B reach the target most often, from 100")


def test_the_loss_of_the_verdict_is_the_median_of_what_the_race_is_ranked_by():
    race = with_finals({"A": [1.0, 2.0, 9.0], "B": [3.0, 4.0, 5.0]}, [1, 2])
    race = replace(race, starts=np.tile(race.starts[:1], (3, 1)), seeds=race.seeds[:1])
    assert "loss 2 at the end (median of 3 paths, mean of the last 3 steps)" in next(verdict(race))


def test_a_tie_for_the_first_place_is_told_once():
    race = with_finals({"A": [0.1], "B": [0.1]}, [1, 1])
    race = replace(race, notes=("B does not differ demonstrably from A: a tie.", "Another note."))
    told = [statement.text for statement in module._statements(race)]
    assert "Another note." in told
    assert not any(text.endswith("a tie.") for text in told)


def test_the_target_says_where_it_comes_from():
    race = beale()
    assert "as asked" in race_page(replace(race, target=0.123))
