from __future__ import annotations

import pytest

from tests import optional_parts


def test_a_missing_part_skips_with_its_reason_on_a_developers_machine(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.skip.Exception, match="the program 'chromium' is not installed"):
        optional_parts.require("chromium")


def test_a_missing_part_fails_under_continuous_integration(monkeypatch):
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.fail.Exception, match="the program 'chromium' is not installed"):
        optional_parts.require("chromium")


def test_a_part_that_is_here_lets_the_test_run(monkeypatch):
    monkeypatch.setenv("CI", "true")
    monkeypatch.setitem(optional_parts.PACKAGES, "pytest", "pytest")
    optional_parts.require("pytest")


def test_an_unknown_part_is_a_mistake_of_the_test():
    with pytest.raises(ValueError, match="'crhomium' is no optional part"):
        optional_parts.require("crhomium")
