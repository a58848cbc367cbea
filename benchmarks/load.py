"""A lean HTTP/1.1 load generator: prebuilt request bytes over N keep-alive connections, one request in flight on each.

It measures the server, so it does as little as possible itself: no parsing but of the status and the content-length.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvloop


def post(path: str, body: bytes, host: str = "127.0.0.1") -> bytes:
    """One request, ready to send."""
    head = f"POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


@dataclass
class Load:
    """What one run saw. Latencies in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    """Connections that ended in the middle of a request."""

    def summary(self) -> dict[str, object]:
        ordered = sorted(self.latencies)
        at = {f"p{100 * q:g}_ms": round(1e3 * ordered[int(q * (len(ordered) - 1))], 3) for q in (0.5, 0.99, 0.999) if ordered}
        return {
            "requests": len(ordered),
            "per_second": round(len(ordered) / self.seconds) if self.seconds else 0,
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "broken": self.broken,
            **at,
        }


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], load: Load, until: float, pause: float, done: asyncio.Future[None]) -> None:
        self._requests = requests
        self._load = load
        self._until = until
        self._pause = pause
        self._done = done
        self._buffer = b""
        self._missing = 0
        self._ends = False
        self._sent_at = 0.0
        self._due_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._due_at = time.perf_counter()
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._ends and not self._done.done():
            self._again = asyncio.ensure_future(self._reconnect())
        elif not self._done.done():
            self._load.broken += 1
            self._done.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._buffer += data
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._buffer[:end].lower()
            at = head.index(b"content-length:") + 15
            length = int(head[at : head.find(b"\r", at) if head.find(b"\r", at) > 0 else end])
            self._missing = end + 4 + length - len(self._buffer)
            self._load.statuses[int(head[9:12])] += 1
            self._ends = b"connection: close" in head
            self._buffer = b""
        if self._missing <= 0:
            self._missing = 0
            self._answered()

    def _answered(self) -> None:
        now = time.perf_counter()
        self._load.latencies.append(now - self._sent_at)
        if now >= self._until:
            self._done.set_result(None)
            self._transport.close()
        elif self._ends:
            self._transport.close()
        elif self._pause:
            self._due_at += self._pause
            asyncio.get_running_loop().call_later(max(0.0, self._due_at - now), self._send)
        else:
            self._send()

    async def _reconnect(self) -> None:
        """To a server that answers once a connection."""
        self._ends = False
        await asyncio.get_running_loop().create_connection(lambda: self, *self._transport.get_extra_info("peername"))

    def _send(self) -> None:
        # With a pause the clock starts when the request was due: a server that stalls is not excused for later requests.
        self._sent_at = max(self._due_at, 0.0) if self._pause else time.perf_counter()
        if not self._transport.is_closing():
            self._transport.write(next(self._requests))


async def drive(port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float = 0.0) -> Load:
    """Sends the requests round robin for so long. `rate` > 0: so many a second in all, instead of as many as are answered."""
    loop = asyncio.get_running_loop()
    load = Load()
    started = time.perf_counter()
    pause, until = connections / rate if rate else 0.0, started + seconds
    done = [loop.create_future() for _ in range(connections)]
    for i, future in enumerate(done):
        # Far apart, so that no connection asks again what another asked a moment ago.
        first = i * len(requests) // connections
        turn = itertools.cycle([*requests[first:], *requests[:first]])
        await loop.create_connection(
            lambda turn=turn, future=future: _Connection(turn, load, until, pause, future), "127.0.0.1", port
        )
        if pause:
            await asyncio.sleep(pause / connections)
    await asyncio.gather(*done)
    load.seconds = time.perf_counter() - started
    return load


def run(port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float = 0.0) -> Load:
    """`drive` on an event loop of its own."""
    return uvloop.run(drive(port, requests, connections, seconds, rate))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("bodies", type=Path, help="a file with one JSON body a line")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=0.0)
    given = parser.parse_args()
    requests = [post(given.path, line) for line in given.bodies.read_bytes().splitlines()]
    print(json.dumps(run(given.port, requests, given.connections, given.seconds, given.rate).summary()))


if __name__ == "__main__":
    main()
