"""The Keras 3 adapter, on the TensorFlow backend. Import it only where Keras is present."""

from __future__ import annotations

from optiscope.frameworks.keras.adapter import KerasAdapter

__all__ = ["KerasAdapter"]
