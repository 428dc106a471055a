"""Measuring a training run inside a budget and handing the numbers to a run on disk."""
