"""What has been earned so far, window by window. Nothing is shown here."""

from __future__ import annotations

from rewardloop.demo.playing import Played

BARS = "▁▂▃▄▅▆▇█"


class Scores:
    """Mean reward of each window of rounds, as it comes in.

    >>> scores = Scores(window=1)
    >>> [scores.add(Played(1, reward, "digits.1", "e1")) for reward in (0.0, 0.5, 1.0)]
    [True, True, True]
    >>> scores.curve, scores.mean
    ('▁▅█', 0.5)
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self.rounds = 0
        self.means: list[float] = []
        self.ends: list[int] = []
        """Rounds played at the end of each window."""
        self.models: list[str] = []
        """Every model that decided, in order."""
        self.event_id = ""
        """Of the newest decision."""
        self._reward = 0.0
        self._n = 0
        self._sum = 0.0

    @property
    def mean(self) -> float:
        """Mean reward of all rounds."""
        return self._reward / max(self.rounds, 1)

    @property
    def newest(self) -> float:
        """Mean reward of the newest full window; before there is one, of all rounds."""
        return self.means[-1] if self.means else self.mean

    @property
    def curve(self) -> str:
        """The means as one line of bars."""
        return "".join(BARS[min(int(mean * (len(BARS) - 1) + 0.5), len(BARS) - 1)] for mean in self.means)

    def add(self, played: Played) -> bool:
        """Count a batch; True when it ended a window."""
        self.rounds += played.n
        self._reward += played.reward
        self.event_id = played.event_id
        if played.model_id not in self.models[-1:]:
            self.models.append(played.model_id)
        self._n += played.n
        self._sum += played.reward
        return self._close_window() if self._n >= self.window else False

    def _close_window(self) -> bool:
        self.means.append(self._sum / self._n)
        self.ends.append(self.rounds)
        self._n, self._sum = 0, 0.0
        return True
