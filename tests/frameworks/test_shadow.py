from __future__ import annotations

import copy
import inspect
import pickle

import pytest

from optiscope.frameworks.shadow import Shadow


class Counter:
    def __init__(self) -> None:
        self.count = 0

    def add(self, amount: int = 1) -> int:
        self.count += amount
        return self.count


def observing(seen):
    def observe(add):
        def observed(*args, **kwargs):
            result = add(*args, **kwargs)
            seen.append(result)
            return result

        return observed

    return observe


def test_a_shadow_sees_every_call_and_changes_none():
    counter = Counter()
    seen: list[int] = []
    Shadow(counter, "add", observing(seen))
    assert [counter.add(), counter.add(amount=3)] == [1, 4] == seen


def test_the_signature_stays_that_of_the_method():
    counter = Counter()
    before = inspect.signature(counter.add)
    Shadow(counter, "add", observing([]))
    assert inspect.signature(counter.add) == before


def test_a_removed_shadow_leaves_no_trace():
    counter = Counter()
    seen: list[int] = []
    shadow = Shadow(counter, "add", observing(seen))
    shadow.remove()
    counter.add()
    assert vars(counter) == {"count": 1}
    assert not seen


def test_other_objects_of_the_class_are_left_alone():
    counter, other = Counter(), Counter()
    seen: list[int] = []
    Shadow(counter, "add", observing(seen))
    other.add()
    assert not seen


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0), (0, 2, 1), (2, 0, 1)])
def test_several_shadows_may_be_removed_in_any_order(order):
    counter = Counter()
    seen: list[list[int]] = [[], [], []]
    shadows = [Shadow(counter, "add", observing(each)) for each in seen]
    for removed, number in enumerate(order, start=1):
        counter.add()
        shadows[number].remove()
        assert len(seen[number]) == removed
    assert counter.add() == 4
    assert [len(each) for each in seen] == [order.index(number) + 1 for number in range(3)]
    assert "add" not in vars(counter)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda counter: pickle.loads(pickle.dumps(counter))])
def test_a_copy_of_the_object_has_its_own_method_and_is_not_observed(duplicate):
    counter = Counter()
    seen: list[int] = []
    Shadow(counter, "add", observing(seen))
    counter.add()
    copied = duplicate(counter)
    assert copied.add() == 2
    assert (counter.count, seen) == (1, [1])
