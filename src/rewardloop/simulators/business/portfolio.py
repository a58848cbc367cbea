"""Trading on signals that fade, at a cost: Gârleanu & Pedersen (2013), "Dynamic trading with predictable returns and transaction
costs".

The market is the paper's: r[t+1] = f[t] + u[t+1] and f[t+1] = 0.9 f[t] + e[t+1], in per cent a day, u ~ N(0, Σ) with variances of
1 and correlations of 0.3, e such that each signal's deviation is 0.25. A finite horizon makes it a linear-quadratic problem: the
best rule and what it is worth are a recursion, and with hindsight the best is the solution of a linear system.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rewardloop.simulators.business.episode import Business, Floats, Rule, at_least

FADING: Final = 0.9
SIGNAL: Final = 0.25
CORRELATION: Final = 0.3
AVERSION: Final = 0.2
COSTS: Final = 1.0
LIMIT: Final = 8.0
_SHOWN: Final = 10.0
Matrix = NDArray[np.float64]


class Portfolio(Business):
    """Reward of a day: positions × returns − ½·0.2·x'Σx for risk − ½·1·Δx'Σ Δx for trading (quadratic costs, as the paper has
    them).

    Action: positions from −1 (8 units short) to 1. Observation: signals over 0.25, positions over 8, the share of days that is
    left.
    """

    def __init__(self, n_assets: int = 3, n_days: int = 100, measure_bound: bool = True) -> None:
        self.n_assets, self.n_days = at_least(1, n_assets, "n_assets"), at_least(1, n_days, "n_days")
        super().__init__(n_days, measure_bound)
        high = np.array([*[_SHOWN] * n_assets, *[1.0] * (n_assets + 1)], dtype=np.float32)
        low = np.array([*-high[:-1], 0.0], dtype=np.float32)
        self.observation_space = spaces.Box(low, high, dtype=np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (n_assets,), np.float32)
        self._risk = CORRELATION + (1 - CORRELATION) * np.eye(n_assets)
        self._plan: tuple[Gain, ...] = ()

    def draw(self, generator: np.random.Generator) -> None:
        shape = (self.n_days + 1, self.n_assets)
        shocks = SIGNAL * generator.standard_normal(shape)
        surprises = generator.standard_normal((self.n_days, self.n_assets))
        self._signals = np.empty(shape)
        self._signals[0] = shocks[0]
        for day in range(self.n_days):
            self._signals[day + 1] = FADING * self._signals[day] + (1 - FADING**2) ** 0.5 * shocks[day + 1]
        self._returns = self._signals[:-1] + surprises @ np.linalg.cholesky(self._risk).T
        self._held = np.zeros(self.n_assets)

    def look(self) -> Floats:
        signals = np.clip(self._signals[self._n] / SIGNAL, -_SHOWN, _SHOWN)
        return np.concatenate([signals, self._held / LIMIT, [1 - self._n / self.n_days]]).astype(np.float32)

    def advance(self, action: Floats) -> tuple[float, bool]:
        wanted = np.asarray(action, dtype=float) * LIMIT
        traded, self._held = wanted - self._held, wanted
        earned = wanted @ self._returns[self._n - 1]
        charge = AVERSION * wanted @ self._risk @ wanted + COSTS * traded @ self._risk @ traded
        return float(earned - charge / 2), self._n >= self.n_days

    def bound(self) -> float:
        """The highest reward with every return known: of a concave quadratic, so one linear system."""
        days = self.n_days
        chain = np.diag([AVERSION + 2 * COSTS] * (days - 1) + [AVERSION + COSTS])
        chain -= COSTS * (np.eye(days, k=1) + np.eye(days, k=-1))
        return float(np.sum(self._returns * np.linalg.solve(chain, self._returns @ np.linalg.inv(self._risk))) / 2)

    def expected_optimum(self) -> float:
        """Expected return of the best rule without hindsight, were there no limit on positions; no rule's expectation exceeds
        it.
        """
        first = self._gains()[-1]
        return float(SIGNAL**2 * np.trace(first.signals) / 2 + first.constant)

    def baselines(self) -> Mapping[str, Rule]:
        return {"best linear rule": self._optimal, "cash": lambda _: np.zeros(self.n_assets, dtype=np.float32)}

    def _optimal(self, observation: Floats) -> Floats:
        signals, held, left = np.split(observation.astype(float), [self.n_assets, 2 * self.n_assets])
        gain = self._gains()[max(1, round(left.item() * self.n_days)) - 1]
        wanted = gain.from_signals @ (signals * SIGNAL) + gain.from_held @ (held * LIMIT)
        within: Floats = np.clip(wanted / LIMIT, -1, 1).astype(np.float32)
        return within

    def _gains(self) -> tuple[Gain, ...]:
        if not self._plan:
            self._plan = gains(self._risk, self.n_days)
        return self._plan


class Gain(NamedTuple):
    """What is best with so many days left: positions = from_signals · f + from_held · x; its worth has ½ f' signals f +
    constant.
    """

    from_signals: Matrix
    from_held: Matrix
    signals: Matrix
    constant: float


def gains(risk: Matrix, n_days: int) -> tuple[Gain, ...]:
    """Backwards from the last day: [0] is the rule with one day left."""
    one, nothing = np.eye(len(risk)), np.zeros_like(risk)
    held, mixed, signals, constant = nothing, nothing, nothing, 0.0
    found: list[Gain] = []
    for _ in range(n_days):
        constant += SIGNAL**2 * (1 - FADING**2) * float(np.trace(signals)) / 2
        inverse = np.linalg.inv((AVERSION + COSTS) * risk + held)
        seen = one + FADING * mixed
        signals = seen.T @ inverse @ seen + FADING**2 * signals
        from_signals, from_held = inverse @ seen, COSTS * inverse @ risk
        mixed, held = COSTS * risk @ from_signals, COSTS * risk - COSTS * risk @ from_held
        found.append(Gain(from_signals, from_held, signals, constant))
    return tuple(found)
