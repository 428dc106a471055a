"""Ties are called ties."""

from __future__ import annotations

import numpy as np

from optiscope.experiments.race.ranking import order_and_rank

RANDOM = np.random.default_rng(0)


def ranks_of(*finals, initial=10.0):
    order, ranks = order_and_rank([np.array(one, dtype=float) for one in finals], np.full(len(finals[0]), initial))
    return dict(zip(order, ranks, strict=True))


def test_the_lower_loss_comes_first():
    assert ranks_of([3.0], [1.0], [2.0]) == {1: 1, 2: 2, 0: 3}


def test_a_millionth_of_the_way_is_no_difference():
    assert ranks_of([1e-12], [1e-7], [1.0]) == {0: 1, 1: 1, 2: 3}


def test_a_difference_that_all_pairs_share_is_a_difference_whatever_their_spread():
    common = RANDOM.normal(5, 2, 8)
    assert ranks_of(common, common + 0.5 + RANDOM.normal(0, 0.01, 8), initial=20.0) == {0: 1, 1: 2}


def test_a_difference_within_the_noise_is_a_tie():
    assert set(ranks_of(RANDOM.normal(5, 1, 6), RANDOM.normal(5, 1, 6)).values()) == {1}


def test_who_diverged_is_last_and_several_of_them_tie():
    assert ranks_of([np.inf], [2.0], [np.inf]) == {1: 1, 0: 2, 2: 2}


def test_no_warning_when_everyone_diverged():
    assert set(ranks_of([np.inf, np.inf], [np.inf, np.inf]).values()) == {1}
