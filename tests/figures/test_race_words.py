from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from optiscope.errors import ArgumentError, UnknownName
from optiscope.figures.plot import check_race_view, plot
from optiscope.figures.race_cast import short_label
from optiscope.figures.race_words import noise_sentence, problem_sentence
from optiscope.optimizers.schedules.reduce_on_plateau import ReduceOnPlateau
from optiscope.problems.functions.rosenbrock import Rosenbrock
from optiscope.problems.functions.sphere import Sphere
from optiscope.problems.modifiers.gradient_noise import GradientNoise
from optiscope.problems.modifiers.sparse_gradients import SparseGradients
from tests.figures.made_races import descent, race_of, saddle_race


def race_on(problem):
    race = race_of(problem, {"sgd": descent(1e-4)}, [(-1.2, 1.0)], steps=3)
    return dataclasses.replace(race, seeds=np.arange(5))


def test_the_noise_and_the_number_of_seeds_are_told():
    noisy = GradientNoise(base=Rosenbrock(), covariance=0.25)
    assert noise_sentence(race_on(noisy)) == ["Gradient noise σ = 0.5, 5 seeds."]
    both = SparseGradients(base=noisy, probability=0.1)
    assert noise_sentence(race_on(both)) == [
        "Each coordinate of the gradient is kept with probability 0.1, gradient noise σ = 0.5, 5 seeds."
    ]
    heavy = GradientNoise(base=Rosenbrock(), covariance=4.0, degrees_of_freedom=3.0)
    assert noise_sentence(race_on(heavy)) == ["Gradient noise of Student’s t, ν = 3, scale = 2, 5 seeds."]
    assert noise_sentence(race_on(Rosenbrock())) == []


def test_a_formula_is_told_unless_the_title_has_it():
    race = race_on(Sphere())
    formula = race.problem.formula
    assert problem_sentence(race, "A bowl") == [f"f = {formula}."]
    assert problem_sentence(race, f"A bowl, f = {formula}") == []


def test_a_formula_that_only_names_the_function_is_not_told():
    class Named(Rosenbrock):
        formula = "my valley(x)"

    assert problem_sentence(race_on(Named()), "My valley") == []


def test_long_labels_are_short_in_legends_where_they_stay_apart():
    labels = [
        "Adam(learning_rate=cosine(start=0.5, steps=100, end=0, returns=false))",
        "Adam(learning_rate=linear(start=0.5, steps=100, end=0.01))",
        "Adam(learning_rate=linear(start=0.1, steps=100, end=0.01))",
    ]
    race = race_of(Rosenbrock(), dict.fromkeys(labels, descent(1e-4)), [(-1.2, 1.0)], steps=3)
    assert short_label(race, labels[0]) == "Adam(cosine …)"
    assert short_label(race, labels[1]) == labels[1]


def test_a_view_that_no_race_on_a_problem_has_is_refused_before_it_is_run():
    check_race_view(Rosenbrock(), "surface", film=True)
    check_race_view(Rosenbrock(dimension=3), "curves")
    with pytest.raises(UnknownName):
        check_race_view(Rosenbrock(), "surfaces")
    with pytest.raises(ArgumentError, match="two coordinates"):
        check_race_view(Rosenbrock(dimension=3), "internals")
    with pytest.raises(ArgumentError, match="mini-batches"):
        check_race_view(Rosenbrock(), "fit")
    with pytest.raises(ArgumentError, match="'contour', 'surface' or 'internals'"):
        check_race_view(Rosenbrock(), "curves", film=True)


def test_a_schedule_that_depends_on_losses_has_no_preview_and_says_why():
    with pytest.raises(ArgumentError, match="depends on the losses"):
        plot(ReduceOnPlateau(value=0.1))


def test_the_loss_axis_bears_negative_losses_and_the_cross_stands_at_the_step_of_the_divergence():
    figure = plot(saddle_race(), view="curves")
    assert "symmetric" in figure.layout.yaxis.title.text
    cross = next(trace for trace in figure.data if trace.name == "diverges")
    assert cross.x[0] == 19
    assert cross.y[0] < 0


def test_who_has_arrived_at_zero_stands_on_the_floor_and_does_not_flatten_the_others():
    race = race_of(Sphere(), {"leap": descent(0.05), "sgd": descent(0.1)}, [(1.0, 1.0)], steps=30)
    path = race.paths_of("leap")[0]
    losses = np.append(path.losses[:2], np.full(29, 1e-40))
    race = dataclasses.replace(race, paths=(dataclasses.replace(path, losses=losses), race.paths_of("sgd")[0]))
    figure = plot(race, view="curves")
    line = next(trace for trace in figure.data if trace.name == "leap")
    assert 1e-13 < np.nanmin(line.y) < 1e-11
    assert "trillionth" in figure.layout.title.subtitle.text
