from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def single_precision():
    """Every test begins and ends with Keras' default precision and an empty name table."""
    import keras

    keras.utils.clear_session(free_memory=False)
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
