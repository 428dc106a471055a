"""The overhead budget: one purse for each cost class, filled by training time and emptied by measuring.

Each second of training earns `fraction` seconds. From that the costs that cannot be thinned (hooks, logging, the
writer thread) are paid first. Half of the rest goes into the purse of the cheap quantities, half of what then remains
into that of the moderate ones, and all the rest to the dear ones; a purse that is full spills into the next. A class is
measured when its purse covers what measuring it cost lately. So cheap quantities are thinned last, and none starves.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from statistics import median

from optiscope.recording.quantities import Cost

UNTHINNED_STEPS = 3
"""The first steps are measured whole, so that the shortest run has something to show and costs become known. They are
not charged: paying for them would keep the next hundred steps dark."""
LONGEST_GAP = 200
"""Steps after which a class is measured whatever it costs: a budget that is far too small thins, it does not blind."""
RESERVE = 0.25
"""Share of the budget that is not spent: measured from outside, recording costs more than our own clock sees."""
SHORTEST_NAP = 4
"""Steps for which nobody looks again at a purse that is not full enough: looking costs as well."""
_MEMORY = 31


class Budget:
    """Decides which cost classes to measure at the next step. `fraction=None` measures all of them, always."""

    def __init__(self, fraction: float | None) -> None:
        self.fraction = fraction
        self._purse = dict.fromkeys(Cost, 0.0)
        self._price = dict.fromkeys(Cost, 0.0)
        self._gap = dict.fromkeys(Cost, 0)
        self._owed = 0.0
        self._steps = 0
        self._durations: deque[float] = deque(maxlen=_MEMORY)
        self._income = 0.0

    @property
    def _is_charged(self) -> bool:
        return self._steps >= UNTHINNED_STEPS

    def charge_fixed(self, seconds: float) -> None:
        """Charge costs that no thinning can avoid, in seconds."""
        if self._is_charged:
            self._owed += seconds

    def charge_once(self, seconds: float) -> None:
        """Charge something that is measured by a schedule of its own, such as a histogram, in seconds."""
        if self._is_charged:
            self._purse[Cost.DEAR] -= seconds

    def earn(self, steps: int, seconds: float) -> None:
        """Account for `steps` training steps that took `seconds` without the recorder."""
        if self.fraction is None or steps < 1:
            return
        self._steps += steps
        for cost in Cost:
            self._gap[cost] += steps
        self._durations.append(seconds / steps)
        # The median: a pause for evaluation is no step, and must not fill the purses for a spending spree.
        self._income = (1 - RESERVE) * self.fraction * median(self._durations)
        self._fill(steps * self._income)

    def measured(self, passes: Mapping[Cost, float], seconds: float) -> None:
        """Pay for measuring these cost classes once.

        Args:
            passes: For each class its passes over the parameters, by which the cost is shared out.
            seconds: What measuring took on the training thread, in seconds.
        """
        whole = sum(passes.values())
        for cost, part in passes.items():
            spent = seconds * part / whole
            self._gap[cost] = 0
            if self._is_charged:
                self._purse[cost] -= spent
            if self._steps > 0:  # the first step also allocates, which no later one does
                known = self._price[cost]
                self._price[cost] = spent if known == 0.0 else 0.8 * known + 0.2 * spent

    def steps_until(self, cost: Cost) -> int:
        """After how many more steps the class can be measured: 1 is the next step."""
        if self.affordable(cost):
            return 1
        return min(LONGEST_GAP - self._gap[cost], self._steps_to_save(self._price[cost] - self._purse[cost], cost))

    def steps_until_paid(self, seconds: float) -> int:
        """After how many more steps `can_pay(seconds)` will hold: 1 is the next step."""
        return 1 if self.can_pay(seconds) else self._steps_to_save(seconds - self._purse[Cost.DEAR], Cost.DEAR)

    def _steps_to_save(self, missing: float, cost: Cost) -> int:
        # An estimate, as the fixed costs are not known in advance: whoever asks will ask again.
        share = self._income / 2 ** (cost + 1)
        return max(SHORTEST_NAP, min(LONGEST_GAP, math.ceil(missing / share))) if share > 0 else LONGEST_GAP

    def affordable(self, cost: Cost) -> bool:
        """Whether the class is to be measured at the next step."""
        if self.fraction is None or not self._is_charged or self._gap[cost] >= LONGEST_GAP - 1:
            return True
        return self._purse[cost] >= self._price[cost]

    def can_pay(self, seconds: float) -> bool:
        """Whether the purse of the dear class covers something that costs `seconds`, such as a histogram."""
        return self.fraction is None or self._purse[Cost.DEAR] >= seconds

    def _fill(self, income: float) -> None:
        paid = min(income, self._owed)
        self._owed -= paid
        rest = income - paid
        for cost in (Cost.CHEAP, Cost.MODERATE):
            # Enough to pay for this step and still afford the next; a half more, as prices vary.
            room = max(0.0, 2.5 * self._price[cost] - self._purse[cost])
            put = min(rest / 2, room)
            self._purse[cost] += put
            rest -= put
        # The last purse holds enough for a histogram or a snapshot, but not the savings of hours.
        ceiling = 50.0 * (self._price[Cost.DEAR] + self._income)
        self._purse[Cost.DEAR] = min(self._purse[Cost.DEAR] + rest, max(ceiling, self._purse[Cost.DEAR]))
