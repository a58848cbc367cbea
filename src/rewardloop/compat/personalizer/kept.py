"""What Personalizer's clients write and read back, and no setting holds: the policy's name and text, dates. One file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from rewardloop.durable import replace_file, storage
from rewardloop.errors import Corrupt

FILE = "kept.json"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A field is only ever added with a default."""

    policy_name: str = ""
    policy_arguments: str = ""
    """As they were sent; they count as long as they say what the settings say."""
    edited_at: int = 0
    """Microseconds UTC; 0: never."""
    auto_optimization_frequency: str | None = None
    auto_optimization_start_date: str | None = None


def read_kept(directory: Path) -> Kept:
    """Raises `Corrupt`, `StorageUnavailable`."""
    path = directory / FILE
    with storage(path):
        try:
            return msgspec.json.decode(path.read_bytes(), type=Kept)
        except FileNotFoundError:
            return Kept()
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Corrupt(f"{path} is not what was written there ({error}); remove it, and name the policy again") from None


def write_kept(directory: Path, kept: Kept) -> None:
    """Raises `StorageUnavailable`."""
    with storage(directory):
        directory.mkdir(parents=True, exist_ok=True)
        replace_file(directory / FILE, msgspec.json.encode(kept))
