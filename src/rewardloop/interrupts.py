"""Ctrl-C at instants when it would do harm, or none at all: while a process is started, and where a library swallows it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from threading import current_thread, main_thread
from types import FrameType


@contextmanager
def inherited_deafness() -> Iterator[None]:
    """Processes that are started in the block never hear Ctrl-C, which reaches a terminal's whole group: who started them decides.

    They inherit it from before their first instruction. One that made itself deaf later would, in its first half second, print a
    traceback of its own imports. Here Ctrl-C waits until the block ends.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def deferred() -> Iterator[None]:
    """Ctrl-C counts at the end of the block, and those who are started in it never hear of it: half a process would be left.

    For `multiprocessing` too, whose tracker of resources lifts the children's deafness when it starts: so it starts before.
    """
    if current_thread() is not main_thread():
        yield
        return
    pressed: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        resource_tracker.ensure_running()
        with inherited_deafness():
            yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if pressed:
        raise KeyboardInterrupt


@contextmanager
def remembered() -> Iterator[Callable[[], None]]:
    """Ctrl-C interrupts as ever in the block. Where that was swallowed, by a library's `except` or in a callback from C, what the
    block is given raises `KeyboardInterrupt` when it is called.
    """
    if current_thread() is not main_thread() or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: None
        return
    pressed: list[int] = []

    def press(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        signal.default_int_handler(number, frame)

    def again() -> None:
        if pressed:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, press)
    try:
        yield again
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
