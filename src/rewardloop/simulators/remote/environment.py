"""An environment whose simulator runs elsewhere: the trainer's end."""

from __future__ import annotations

import contextlib
import math
from typing import Any, Final

import gymnasium
import msgspec
import numpy as np
from numpy.typing import NDArray

from rewardloop.clock import Clock, SystemClock
from rewardloop.errors import Conflict, InvalidInput, SimulatorFailed
from rewardloop.simulators.remote.listening import Link, Listener, address_of, read_token
from rewardloop.simulators.remote.messages import Close, Failed, Reset, State, Step, Working, written
from rewardloop.simulators.remote.spaces import heard, said
from rewardloop.simulators.remote.websocket import Lost

MAX_LOST: Final = 5
_MAX_SIGNS: Final = 1000
_METRICS: Final = 100


class Remote(gymnasium.Env[Any, Any]):
    """A simulator that connected, as an environment. Made by `connected`, which waits for the first.

    A simulator that is lost in an episode (killed, cut off, silent for `step_timeout_s`, or talking nonsense) ends it:
    `truncated`, the last observation once more, no reward, why in `info["lost"]`. The next `reset` waits for another. After
    `MAX_LOST` in a row without a whole episode, and for an `error` that the simulator itself reports, `SimulatorFailed` quotes it.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 # the base class says so

    def __init__(self, listener: Listener, link: Link, *, connect_timeout_s: float, step_timeout_s: float) -> None:
        self._listener, self._link = listener, link
        self._connect_timeout_s, self._step_timeout_s = connect_timeout_s, step_timeout_s
        self._told = link.told
        self.observation_space, self.action_space = self._told.observation_space, self._told.action_space
        self._connected, self._begun, self._running = True, False, False
        self._id = self._n_lost = 0
        self._last: Any = None
        self._masks: NDArray[np.bool_] | None = None

    @property
    def name(self) -> str:
        return self._told.hello.name

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """A new episode, on a new simulator where the old one is lost. A new simulator is always given a seed."""
        super().reset(seed=seed)
        self._running = False
        while True:
            if not self._connected:
                self._link = self._listener.next(self._connect_timeout_s, self._told)
                self._connected, self._begun = True, False
            drawn = seed if seed is not None or self._begun else int(self.np_random.integers(1 << 31))
            self._id += 1
            try:
                self._read(self._ask(written(Reset(id=self._id, seed=drawn, options=_plain(options)))))
                break
            except Lost as lost:
                self._lose(lost)
        self._begun = self._running = True
        return self._last, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if not self._running:
            raise Conflict("No episode is running: call reset() first")
        if not self.action_space.contains(action):
            raise InvalidInput(f"Expected an action in {self.action_space}, got {action!r:.100}", at="$.action")
        self._id += 1
        try:
            state = self._ask(written(Step(id=self._id, action=said(self.action_space, action))))
            info = self._read(state)
        except Lost as lost:
            self._lose(lost)
            self._running = False
            return self._last, 0.0, False, True, {"lost": str(lost), "metrics": {"lost": 1.0}}
        if state.terminated or state.truncated:
            self._running, self._n_lost = False, 0
        return self._last, state.reward, state.terminated, state.truncated, info

    def close(self) -> None:
        """Lets the simulator go; it may serve another environment."""
        if self._connected:
            self._connected = False
            with contextlib.suppress(Lost):
                self._link.send(written(Close(reason="the environment was closed")), 1.0)
            self._link.peer.close()

    def _ask(self, message: bytes) -> State:
        """The answer to a request; raises `Lost`, and `SimulatorFailed` with what the simulator says of itself."""
        self._link.send(message, self._step_timeout_s)
        for _ in range(_MAX_SIGNS):
            answer = self._link.receive(self._step_timeout_s)
            if isinstance(answer, Failed):
                raise SimulatorFailed(f"The simulator `{self.name}` failed: {answer.message}")
            if isinstance(answer, State):
                if answer.id != self._id:
                    raise Lost(f"expected the answer to {self._id}, got that to {answer.id}")
                return answer
            if not isinstance(answer, Working):
                raise Lost(f"expected `state`, got `{type(answer).__name__.lower()}`")
        raise Lost(f"it said `working` {_MAX_SIGNS} times and nothing else")

    def _read(self, state: State) -> dict[str, Any]:
        try:
            observation = heard(self.observation_space, state.observation, "$.observation")
            if not math.isfinite(state.reward):
                raise InvalidInput("Expected a finite reward", at="$.reward")
            if len(state.metrics) > _METRICS:
                raise InvalidInput(f"Expected at most {_METRICS} metrics", at="$.metrics")
            masks = self._read_masks(state)
        except InvalidInput as error:
            raise Lost(str(error)) from None
        self._last, self._masks = observation, masks
        return {"metrics": state.metrics} if state.metrics else {}

    def _read_masks(self, state: State) -> NDArray[np.bool_] | None:
        return None

    def _lose(self, lost: Lost) -> None:
        """Hangs up; raises where it has happened too often."""
        self._connected = False
        self._link.peer.close(str(lost), 1002)
        self._n_lost += 1
        if self._n_lost >= MAX_LOST:
            raise SimulatorFailed(f"The simulator `{self.name}` was lost {self._n_lost} times without a whole episode: {lost}")


class MaskedRemote(Remote):
    """One that says which actions are possible now."""

    def action_masks(self) -> NDArray[np.bool_]:
        if self._masks is None:
            raise Conflict("No episode is running: call reset() first")
        return self._masks

    def _read_masks(self, state: State) -> NDArray[np.bool_]:
        n = n_masks(self.action_space)
        if state.masks is None or len(state.masks) != n:
            raise InvalidInput(f"Expected {n} masks, got {'none' if state.masks is None else len(state.masks)}", at="$.masks")
        over = state.terminated or state.truncated
        if not over and not any(state.masks):
            raise InvalidInput("Expected at least one possible action", at="$.masks")
        return np.array(state.masks, dtype=bool)


def n_masks(space: gymnasium.Space[Any]) -> int:
    """How many flags say what is possible: one an action, or one for each way of each choice."""
    match space:
        case gymnasium.spaces.Discrete():
            return int(space.n)
        case gymnasium.spaces.MultiDiscrete():
            return int(space.nvec.sum())
        case gymnasium.spaces.MultiBinary():
            return 2 * int(np.prod(space.shape))
    raise InvalidInput(f"Expected choices where there are masks, got {space}", at="$.action_space")


def connected(
    address: str,
    *,
    token_file: str = "",
    connect_timeout_s: float = 60.0,
    step_timeout_s: float = 60.0,
    clock: Clock | None = None,
) -> Remote:
    """Waits at `PORT` or `HOST:PORT` for a simulator; what `gymnasium.make("rewardloop/Remote-v0", address=…)` calls.

    Off the loopback a token is required. Raises `SimulatorHung` when none comes in time, saying whom it refused and why.
    """
    where, token = address_of(str(address)), read_token(token_file) if token_file else ""
    if not where.is_local and not token:
        raise InvalidInput(f"Expected a token to listen at {where.host}, which others reach too", at="$.token_file")
    listener = Listener(where, token, clock or SystemClock())
    link = listener.next(_seconds(connect_timeout_s, "connect_timeout_s"), None)
    kind = MaskedRemote if link.told.hello.masks else Remote
    step_s = _seconds(step_timeout_s, "step_timeout_s")
    return kind(listener, link, connect_timeout_s=connect_timeout_s, step_timeout_s=step_s)


def _seconds(value: float, name: str) -> float:
    if not isinstance(value, int | float) or not 0 < value <= 86_400:
        raise InvalidInput(f"Expected seconds from 0 to 86,400, got {value!r:.50}", at=f"$.{name}")
    return float(value)


def _plain(options: dict[str, Any] | None) -> dict[str, Any] | None:
    try:
        plain: dict[str, Any] | None = msgspec.to_builtins(options)
    except TypeError as error:
        raise InvalidInput(f"Expected options that JSON can say: {error}", at="$.options") from None
    return plain
