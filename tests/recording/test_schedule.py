from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiscope.errors import ArgumentError
from optiscope.recording.schedule import Schedule, at, every, log_spaced

schedules = st.one_of(
    st.integers(1, 50).map(every),
    st.builds(log_spaced, st.integers(3, 300), st.integers(2, 10**6)),
    st.lists(st.integers(0, 500), max_size=20).map(lambda steps: at(*steps)),
)


@given(schedules, st.integers(-3, 2000))
def test_the_next_step_is_the_first_due_one_after(schedule: Schedule, step: int):
    following = schedule.next_after(step)
    if following is None:
        assert not any(schedule.due(later) for later in range(step + 1, step + 600))
    else:
        assert following > step
        assert schedule.due(following)
        assert not any(schedule.due(between) for between in range(max(0, step + 1), min(following, step + 2000)))


@given(st.integers(10, 300), st.integers(1000, 10**6))
def test_log_spaced_steps_number_about_as_many_as_asked_and_no_more(count: int, until: int):
    schedule, steps, step = log_spaced(count, until), [0], 0
    while (step := schedule.next_after(step)) <= until:
        steps.append(step)
    assert steps[:2] == [0, 1]
    assert len(steps) <= count + 1
    # Rounding to whole steps merges the earliest ones, where less than a step apart.
    assert len(steps) >= count / 3


def test_log_spaced_gaps_never_shrink():
    schedule, step, gap = log_spaced(50, 10_000), 0, 0
    for _ in range(60):
        following = schedule.next_after(step)
        assert following - step >= gap - 1  # rounding to whole steps may take one back
        step, gap = following, following - step


def test_every_counts_from_zero():
    assert [step for step in range(25) if every(10).due(step)] == [0, 10, 20]


def test_at_nothing_is_never():
    assert at().next_after(-1) is None


@pytest.mark.parametrize(
    "wrong", [lambda: every(0), lambda: every(2.5), lambda: every(True), lambda: log_spaced(2), lambda: at(-1)]
)
def test_schedules_that_cannot_be_are_refused_with_what_was_received(wrong):
    with pytest.raises(ArgumentError, match="Received"):
        wrong()


def test_schedules_are_values():
    assert every(3) == every(3)
    assert at(3, 1, 3) == at(1, 3)
    assert repr(log_spaced(5)) == "LogSpaced(count=5, until=100000)"
