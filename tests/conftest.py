"""Settings that every test shares, made before any framework is imported."""

from __future__ import annotations

import os

from hypothesis import settings

# One thread: the same sums in the same order on every machine, and no fight for cores between parallel workers.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No window, no log lines of TensorFlow's start, no message to anybody.
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("WANDB_MODE", "offline")

# The same examples in every run; time limits are pytest-timeout's business.
settings.register_profile("optiscope", derandomize=True, deadline=None, database=None, print_blob=True)
settings.load_profile("optiscope")
