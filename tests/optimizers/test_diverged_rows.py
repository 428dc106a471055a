"""A trajectory that diverges is data: it must not end or change the other rows of its batch."""

from __future__ import annotations

import numpy as np
import pytest

from optiscope.optimizers.registry import rule_types
from tests.optimizers.reference import Course, course, drive_rule

BATCHED = [one for one in rule_types().values() if one.batching != "single"]
BAD = np.array([np.nan, np.inf, -np.inf, 1e200, 1e-300])


@pytest.mark.parametrize("kind", BATCHED, ids=lambda kind: kind.name)
def test_rows_that_are_not_finite_leave_the_others_alone(kind):
    batch = course(1, shapes=((len(BAD) + 2, 3),), steps=8)
    gradients = tuple((one.copy(),) for (one,) in batch.gradients)
    for step, (gradient,) in enumerate(gradients):
        if step >= 2:
            gradient[: len(BAD)] *= BAD[:, None]
    bad = Course(start=batch.start, gradients=gradients, curvatures=batch.curvatures)
    with np.errstate(all="ignore"):
        together = drive_rule(kind(), bad, batch_axes=1)
    for row in (len(BAD), len(BAD) + 1):
        alone = drive_rule(
            kind(),
            Course(
                start=(batch.start[0][row],),
                gradients=tuple((one[row],) for (one,) in batch.gradients),
                curvatures=tuple((one[row],) for (one,) in batch.curvatures),
            ),
        )
        for (many,), (single,) in zip(together, alone, strict=True):
            assert np.isfinite(single).all()
            np.testing.assert_allclose(many[row], single, rtol=1e-11, atol=1e-11)
