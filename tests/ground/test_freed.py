import platform
import re
from pathlib import Path

import pytest

from rewardloop.freed import give_back

PIECE, N_PIECES = 100_000, 500
"""Bytes, fewer than what glibc maps apart and so gives back by itself."""


def resident_bytes() -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return 1024 * int(found[1])


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library keeps freed memory in its own way")
def test_what_was_freed_below_something_that_stays_goes_back_to_the_system() -> None:
    pieces = [b"%c" % (n % 251) * PIECE for n in range(N_PIECES)]
    stays = b"x" * PIECE
    pieces.clear()
    before = resident_bytes()
    give_back()
    assert before - resident_bytes() > PIECE * N_PIECES / 2
    assert len(stays) == PIECE
