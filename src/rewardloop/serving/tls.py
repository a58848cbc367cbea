"""TLS of a server: its context, and a renewed certificate taken in without a restart."""

from __future__ import annotations

import ssl
from pathlib import Path

from rewardloop.errors import InvalidInput


class Certificate:
    """A certificate chain and its key, PEM files. TLS 1.2 or later, ciphers as Python's `ssl` recommends for servers.

    Raises `InvalidInput` where they cannot be read, do not belong together, or the key wants a password.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        self._chain = chain
        self._key = key
        self._seen = self._stamps()
        self.context = self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))

    async def refresh(self) -> None:
        """Takes in files that were replaced: new connections have the new certificate. Raises `InvalidInput`, and keeps the old."""
        stamps = self._stamps()
        if stamps != self._seen:
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))  # first where it harms nobody: they may be half replaced
            self._load(self.context)
            self._seen = stamps

    def _load(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self._chain, self._key, password=lambda: "")
        except (OSError, ValueError) as error:
            raise InvalidInput(
                f"Cannot use {self._chain} with {self._key} for TLS: {error}; expected a certificate and its key, PEM, no password"
            ) from None
        return context

    def _stamps(self) -> tuple[int, ...]:
        try:
            return tuple(path.stat().st_mtime_ns for path in (self._chain, self._key))
        except OSError as error:
            raise InvalidInput(f"Cannot read {error.filename} for TLS: {error.strerror}") from None
