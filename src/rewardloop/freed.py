"""Memory that was freed, given back to the system. Frees nothing itself."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Returns to the system what this process has freed; takes milliseconds. Does nothing where the C library has no `malloc_trim`.

    glibc keeps freed memory for the thread's arena it came from. A model is loaded on one of several threads, so that a process
    in which models follow each other holds, besides those in use, the largest that each of its threads ever loaded.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
