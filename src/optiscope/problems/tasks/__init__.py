"""Small real tasks that come with data and need no download."""

from __future__ import annotations

from optiscope.problems.tasks.digits import digits
from optiscope.problems.tasks.lenet import lenet
from optiscope.problems.tasks.task import Task

__all__ = ["Task", "digits", "lenet"]
