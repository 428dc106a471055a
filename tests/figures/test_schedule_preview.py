from __future__ import annotations

import numpy as np
import pytest

from optiscope.errors import ArgumentError
from optiscope.figures import plot
from optiscope.figures.schedule_preview import length_of, schedule_preview
from optiscope.optimizers.schedules.registry import schedule, values
from tests.figures.made_maps import schedules


def test_a_schedule_is_drawn_number_by_number():
    one = schedule("cosine(start=0.1,steps=50)")
    line = plot(one, steps=40).data[0]
    np.testing.assert_allclose(line.customdata, values(one, 40))
    assert plot(one).layout.title.text == "Cosine"


def test_several_schedules_are_named_by_what_was_chosen():
    figure = plot(schedules())
    assert next(line.name for line in figure.data) == "cosine(start=0.1, steps=100)"
    assert figure.layout.showlegend


def test_equal_schedules_stay_apart():
    one = schedule("constant(value=0.1)")
    assert len({line.name for line in schedule_preview([one, one]).data}) == 2


@pytest.mark.parametrize(
    ("name", "at_least", "at_most"),
    [
        ("cosine(start=0.1,steps=50)", 50, 60),
        ("step(start=0.1,every=30)", 90, 200),
        ("multi_step(start=0.1,milestones=(10,80))", 100, 150),
        ("cyclic(start=0.1,peak=1,up=20)", 80, 140),
        ("constant(value=0.1)", 100, 100),
        ("warm_up(steps=10,then=cosine(start=0.1,steps=50))", 60, 80),
    ],
)
def test_the_length_is_that_of_which_the_settings_speak(name, at_least, at_most):
    assert at_least <= length_of(schedule(name)) <= at_most


def test_no_schedules_and_no_steps_are_refused():
    with pytest.raises(ArgumentError, match="at least one"):
        schedule_preview([])
    for steps in (0, -3, 10**9):
        with pytest.raises(ArgumentError, match="whole number"):
            schedule_preview(schedules(), steps=steps)
