from __future__ import annotations

import pytest

from tests.optional_parts import require

require("keras", "tensorflow")

from tests.conformance.loops.keras_loop import EagerLoop, KerasLoop  # noqa: E402 - only where Keras is
from tests.conformance.suite import Conformance, Numbers  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:Gradients do not exist for variables:UserWarning")


class TestCompiledKeras(Conformance):
    loop_of = KerasLoop


class TestEagerKeras(Numbers):
    loop_of = EagerLoop
