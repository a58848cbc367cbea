"""The secrets of signed requests. A signature cannot be checked against a hash: whoever checks it needs the secret itself.

So none is stored. Each is derived from the key's id and one root, which is in a file of mode 0600 beside the catalog: a copy of the
catalog alone signs nothing, and whoever can read the root can sign as any key that may.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rewardloop.durable import storage, sync
from rewardloop.errors import Corrupt

ROOT_BYTES = 32


def signing_root(path: Path) -> bytes | None:
    """The root, or None where none was made. Raises `StorageUnavailable`, and `Corrupt` for a file of another length."""
    with storage(path):
        if not path.exists():
            return None
        root = path.read_bytes()
    if len(root) != ROOT_BYTES:
        raise Corrupt(f"Expected {ROOT_BYTES} bytes in {path}, got {len(root)}: put back a copy, or remove it and make new keys")
    return root


def make_signing_root(path: Path, entropy: Callable[[int], bytes]) -> bytes:
    """The root, made where there is none; of two who make it at once both get the first one's."""
    there = signing_root(path)
    if there is not None:
        return there
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with storage(path):
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, entropy(ROOT_BYTES))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with suppress(FileExistsError):
            os.link(temporary, path)
        temporary.unlink()
        sync(path.parent)
    made = signing_root(path)
    assert made is not None
    return made


def signing_secret(root: bytes, key_id: str) -> str:
    """The secret access key of a key: HMAC-SHA256 of its id under the root, in base64.

    >>> signing_secret(bytes(32), "a") == signing_secret(bytes(32), "a") != signing_secret(bytes(32), "b")
    True
    """
    digest = hmac.new(root, b"sigv4 " + key_id.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
