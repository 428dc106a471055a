"""What an adapter is: the one small interface between the recorder and a deep-learning framework.

To support a framework, implement `Adapter`: see the model and the optimizers of a live training loop, and for each
optimizer step compute the reductions that the plan asks for, on the device, without waiting for it. The conformance
suite (`tests/conformance/`) runs against every adapter, with `optiscope.frameworks.numpy` as the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Protocol

from numpy.typing import NDArray

from optiscope.recording.pending import Pending
from optiscope.recording.recorder import Recorder
from optiscope.recording.reductions import Reduction


class Capability(Enum):
    """Something that an adapter can do beyond per-tensor norms and the learning rate."""

    HISTOGRAMS = "histograms"
    SNAPSHOTS = "snapshots"
    SCALED_LOSS = "gradient scaler"


class Adapter(Protocol):
    """One watched training loop of one framework."""

    framework: str
    """Name of the framework, such as "pytorch"."""
    capabilities: frozenset[Capability]
    """What it can do; nothing is guessed."""
    reductions: frozenset[Reduction]
    """The reductions it can compute. Quantities that need others are left out, and the run says so."""

    def describe_model(self) -> dict[str, Any]:
        """Name, framework, number of parameters, and for each tensor name, shape, dtype and whether it is trained."""
        ...

    def describe_optimizers(self) -> list[dict[str, Any]]:
        """For each optimizer its name and its parameter groups with their hyperparameters."""
        ...

    def attach(self, recorder: Recorder) -> None:
        """Begin to observe. Must change nothing that the training computes: no value, mode, hook or random state."""
        ...

    def detach(self) -> None:
        """Stop observing and leave no trace. Called once."""
        ...

    def scalar(self, value: object) -> float | Pending[float]:
        """A logged value as a number, or as one on its way from the device. Raises `ArgumentError` for others."""
        ...

    def copy_parameters(self) -> Pending[Mapping[str, NDArray[Any]]]:
        """Begin to copy all parameters to the host, as they are now."""
        ...

    def parameter_bytes(self) -> int:
        """Size of all parameters, in bytes."""
        ...

    def copies_of_parameters(self) -> float:
        """Copies of the parameters that the adapter holds, as a multiple of the parameters' own memory."""
        ...
