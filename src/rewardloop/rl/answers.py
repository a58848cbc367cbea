"""What an environment may answer, how it is quoted when it fails, and how long it may take. Wraps and makes none."""

from __future__ import annotations

import math
import signal
import sysconfig
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

import numpy as np
from gymnasium import spaces

from rewardloop.errors import SimulatorHung

_PACKAGE: Final = str(Path(__file__).parents[1])
_NOT_THEIRS: Final = (_PACKAGE, *{sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}, "<")
_EXCERPT: Final = 200


def quoted(error: BaseException) -> str:
    """What was raised, in one line, and the last line of the user's own code that it came through.

    >>> quoted(RuntimeError("the boiler burst"))
    'RuntimeError: the boiler burst'
    """
    words = " ".join(str(error).split())
    said = f"{type(error).__name__}: {words}" if words else type(error).__name__
    theirs = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_theirs(frame.filename)]
    return f"{said} ({Path(theirs[-1].filename).name}:{theirs[-1].lineno})" if theirs else said


def _is_theirs(filename: str) -> bool:
    return "site-packages" not in filename and not filename.startswith(_NOT_THEIRS)


@contextmanager
def answered_within(timeout_s: float | None, where: str) -> Iterator[None]:
    """Raises `SimulatorHung` out of a block that takes longer, as soon as it is back in Python. 0 and None: whatever it takes.

    By the alarm of the process, so only in its main thread, and not one within another.
    """
    if not timeout_s or threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(number: int, frame: FrameType | None) -> NoReturn:
        place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame is not None else "nowhere"
        raise SimulatorHung(
            f"The environment did not answer {where} within {timeout_s:g} s (see --step-timeout); it was at {place}"
        )

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def check_answer(call: str, answer: Any, n: int) -> None:
    """Raises `ValueError` for what is no answer to `reset` or `step`: `n` values, the last of them a dictionary."""
    if not isinstance(answer, tuple) or len(answer) != n or not isinstance(answer[-1], dict):
        names = ", ".join(("observation", "reward", "terminated", "truncated")[: n - 1])
        got = f"{len(answer)} values" if isinstance(answer, tuple) and len(answer) != n else _excerpt(answer)
        raise ValueError(f"expected `{call}` to return {names} and a dictionary, got {got}")


def check_reset(answer: Any, space: spaces.Space[Any]) -> None:
    """Raises `ValueError` for what is no answer to `reset`."""
    check_answer("reset", answer, 2)
    check_observation(space, answer[0])


def check_step(answer: Any, space: spaces.Space[Any]) -> None:
    """Raises `ValueError` for what is no answer to `step`."""
    check_answer("step", answer, 5)
    _check_reward(answer[1])
    check_observation(space, answer[0])


def _check_reward(reward: Any) -> None:
    try:
        finite = math.isfinite(reward)
    except TypeError:
        finite = False
    if not finite:
        raise ValueError(f"expected a finite reward, got {_excerpt(reward)}")


def check_masks(masks: Any, space: spaces.Space[Any]) -> None:
    """Raises `ValueError` for action masks that do not fit the actions, or leave none that is possible.

    >>> check_masks([True, False], spaces.Discrete(3))
    Traceback (most recent call last):
    ValueError: expected 3 flags from `action_masks`, one for each action, got 2
    >>> check_masks([False, False, True, True], spaces.MultiDiscrete([2, 2]))
    Traceback (most recent call last):
    ValueError: expected `action_masks` to leave an action possible, got none (for choice 0)
    """
    flags, sizes = np.asarray(masks, dtype=bool).ravel(), choices_of(space)
    if len(flags) != sum(sizes):
        raise ValueError(f"expected {sum(sizes)} flags from `action_masks`, one for each action, got {len(flags)}")
    for i, part in enumerate(np.split(flags, np.cumsum(sizes)[:-1])):
        if not part.any():
            several = f" (for choice {i})" if len(sizes) > 1 else ""
            raise ValueError(f"expected `action_masks` to leave an action possible, got none{several}")


def choices_of(space: spaces.Space[Any]) -> list[int]:
    """How many flags of `action_masks` each choice has; raises `ValueError` for a space without choices.

    >>> choices_of(spaces.MultiDiscrete([3, 2])), choices_of(spaces.MultiBinary(2))
    ([3, 2], [2, 2])
    """
    match space:
        case spaces.Discrete():
            return [int(space.n)]
        case spaces.MultiDiscrete():
            return [int(n) for n in space.nvec.ravel()]
        case spaces.MultiBinary():
            return [2] * int(np.prod(space.shape))
    raise ValueError(f"expected no `action_masks` with an action space that has no choices, {space}")


def check_observation(space: spaces.Space[Any], observation: Any, name: str = "observation") -> None:
    """Raises `ValueError` for an observation that its space has no room for.

    >>> check_observation(spaces.Box(0, 1, (2,)), np.zeros(3))
    Traceback (most recent call last):
    ValueError: expected the observation to be of the space Box(0.0, 1.0, (2,), float32) as at the beginning, got the shape (3,)
    """
    if isinstance(space, spaces.Dict):
        if not isinstance(observation, Mapping) or set(observation) != set(space.spaces):
            got = sorted(observation) if isinstance(observation, Mapping) else type(observation).__name__
            raise ValueError(f"expected the {name} to have {', '.join(space.spaces)} as at the beginning, got {got}")
        for key, part in space.spaces.items():
            check_observation(part, observation[key], f"{name}.{key}")
    elif isinstance(space, spaces.Box):
        if np.shape(observation) != space.shape:
            raise ValueError(
                f"expected the {name} to be of the space {space} as at the beginning, got the shape {np.shape(observation)}"
            )
        if np.dtype(space.dtype).kind == "f" and not np.isfinite(observation).all():
            raise ValueError(f"expected the {name} to be finite, got {_excerpt(observation)}")
    elif not space.contains(observation):
        raise ValueError(f"expected the {name} to be of the space {space} as at the beginning, got {_excerpt(observation)}")


def why_not_in(space: spaces.Space[Any], observation: Any, name: str = "observation") -> str:
    """Why a first observation is not in its space: bounds and types are looked at as well. Empty where it is.

    >>> why_not_in(spaces.Box(0, 1, (2,), np.float32), np.zeros(2))
    'the observation is of type float64, its space of float32'
    >>> why_not_in(spaces.Dict({"t": spaces.Box(0, 1, (2,), np.float32)}), {"t": np.array([0, 3], np.float32)})
    'the observation.t is outside its bounds: 3 at [1]'
    """
    if space.contains(observation):
        return ""
    if isinstance(space, spaces.Dict) and isinstance(observation, Mapping) and set(observation) == set(space.spaces):
        return next(why for key, part in space.spaces.items() if (why := why_not_in(part, observation[key], f"{name}.{key}")))
    if not isinstance(space, spaces.Box) or not isinstance(observation, np.ndarray) or observation.shape != space.shape:
        shape = f" of the shape {observation.shape}" if isinstance(observation, np.ndarray) else ""
        return f"the {name} is {type(observation).__name__}{shape}: {_excerpt(observation)}"
    if not np.can_cast(observation.dtype, space.dtype):  # type: ignore[arg-type]
        return f"the {name} is of type {observation.dtype}, its space of {space.dtype}"
    outside = np.argwhere(~((observation >= space.low) & (observation <= space.high)))[0]
    return f"the {name} is outside its bounds: {observation[tuple(outside)]:g} at {outside.tolist()}"


def _excerpt(value: Any) -> str:
    return f"{value!r:.{_EXCERPT}}"
