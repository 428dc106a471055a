"""The public names, and what it costs to import them."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys

import pytest

import optiscope
from tests.optional_parts import require

HEAVY = {
    "torch",
    "tensorflow",
    "keras",
    "paddle",
    "jax",
    "plotly",
    "pyarrow",
    "matplotlib",
    "numpy",
    "sklearn",
    "scipy",
}

EXPECTED = {
    "BasinMap",
    "Comparison",
    "Function",
    "GradientNoise",
    "HistogramSeries",
    "NumpyOptimizer",
    "Race",
    "Rotation",
    "Rule",
    "Run",
    "Scaling",
    "Series",
    "Shift",
    "SparseGradients",
    "StabilityMap",
    "Trajectory",
    "Watch",
    "__version__",
    "accumulate",
    "add_l2",
    "add_noise",
    "add_weight_decay",
    "at",
    "average_weights",
    "basin_map",
    "centralise",
    "chain",
    "check_optimizer",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_rms",
    "clip_by_value",
    "compare",
    "critical_points",
    "errors",
    "every",
    "list_optimizers",
    "list_problems",
    "list_runs",
    "list_schedules",
    "log_spaced",
    "look_ahead",
    "open_run",
    "own_function",
    "plot",
    "problem",
    "race",
    "race_preset",
    "register_optimizer",
    "rule",
    "save",
    "scale_by_adam",
    "scale_by_factored_rms",
    "scale_by_learning_rate",
    "scale_by_momentum",
    "scale_by_rms",
    "scale_by_schedule",
    "scale_by_sign",
    "schedule",
    "stability_map",
    "torch_optimizer",
    "trajectory",
    "watch",
    "write_report",
}


def output_of(script: str) -> str:
    """What `script` prints in a fresh interpreter."""
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout


def test_the_public_names_are_these_and_no_others():
    assert sorted(optiscope.__all__) == sorted(EXPECTED)


def test_the_names_of_the_lazy_table_are_the_public_ones():
    assert {*optiscope._HOMES, "errors", "__version__"} == set(optiscope.__all__)


def test_type_checkers_see_the_same_names_from_the_same_homes():
    guarded = [node for node in ast.parse(inspect.getsource(optiscope)).body if isinstance(node, ast.If)]
    seen = {
        name.asname or name.name: f"{statement.module}.{name.name}"
        for node in guarded
        for statement in node.body
        if isinstance(statement, ast.ImportFrom)
        for name in statement.names
    }
    assert seen == optiscope._HOMES


def test_importing_the_package_loads_no_framework_and_nothing_heavy():
    loaded = json.loads(output_of("import json, sys, optiscope; print(json.dumps(sorted(sys.modules)))"))
    assert HEAVY.isdisjoint(loaded)


@pytest.mark.slow
def test_every_public_name_is_itself_after_every_module_was_imported():
    require("torch")
    # Keras and PaddlePaddle cannot live in one process; their adapters are no public names' homes.
    script = """
import importlib, json, pkgutil
import optiscope

apart = {"optiscope.frameworks.keras", "optiscope.frameworks.paddle"}
for module in pkgutil.walk_packages(optiscope.__path__, "optiscope."):
    if not any(module.name == name or module.name.startswith(name + ".") for name in apart):
        importlib.import_module(module.name)

kinds = {}
for name in optiscope.__all__:
    value = getattr(optiscope, name)
    kinds[name] = "class" if isinstance(value, type) else "function" if callable(value) else type(value).__name__
print(json.dumps(kinds))
"""
    kinds = json.loads(output_of(script))
    assert kinds.pop("errors") == "module"
    assert kinds.pop("__version__") == "str"
    assert kinds == {name: "class" if name[0].isupper() else "function" for name in kinds}


@pytest.mark.parametrize("name", sorted(EXPECTED - {"__version__"}))
def test_a_public_name_has_a_docstring(name):
    assert inspect.getdoc(getattr(optiscope, name))


def test_a_wrong_name_is_an_attribute_error_that_names_it():
    with pytest.raises(AttributeError, match="module 'optiscope' has no attribute 'wach'"):
        optiscope.wach  # noqa: B018


def test_dir_lists_the_names_that_are_not_loaded_yet():
    listed = json.loads(output_of("import json, optiscope; print(json.dumps(dir(optiscope)))"))
    assert set(listed) >= EXPECTED
