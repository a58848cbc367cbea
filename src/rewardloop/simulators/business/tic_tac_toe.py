"""Tic-tac-toe against chance, against perfect play, or against oneself. What is best is known: every position, by minimax."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, Literal, get_args

import numpy as np
from gymnasium import spaces

from rewardloop.errors import InvalidInput, did_you_mean
from rewardloop.simulators.business.episode import Floats, Masked, Masks, Rule

Opponent = Literal["self", "random", "perfect"]
Board = tuple[int, ...]
"""Nine squares by rows: 1 of who is to move, −1 of the other, 0 free."""
LINES: Final = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))


class TicTacToe(Masked):
    """1 for a game won, −1 for one lost, 0 for a draw; who begins is drawn. Action: a square. Observation: the board, one's own as
    1.

    `opponent="self"` plays what the agent itself has played most often on that board in this environment's life, and by chance
    where it has not been yet: fictitious play (Brown 1951). So it grows with the agent, and its games depend on those before;
    against "random" and "perfect" the seed decides everything.
    """

    def __init__(self, opponent: Opponent = "self", measure_bound: bool = True) -> None:
        if opponent not in get_args(Opponent):
            hint = did_you_mean(str(opponent), get_args(Opponent)) or f"; expected one of {', '.join(get_args(Opponent))}"
            raise InvalidInput(f"Unknown opponent `{opponent!s:.50}`{hint}", at="$.opponent")
        super().__init__(18, measure_bound)
        self.opponent = opponent
        self.observation_space = spaces.Box(-1.0, 1.0, (9,), np.float32)
        self.action_space = spaces.Discrete(9)
        self._played: dict[Board, list[int]] = {}

    def draw(self, generator: np.random.Generator) -> None:
        self._chances = generator.random(9)
        self._board: Board = (0,) * 9
        if generator.random() < 0.5:
            self._answer()

    def look(self) -> Floats:
        return np.array(self._board, dtype=np.float32)

    def action_masks(self) -> Masks:
        return np.array([square == 0 for square in self._board])

    def advance(self, action: int) -> tuple[float, bool]:
        if self.opponent == "self":
            self._played.setdefault(self._board, [0] * 9)[action] += 1
        self._board = _placed(self._board, action)
        if not _over(self._board):
            self._answer()
            return -float(_lost(self._board)), _over(self._board)
        won = float(_lost(self._board))
        self._board = tuple(-square for square in self._board)
        return won, True

    def bound(self) -> float:
        """Against perfect play a draw is the most; elsewhere a win."""
        return 0.0 if self.opponent == "perfect" else 1.0

    def baselines(self) -> Mapping[str, Rule]:
        return {"perfect play": lambda observation: perfect(tuple(int(square) for square in observation))}

    def _answer(self) -> None:
        """The opponent moves; then the board is the agent's view again."""
        self._board = _placed(self._board, self._reply(self._board))

    def _reply(self, board: Board) -> int:
        if self.opponent == "perfect":
            return perfect(board)
        known = self._played.get(board)
        if known:
            return int(np.argmax(known))
        free = [square for square in range(9) if board[square] == 0]
        return free[int(self._chances[len(free) - 1] * len(free))]


def perfect(board: Board) -> int:
    """The first square of those with the highest value; a win as early, a loss as late as can be.

    >>> perfect((1, 1, 0, -1, -1, 0, 0, 0, 0))
    2
    """
    free = [square for square in range(9) if board[square] == 0]
    return max(free, key=lambda square: (-_value(_placed(board, square)), -square))


@cache
def _value(board: Board) -> int:
    """Of the board to whoever is to move: positive wins, and more the earlier."""
    if _lost(board):
        return -1 - board.count(0)
    free = [square for square in range(9) if board[square] == 0]
    return max((-_value(_placed(board, square)) for square in free), default=0)


def _placed(board: Board, square: int) -> Board:
    """The board after a move, seen by the other."""
    return tuple(-1 if i == square else -mark for i, mark in enumerate(board))


def _lost(board: Board) -> bool:
    """Whether the one who moved last has a line."""
    return any(board[a] == board[b] == board[c] == -1 for a, b, c in LINES)


def _over(board: Board) -> bool:
    return _lost(board) or 0 not in board
