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


def test_who_ties_with_the_second_does_not_tie_with_the_first_for_that():
    """Six optimizers of which each is close to the next: the last differs from the first all the same."""
    noise = RANDOM.normal(0, 0.2, (6, 8))
    ranks = ranks_of(*[10.0 ** (0.15 * index + noise[index]) for index in range(6)], initial=1000.0)
    assert ranks[0] == 1
    assert ranks[5] > 1


def test_two_bad_losses_do_not_tie_because_both_are_bad():
    assert ranks_of([0.001], [58.0], [14553.0], initial=24.0) == {0: 1, 1: 2, 2: 3}


def test_one_that_falls_without_end_does_not_make_the_others_equal():
    assert ranks_of([-2e8], [-22.48], [-20.54]) == {0: 1, 1: 2, 2: 3}


def test_the_order_of_each_rank_begins_with_its_best():
    order, ranks = order_and_rank([np.full(5, 1.0), np.full(5, 0.5), np.full(5, 0.5 + 1e-9)], np.full(5, 10.0))
    assert order == [1, 2, 0]
    assert ranks == [1, 1, 3]
