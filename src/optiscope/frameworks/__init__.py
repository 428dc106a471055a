"""Adapters that let the recorder see a live training loop; the only code that imports a deep-learning framework."""
