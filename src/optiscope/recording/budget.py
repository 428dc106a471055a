"""The overhead budget: one purse for each cost class, filled by training time and emptied by measuring.

Each training step of s seconds earns `fraction · s`. From that the costs that cannot be thinned (hooks, logging, the
writer thread) are paid first. Half of the rest goes into the purse of the cheap quantities, half of what then remains
into that of the moderate ones, and all the rest to the dear ones; a purse that is full spills into the next. A class is
measured when its purse covers what measuring it cost lately. So cheap quantities are thinned last, and none starves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from statistics import median

from optiscope.errors import ArgumentError
from optiscope.recording.quantities import Cost

UNTHINNED_STEPS = 3
"""The first steps are measured whole, so that the shortest run has something to show and costs become known."""
LONGEST_GAP = 200
"""Steps after which a class is measured whatever it costs: a budget that is far too small thins, it does not blind."""
_MEMORY = 31


class Budget:
    """Decides which cost classes to measure at the next step. `fraction=None` measures all of them, always."""

    def __init__(self, fraction: float | None) -> None:
        if fraction is not None and not 0 < fraction < float("inf"):
            raise ArgumentError(
                "budget is the share of the training time that recording may cost, such as 0.05, or None to record "
                f"every quantity at every step. Received: {fraction!r}"
            )
        self.fraction = fraction
        self._purse = dict.fromkeys(Cost, 0.0)
        self._price = dict.fromkeys(Cost, 0.0)
        self._gap = dict.fromkeys(Cost, 0)
        self._fixed_owed = 0.0
        self._steps = 0
        self._recent_steps: deque[float] = deque(maxlen=_MEMORY)
        self._typical_step = 0.0

    def charge_fixed(self, seconds: float) -> None:
        """Charge costs that no thinning can avoid."""
        self._fixed_owed += seconds

    def charge_once(self, seconds: float) -> None:
        """Charge something that is measured by a schedule of its own, such as a histogram."""
        self._purse[Cost.DEAR] -= seconds

    def step_done(self, bare_seconds: float, measured: Mapping[Cost, float], spent_seconds: float) -> None:
        """Account for one training step.

        Args:
            bare_seconds: Duration of the step without the recorder, in seconds.
            measured: For each cost class that was measured in the step, its passes over the parameters.
            spent_seconds: What the recorder took in the step on the training thread, in seconds.
        """
        if self.fraction is None:
            return
        self._steps += 1
        self._recent_steps.append(bare_seconds)
        if self._steps <= UNTHINNED_STEPS or self._steps % 8 == 0:
            # The median: a pause for evaluation is no step, and must not fill the purses for a spending spree.
            self._typical_step = median(self._recent_steps)
        self._charge(measured, spent_seconds)
        self._fill(self.fraction * self._typical_step)

    def affordable(self, cost: Cost) -> bool:
        """Whether the class is to be measured at the next step."""
        if self.fraction is None or self._steps < UNTHINNED_STEPS or self._gap[cost] >= LONGEST_GAP:
            return True
        return self._purse[cost] >= self._price[cost]

    def can_pay(self, seconds: float) -> bool:
        """Whether the purse of the dear class covers something that costs `seconds`, such as a histogram."""
        return self.fraction is None or self._purse[Cost.DEAR] >= seconds

    def _charge(self, measured: Mapping[Cost, float], spent_seconds: float) -> None:
        for cost in Cost:
            self._gap[cost] = 0 if cost in measured else self._gap[cost] + 1
        if not measured:
            self._fixed_owed += spent_seconds
            return
        passes = sum(measured.values())
        for cost, part in measured.items():
            seconds = spent_seconds * part / passes
            self._purse[cost] -= seconds
            if self._steps > 1:  # the first step also allocates, which no later one does
                known = self._price[cost]
                self._price[cost] = seconds if known == 0.0 else 0.8 * known + 0.2 * seconds

    def _fill(self, income: float) -> None:
        paid = min(income, self._fixed_owed)
        self._fixed_owed -= paid
        rest = income - paid
        for cost in Cost:
            share = rest if cost is max(Cost) else rest / 2
            room = max(0.0, self._price[cost] * 1.5 - self._purse[cost])
            put = min(share, room) if cost is not max(Cost) else share
            self._purse[cost] += put
            rest -= put
        # A long run of cheap steps must not save up for hours and then spend all of it at once.
        ceiling = 50.0 * (self._price[Cost.DEAR] + self._typical_step)
        self._purse[Cost.DEAR] = min(self._purse[Cost.DEAR], ceiling)
