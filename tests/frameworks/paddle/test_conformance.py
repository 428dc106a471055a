from __future__ import annotations

from tests.optional_parts import require

require("paddle")

from tests.conformance.loops.paddle_loop import PaddleLoop  # noqa: E402 - only where PaddlePaddle is
from tests.conformance.suite import Conformance  # noqa: E402


class TestPaddle(Conformance):
    loop_of = PaddleLoop
