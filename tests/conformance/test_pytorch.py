from __future__ import annotations

from tests.optional_parts import require

require("torch")

from tests.conformance.loops.pytorch_loop import PytorchLoop  # noqa: E402 - only where PyTorch is
from tests.conformance.suite import Conformance  # noqa: E402


class TestPytorch(Conformance):
    loop_of = PytorchLoop
