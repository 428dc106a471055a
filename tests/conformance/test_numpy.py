from __future__ import annotations

from tests.conformance.loops.numpy_loop import NumpyLoop
from tests.conformance.suite import Conformance


class TestNumpy(Conformance):
    loop_of = NumpyLoop
    most_copies = 3  # the reference is written for clearness
