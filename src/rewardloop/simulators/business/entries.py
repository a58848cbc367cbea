"""The table of business environments. Words only: what they say is in the files they name."""

from __future__ import annotations

from typing import Final

from rewardloop.simulators.entry import Entry

_HOME: Final = "rewardloop.simulators.business"
_OURS: Final = "Written for rewardloop"


def _entry(name: str, module: str, about: str, *, observation: str, action: str, reward: str, source: str) -> Entry:
    return Entry(
        id=f"rewardloop/{name}-v0",
        about=about,
        observation=observation,
        action=action,
        reward=reward,
        source=source,
        entry_point=f"{_HOME}.{module}:{name}",
        extra="rl",
    )


ENTRIES: Final = (
    _entry(
        "Knapsack",
        "knapsack",
        "Which of 20 items to take within a weight of 100. Baseline: densest first. Bound: the optimum.",
        observation="61 numbers: of each item value, weight, whether it may be taken; capacity left",
        action="20 choices, masked: an item",
        reward="its value, in hundreds",
        source=f"{_OURS}; 0/1 knapsack, optimum by dynamic programming (Bellman 1957)",
    ),
    _entry(
        "BinPacking",
        "bin_packing",
        "50 items of 2 to 10, one by one, into bins of 20. Baseline: best fit. Bound: L2.",
        observation="29 numbers: bins at each level, size of the item",
        action="20 choices, masked: the level of the bin it goes into; 0 opens one",
        reward="-1 × bins opened",
        source=f"{_OURS}, after the ORL benchmark (Balaji et al. 2019); bound of Martello & Toth (1990)",
    ),
    _entry(
        "Newsvendor",
        "newsvendor",
        "Orders that take 3 periods, Poisson demand, lost sales. Baseline: base stock. Bound: the demand known.",
        observation="5 numbers: stock, orders under way, rate of demand, periods left",
        action="order 0–50 (as 0–1)",
        reward="profit, in hundreds: sold × 10 − ordered × 6 − kept × 0.5 − lost × 2",
        source=f"{_OURS}, after the ORL benchmark (Balaji et al. 2019)",
    ),
    _entry(
        "TravellingSalesman",
        "travelling_salesman",
        "A round tour of 10 cities in a square. Baselines: nearest neighbour, two-opt. Bound: the optimum.",
        observation="42 numbers: of each city x, y, the way, whether it may be visited; where one is",
        action="10 choices, masked: the next city",
        reward="-1 × the way",
        source=f"{_OURS}; optimum by Held & Karp (1962)",
    ),
    _entry(
        "Portfolio",
        "portfolio",
        "Three assets, fading signals, transaction costs, 100 days. Baseline: the best linear rule. Bound: returns known.",
        observation="7 numbers: signals, positions, days left",
        action="3 positions -8–8 (each as -1–1)",
        reward="return − ½ × 0.2 × risk − ½ × cost of trading",
        source="The market and the objective of Gârleanu & Pedersen (2013), with a horizon",
    ),
    _entry(
        "Autoscaling",
        "autoscaling",
        "A day of servers that start 15 minutes late. Baselines: predictive, reactive. Bound: the best number at any time.",
        observation="8 numbers: load now and before, running, starting by age, time of day",
        action="31 choices: how many servers there should be",
        reward="-0.02 × servers − 0.2 × load dropped",
        source=f"{_OURS}; load of a daily wave, a drift and bursts",
    ),
    _entry(
        "Storage",
        "storage",
        "A battery of 1 MWh trades for a week by the hour. Baseline: plans a day ahead. Bound: prices known (LP).",
        observation="6 numbers: charge, price, usual price, time of day, hours left",
        action="sell or buy at up to 0.25 MW (as -1–1)",
        reward="revenue, in tens of euros",
        source=f"{_OURS}; prices of two peaks a day, an AR(1) deviation and spikes",
    ),
    _entry(
        "TicTacToe",
        "tic_tac_toe",
        "Against oneself, chance or perfect play (opponent=self|random|perfect). Baseline: perfect play.",
        observation="9 numbers: the board, one's own marks as 1",
        action="9 choices, masked: a square",
        reward="1 won, 0 drawn, -1 lost",
        source=f"{_OURS}; fictitious play (Brown 1951), minimax",
    ),
)
