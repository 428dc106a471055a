"""Optimizers of a user's own, by decorator and as objects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import pytest
import torch

from optiscope.errors import ArgumentError, UnknownName
from optiscope.frameworks.pytorch.foreign import foreign_factory
from optiscope.optimizers.chain import chain
from optiscope.optimizers.own import as_rule, kind_of, register_optimizer
from optiscope.optimizers.registered import forget, registered, registered_names
from optiscope.optimizers.registry import rule, rule_types
from optiscope.optimizers.rule import Rule, Setting, TensorRule
from optiscope.optimizers.rules.adam import Adam
from optiscope.optimizers.schedules.registry import schedule
from optiscope.optimizers.search_space import LEARNING_RATE
from optiscope.optimizers.transformations.scale_by_learning_rate import scale_by_learning_rate


class Heavy:
    """Momentum, as a user would write it."""

    title = "Heavy ball"
    batching = "elementwise"

    def __init__(self, learning_rate=0.1, decay=0.9):
        self.learning_rate = learning_rate
        self.decay = decay

    def init(self, parameter):
        return {"momentum": 0 * parameter}

    def update(self, gradient, state, parameter):
        momentum = self.decay * state["momentum"] + gradient
        return -self.learning_rate * momentum, {"momentum": momentum}


class Returns:
    """Returns what it is told to."""

    def __init__(self, what):
        self.result = what

    def init(self, parameter):
        return None

    def update(self, gradient, state, parameter):
        return self.result


@pytest.fixture
def register():
    """`register_optimizer`, whose names are free again after the test."""
    before = set(registered_names())
    yield register_optimizer
    for name in set(registered_names()) - before:
        forget(name)


def step(made, gradient, x, state=None):
    (update,), state = made.update((gradient,), made.init((x,)) if state is None else state, (x,))
    return x + update, state


def test_an_object_with_init_and_update_becomes_a_rule():
    made = as_rule(Heavy())
    assert isinstance(made, Rule)
    assert (made.name, made.title, made.batching) == ("Heavy", "Heavy ball", "elementwise")
    assert made.settings == {"learning_rate": 0.1, "decay": 0.9}
    assert made.search == {"learning_rate": LEARNING_RATE}
    x, gradient = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    x, state = step(made, gradient, x)
    np.testing.assert_allclose(x, [0.9, 2.1])
    x, state = step(made, gradient, x, state)
    np.testing.assert_allclose(x, [0.71, 2.29])
    np.testing.assert_allclose(made.internals(state)["momentum"], [1.9, -1.9])
    np.testing.assert_array_equal(made.effective_rate(state, (x,))[0], [0.1, 0.1])


def test_its_settings_can_be_changed_scheduled_and_given_by_row():
    made = as_rule(Heavy).with_settings(learning_rate=schedule("exponential(start=1.0, factor=0.5)"))
    x, gradient = np.array([[1.0], [1.0]]), np.ones((2, 1))
    np.testing.assert_allclose(step(made.at(0), gradient, x)[0], [[0.0], [0.0]])
    np.testing.assert_allclose(step(made.at(1), gradient, x)[0], [[0.5], [0.5]])
    rows = made.with_settings(learning_rate=np.array([[0.25], [0.75]]), batch_axes=1)
    np.testing.assert_allclose(step(rows, gradient, x)[0], [[0.75], [0.25]])
    assert made.original.learning_rate == 0.1


def test_an_object_without_settings_keeps_its_own_memory_out_of_the_rule():
    made = as_rule(Returns((np.array([1.0]), "anything")))
    assert made.settings == {}
    x, state = step(made, np.ones(1), np.zeros(1))
    assert x == 1.0
    assert made.internals(state) == {}
    assert np.isnan(made.effective_rate(state, (x,))[0]).all()


def test_an_object_may_look_ahead_average_and_know_its_rate():
    class Full(Heavy):
        def probe(self, state, parameter):
            return parameter + state["momentum"] + 1

        def evaluation_point(self, state, parameter):
            return parameter / 2

        def effective_rate(self, state, parameter):
            return 0 * parameter + 7

    made, x = as_rule(Full()), (np.array([2.0]),)
    state = made.init(x)
    assert made.probe(state, x)[0] == 3.0
    assert made.evaluation_point(state, x)[0] == 1.0
    _, state = made.update(x, state, x)
    assert made.effective_rate(state, x)[0] == 7.0
    plain = as_rule(Heavy())
    assert plain.probe(plain.init(x), x)[0] is x[0]
    assert plain.evaluation_point(plain.init(x), x)[0] is x[0]


def test_an_object_that_asks_for_curvature_gets_it():
    class Curved(Heavy):
        curvature = "diagonal"

        def update(self, gradient, state, parameter, *, curvature):
            return -gradient / curvature, state

    made, x = as_rule(Curved()), (np.array([2.0]),)
    assert made.curvature == "diagonal"
    (update,), _ = made.update((np.array([3.0]),), made.init(x), x, curvature=(np.array([6.0]),))
    assert update == -0.5


def test_rules_chains_names_classes_and_functions_become_what_they_are():
    adam, made = Adam(), chain(scale_by_learning_rate(0.1))
    assert as_rule(adam) is adam
    assert as_rule(made) is made
    assert isinstance(as_rule(Adam), Adam)
    assert as_rule("adam(beta1=0.5)").settings["beta1"] == 0.5
    assert as_rule(lambda: adam) is adam


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (np.zeros(2), r"update of Returns returns two things.*Received: an array of shape \(2,\)"),
        ((1, 2, 3), r"Received: a tuple of 3"),
        (None, r"Received: None"),
        ((np.zeros(3), {}), r"the parameter's shape, \(2,\).*Received: an array of shape \(3,\)"),
        ((0.5, {}), r"Received: 0\.5"),
    ],
)
def test_an_update_of_the_wrong_form_is_told_what_is_right(result, words):
    with pytest.raises(ArgumentError, match=words):
        step(as_rule(Returns(result)), np.ones(2), np.ones(2))


class Torchlike:
    def __init__(self, params, lr=0.1):
        self.params, self.lr = list(params), lr

    def zero_grad(self):
        pass

    def step(self):
        pass


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (3, "An optimizer is a name, a rule, a chain, or an object with init"),
        (object(), "Received: <object"),
        (Torchlike, "is an optimizer already"),
        (Returns, "cannot be made without arguments"),
    ],
)
def test_what_is_no_rule_is_refused(thing, words):
    with pytest.raises(ArgumentError, match=words):
        as_rule(thing)


def test_a_setting_must_not_hide_what_every_rule_has():
    class Hiding(Heavy):
        def __init__(self, search=1.0):
            self.search = search

    with pytest.raises(ArgumentError, match="The argument 'search' of Hiding has the name of something"):
        as_rule(Hiding())


def test_an_unknown_batching_is_refused():
    class Odd(Heavy):
        batching = "columns"

    with pytest.raises(ArgumentError, match="Received: 'columns'"):
        as_rule(Odd())


def test_a_setting_outside_its_limits_is_refused():
    with pytest.raises(ArgumentError, match="learning_rate of Heavy is a finite number above 0"):
        as_rule(Heavy(learning_rate=-1))


def test_a_registered_class_is_found_by_its_name_with_settings(register):
    assert register("heavy_for_tests")(Heavy) is Heavy
    made = rule("heavy_for_tests(decay=0.5)", learning_rate=0.25)
    assert (made.name, made.title) == ("heavy_for_tests", "Heavy ball")
    assert made.settings == {"learning_rate": 0.25, "decay": 0.5}
    assert "heavy_for_tests" not in rule_types()
    kept = registered("heavy_for_tests")
    assert (kept.kind, kept.settings) == ("rule", ("learning_rate", "decay"))
    with pytest.raises(UnknownName, match="Did you mean 'decay'"):
        rule("heavy_for_tests(decai=0.5)")
    with pytest.raises(UnknownName, match="Did you mean 'heavy_for_tests'"):
        rule("heavy_for_test")


def test_a_registered_rule_gets_the_names_that_it_lacks(register):
    @register("plain_for_tests")
    @dataclass(frozen=True, kw_only=True, eq=False)
    class Plain(TensorRule):
        title: ClassVar[str] = "Plain"
        learning_rate: Setting = 0.5

        def init_tensor(self, parameter):
            return {"step": 0}

        def update_tensor(self, gradient, state, parameter, *, curvature=None):
            return -self.learning_rate * gradient, state

    made = rule("plain_for_tests(learning_rate=0.25)")
    assert isinstance(made, Plain)
    assert (made.name, made.title, made.paper, made.reference) == ("plain_for_tests", "Plain", "a user's own", "none")
    assert step(made, np.ones(1), np.ones(1))[0] == 0.75
    assert made.with_settings(learning_rate=1.0).name == "plain_for_tests"


def test_a_function_that_returns_a_chain_is_registered_with_its_arguments(register):
    @register("scaled_for_tests")
    def scaled(rate=0.5):
        return chain(scale_by_learning_rate(rate))

    made = rule("scaled_for_tests(rate=0.25)")
    assert (made.name, made.title) == ("scaled_for_tests", "scaled_for_tests")
    assert step(made, np.ones(1), np.ones(1))[0] == 0.75
    assert rule("scaled_for_tests").settings == {"learning_rate": 0.5}


def test_a_registered_torch_class_is_kept_but_is_no_rule(register):
    register("torchlike_for_tests")(Torchlike)
    kept = registered("torchlike_for_tests")
    assert (kept.kind, kept.make, kept.settings) == ("torch class", Torchlike, ("lr",))
    with pytest.raises(ArgumentError, match="it can be raced and checked, but is no update rule"):
        rule("torchlike_for_tests")
    assert registered("nobody_has_this_name") is None


def test_the_same_definition_may_be_registered_again_but_no_other(register):
    def define():
        @register("again_for_tests")
        class Again(Heavy):
            pass

        return Again

    define()
    newest = define()
    assert registered("again_for_tests").source is newest
    with pytest.raises(ArgumentError, match="'again_for_tests' is registered already"):
        register("again_for_tests")(Heavy)


@pytest.mark.parametrize("name", ["", "two words", "a.b", "1st", "all", "adam(x=1)"])
def test_a_bad_name_is_refused(name):
    with pytest.raises(ArgumentError, match="starts with a letter"):
        register_optimizer(name)


def test_a_built_in_name_is_taken():
    with pytest.raises(ArgumentError, match="a built-in optimizer of this name"):
        register_optimizer("adam")(Heavy)


def test_the_decorator_without_parentheses_says_how_to_write_it():
    with pytest.raises(ArgumentError, match=r"write @register_optimizer\("):
        register_optimizer(Heavy)


def test_a_thing_that_is_no_optimizer_cannot_be_registered():
    with pytest.raises(ArgumentError, match="decorates a class with init and update"):
        register_optimizer("thing_for_tests")(int)


def test_an_unfinished_rule_cannot_be_registered():
    class Unfinished(TensorRule):
        def init_tensor(self, parameter):
            return {}

    with pytest.raises(ArgumentError, match="update_tensor, which Unfinished lacks"):
        register_optimizer("unfinished_for_tests")(Unfinished)


class Turned(Heavy):
    """Keeps something else than it was given."""

    def __init__(self, learning_rate=0.1, decay=0.9):
        super().__init__(learning_rate, 1 - decay)


@pytest.mark.parametrize("decay", [0.9, 0.5])
def test_an_object_that_keeps_something_else_has_no_settings(decay):
    made = as_rule(Turned(decay=decay))
    assert made.settings == {}
    x, state = step(made, np.ones(1), np.ones(1))
    x, state = step(made.at(3), np.ones(1), x, state)
    assert made.internals(state)["momentum"] == pytest.approx(1 + (1 - decay))


def test_an_object_whose_constructor_computes_with_what_it_keeps_has_settings():
    class Careful(Heavy):
        def __init__(self, learning_rate=0.1, decay=0.9):
            if decay not in (0.9, 0.5):
                raise ValueError("decay")
            super().__init__(learning_rate, decay)
            self.rest = 1 - decay

    assert as_rule(Careful(decay=0.5)).settings == {"learning_rate": 0.1, "decay": 0.5}


@pytest.mark.parametrize("name", ["params", "name", "title", "optiscope_step", "initial_lr"])
def test_settings_with_the_name_of_something_else_are_refused(name):
    code = f"def __init__(self, {name}=1.0):\n    self.{name} = {name}"
    methods = {"init": Heavy.init, "update": Heavy.update}
    exec(code, {}, methods)
    with pytest.raises(ArgumentError, match=f"The argument '{name}' of Own has the name of something"):
        as_rule(type("Own", (), methods)())


def test_a_setting_may_be_called_step():
    class Stepping(Heavy):
        def __init__(self, step=0.5):
            super().__init__()
            self.step = step

    assert as_rule(Stepping(0.25)).settings == {"step": 0.25}


def maker(rate=0.01):
    return Adam(learning_rate=rate)


@pytest.mark.parametrize(
    ("optimizer", "kind"),
    [
        ("adam", "name"),
        (Adam(), "rule"),
        (Adam, "rule"),
        (Heavy, "rule"),
        (Heavy(), "rule"),
        (maker, "rule maker"),
        (lambda: Adam(), "rule maker"),
        (partial(maker, rate=0.5), "rule maker"),
        (partial(Adam, beta1=0.5), "rule maker"),
        (partial(Heavy, 0.5), "rule maker"),
        (torch.optim.SGD, "torch factory"),
        (partial(torch.optim.SGD, lr=0.1), "torch factory"),
        (lambda parameters: torch.optim.SGD(parameters), "torch factory"),
        (lambda *arguments: torch.optim.SGD(*arguments), "torch factory"),
        (foreign_factory("torch.SGD"), "torch factory"),
        (torch.optim.SGD([torch.nn.Parameter(torch.ones(1))]), "torch optimizer"),
        (3, "unknown"),
        (None, "unknown"),
    ],
)
def test_what_a_user_passes_is_told_apart(optimizer, kind):
    assert kind_of(optimizer) == kind


def test_a_partial_is_a_rule_as_well():
    assert as_rule(partial(maker, rate=0.5)).settings["learning_rate"] == 0.5
    assert as_rule(partial(Heavy, 0.5)).settings == {"learning_rate": 0.5, "decay": 0.9}


def test_a_rule_knows_which_settings_are_not_at_their_defaults(register):
    assert Adam().differing_settings() == ()
    assert Adam(beta1=0.5, epsilon=1e-8).differing_settings() == ("beta1",)
    assert Adam(learning_rate=schedule("constant(value=1e-3)")).differing_settings() == ("learning_rate",)
    assert as_rule(Heavy).differing_settings() == ()
    assert as_rule(Heavy(decay=0.5)).differing_settings() == ("decay",)
    register("maker_for_tests")(maker)
    one = registered("maker_for_tests")
    assert one.make().settings["learning_rate"] == 0.01
    assert one.make(rate=0.123).settings["learning_rate"] == 0.123


def test_short_names_of_settings_are_understood(register):
    assert rule("adam(lr=0.1, eps=1e-3)").settings["learning_rate"] == 0.1
    assert rule("adam(lr=0.1, eps=1e-3)").settings["epsilon"] == 1e-3
    assert rule("adam", betas=(0.5, 0.6)).settings["beta2"] == 0.6
    register("heavy_with_short_names")(Heavy)
    assert rule("heavy_with_short_names(lr=0.5)").settings["learning_rate"] == 0.5
    with pytest.raises(ArgumentError, match="learning_rate is given twice"):
        rule("adam(lr=0.1, learning_rate=0.2)")
    with pytest.raises(ArgumentError, match="betas are 2 numbers, one for each of beta1, beta2"):
        rule("adam", betas=0.9)
    with pytest.raises(UnknownName, match="'eps' is not a setting of lion"):
        rule("lion(eps=1e-3)")
