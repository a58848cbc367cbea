"""One worker process: `python -m rewardloop.serving.worker`, started by the supervisor and by nobody else.

It binds its own socket on the shared port, says `ready` over its link to the supervisor, and leaves when that link ends: a
supervisor that was killed leaves no worker behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import msgspec
import uvicorn
import uvloop

from rewardloop.clock import SystemClock
from rewardloop.errors import RewardloopError
from rewardloop.freed import give_back
from rewardloop.registry.api_keys import ApiKey
from rewardloop.registry.layout import DataDirectory
from rewardloop.registry.signing import signing_root
from rewardloop.serving.application import Application
from rewardloop.serving.browsers import Browsers
from rewardloop.serving.cors import Cors
from rewardloop.serving.counts import Counts, CountsFile, load_all
from rewardloop.serving.dialects import all_routes
from rewardloop.serving.guard import Guard
from rewardloop.serving.handlers import About
from rewardloop.serving.keyring import Keyring
from rewardloop.serving.limits import RateLimit
from rewardloop.serving.link import READY, WorkerOptions
from rewardloop.serving.logs import configure_logs
from rewardloop.serving.openapi import describe
from rewardloop.serving.protocol import ShortcutProtocol
from rewardloop.serving.routes import ROUTES
from rewardloop.serving.service import CATALOG_POLL_SECONDS, HOSTED_POLL_SECONDS, Service
from rewardloop.serving.sockets import listen
from rewardloop.serving.tls import Certificate
from rewardloop.trouble import Trouble

MAX_CONNECTIONS = 8_192
KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 1
COUNTS_SECONDS = 0.5
CHECK_SECONDS = 2.0
KEYS_SECONDS = 0.5
"""A key that was revoked is refused after so long."""

_logger = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Signals are the worker's own business: uvicorn would raise them again before the log is closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Worker:
    """The parts of one worker, put together."""

    def __init__(self, options: WorkerOptions, link: socket.socket) -> None:
        born = int.from_bytes(os.urandom(6), "big")
        clock = SystemClock()
        self._options = options
        self._link = link
        self._file = CountsFile(Path(options.counts_directory), options.worker)
        self._counts = self._file.load()
        self._service = Service(DataDirectory(Path(options.data_directory)), clock, f"serve-{born:012x}", born, self._counts)
        about = About(describe(ROUTES, version("rewardloop")), self._all_counts)
        asked = options.protection
        cors = Cors(asked.cors_origins)
        limit = RateLimit(asked.rate_limit) if asked.rate_limit else None
        self._guard = Guard(self._service, clock, limit, Browsers(cors, any_host=asked.insecure))
        self._keys: list[ApiKey] = []
        self._given_back_at_swap = 0
        tls = asked.tls_certificate
        self._certificate = Certificate(Path(tls), Path(asked.tls_key)) if tls else None
        application = Application(self._service, clock, about, all_routes(), guard=self._guard, cors=cors)
        self._server = _Server(_config(application, self._certificate))

    async def run(self) -> None:
        """Serves until SIGTERM, or until the supervisor is gone."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_reader(self._link, self._stop)
        await self._service.start()
        await self._refresh_keys()
        # What was imported and loaded by now stays: no collection needs to look at it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        async with contextlib.AsyncExitStack() as until_closed:
            until_closed.push_async_callback(self._close)
            for step, seconds in self._chores():
                until_closed.callback(asyncio.create_task(_repeat(step, seconds)).cancel)
            with listen(self._options.host, self._options.port) as listener:
                loop.call_soon(_say, self._link, READY)
                await self._server.serve([listener])

    def _chores(self) -> list[tuple[Callable[[], Awaitable[None]], float]]:
        renewing = [(self._certificate.refresh, CHECK_SECONDS)] if self._certificate else []
        return [
            *renewing,
            (self._refresh_keys, KEYS_SECONDS),
            (self._service.refresh_models, HOSTED_POLL_SECONDS),
            (self._service.refresh_catalog, CATALOG_POLL_SECONDS),
            (self._check, CHECK_SECONDS),
            (self._save_counts, COUNTS_SECONDS),
            (self._turn_over, CHECK_SECONDS),
            (self._give_back, CHECK_SECONDS),
        ]

    async def _refresh_keys(self) -> None:
        """Where the catalog cannot be read, the keys known so far stay."""
        if self._options.protection.insecure:
            return
        keys = await asyncio.to_thread(self._service.catalog.api_keys)
        if keys != self._keys:
            self._guard.use(Keyring(keys, signing_root(self._service.directory.signing_root)))
            self._keys = keys

    async def _check(self) -> None:
        self._service.ready()

    async def _turn_over(self) -> None:
        await asyncio.to_thread(self._service.turn_over)

    async def _give_back(self) -> None:
        """What the models that left had taken; not after each swap, since a learner online publishes ten a second."""
        swaps = sum(counts.swaps for counts in self._counts.experiments.values())
        if swaps != self._given_back_at_swap:
            self._given_back_at_swap = swaps
            await asyncio.to_thread(give_back)

    async def _save_counts(self) -> None:
        self._file.save(self._counts)
        self._service.save_trials()

    def _all_counts(self) -> Mapping[str, Counts]:
        self._file.save(self._counts)
        return load_all(Path(self._options.counts_directory))

    async def _close(self) -> None:
        await self._service.close()
        self._file.save(self._counts)

    def _stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._link)
        self._server.should_exit = True


async def _repeat(step: Callable[[], Awaitable[None]], seconds: float) -> None:
    trouble = Trouble(_logger, step.__name__.strip("_").replace("_", " "))
    while True:
        try:
            await step()
            trouble.is_over()
        except (RewardloopError, OSError) as error:
            trouble.goes_on(error)
        await asyncio.sleep(seconds)


def _config(application: Application, certificate: Certificate | None) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=ShortcutProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_context_factory=(lambda *_: certificate.context) if certificate else None,
    )


def _say(link: socket.socket, words: bytes) -> None:
    """To the supervisor; where that was killed meanwhile nobody listens, and the end of the link says the rest."""
    with contextlib.suppress(OSError):
        link.send(words)


def main(argument: str) -> int:
    """The process: 0 after a graceful stop, 1 with the reason said over the link."""
    options = msgspec.json.decode(argument, type=WorkerOptions)
    configure_logs(f"worker-{options.worker}")
    with socket.socket(fileno=options.link) as link:
        try:
            uvloop.run(_run(options, link))
        except (RewardloopError, OSError) as error:
            _say(link, str(error).encode())
            return 1
        finally:
            gc.unfreeze()  # Extensions count what is left at exit, and would say that all of it leaked.
    return 0


async def _run(options: WorkerOptions, link: socket.socket) -> None:
    await _Worker(options, link).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
