from __future__ import annotations

import pytest

# The suite is imported by the tests of each framework, and is no test module by its name.
pytest.register_assert_rewrite("tests.conformance.suite")
