from __future__ import annotations

from tests.optional_parts import require

require("keras", "tensorflow")

from tests.conformance.loops.keras_loop import EagerLoop, KerasLoop  # noqa: E402 - only where Keras is
from tests.conformance.suite import Conformance  # noqa: E402


class TestCompiledKeras(Conformance):
    loop_of = KerasLoop


class TestEagerKeras(Conformance):
    loop_of = EagerLoop
