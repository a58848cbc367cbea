"""Starts the workers, restarts the dead, stops them all. Serves nothing itself, so nothing a client sends can kill it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from rewardloop.errors import InvalidInput, RewardloopError
from rewardloop.interrupts import inherited_deafness
from rewardloop.registry.layout import DataDirectory
from rewardloop.registry.leases import Lease
from rewardloop.serving.deaths import Deaths
from rewardloop.serving.link import READY, Protection, WorkerOptions
from rewardloop.serving.sockets import is_loopback, reserve
from rewardloop.serving.tls import Certificate

STOP_SECONDS = 1.5
"""After so long a worker that does not stop is killed."""
MAX_FAILED_STARTS = 5
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0

_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Workers are the parallelism; a matrix product of ten rows needs no threads."""

_UNGUARDED = (
    "Expected API keys before others can reach `{}`: make one with `rewardloop keys add NAME`, or listen on 127.0.0.1, "
    "or say --insecure where a proxy asks who is calling"
)

_TOGETHER = (
    "one server answers for all experiments, so stop it and name every file (`rewardloop serve a.yaml b.yaml`), "
    "or use another data directory"
)

_logger = logging.getLogger(__name__)


class WorkersFailed(RewardloopError):
    """No worker can be started."""

    code, title = "workers-failed", "Workers failed"


def serve(
    data_directory: Path,
    host: str,
    port: int,
    workers: int,
    on_ready: Callable[[int], None],
    *,
    protection: Protection = Protection(),  # noqa: B008  # frozen
    has_keys: bool = False,
) -> None:
    """Serves until SIGTERM or SIGINT, then stops within two seconds and leaves no process behind.

    `on_ready` is called once with the port (useful where `port` is 0) when all workers answer. Raises `DirectoryInUse` if
    another server has the directory, `Conflict` if the port is taken, `WorkersFailed` with the reason if none can start,
    `InvalidInput` for a wrong certificate or origin, and for an address that others reach where there are no API keys.
    """
    if protection.tls_certificate or protection.tls_key:
        Certificate(Path(protection.tls_certificate), Path(protection.tls_key))
    directory = DataDirectory(data_directory)
    counts = directory.root / "serving"
    with Lease(directory.server_lock, _TOGETHER), reserve(host, port) as reserved:
        if not (has_keys or protection.insecure or is_loopback(reserved)):
            raise InvalidInput(_UNGUARDED.format(host))
        counts.mkdir(exist_ok=True)
        for old in counts.glob("worker-*"):
            old.unlink()
        bound = reserved.getsockname()[1]
        asyncio.run(_Supervisor(directory.root, (host, bound), workers, protection, counts).run(on_ready))


class _Supervisor:
    def __init__(self, data_directory: Path, address: tuple[str, int], workers: int, protection: Protection, counts: Path) -> None:
        self._data_directory = data_directory
        self._host, self._port = address
        self._counts = counts
        self._protection = protection
        deaths = Deaths(data_directory, f"supervisor-{os.getpid()}-{os.urandom(6).hex()}")
        births = asyncio.Lock()
        self._slots = [_Slot(self._options(i), deaths, births) for i in range(workers)]

    async def run(self, on_ready: Callable[[int], None]) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        stopping = asyncio.create_task(stop.wait())
        keeping = [asyncio.create_task(slot.keep()) for slot in self._slots]
        announcing = asyncio.create_task(self._announce(on_ready))
        try:
            await asyncio.wait([stopping, *keeping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            announcing.cancel()
            stopping.cancel()
            await asyncio.gather(*(slot.stop() for slot in self._slots))
        await asyncio.gather(*keeping)

    async def _announce(self, on_ready: Callable[[int], None]) -> None:
        for slot in self._slots:
            await slot.ready.wait()
        on_ready(self._port)

    def _options(self, worker: int) -> WorkerOptions:
        return WorkerOptions(
            data_directory=str(self._data_directory),
            host=self._host,
            port=self._port,
            worker=worker,
            counts_directory=str(self._counts),
            link=-1,
            protection=self._protection,
        )


class _Slot:
    """The place of one worker: whoever dies in it is replaced."""

    def __init__(self, options: WorkerOptions, deaths: Deaths, births: asyncio.Lock) -> None:
        self._deaths = deaths
        self._births = births
        self.ready = asyncio.Event()
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()

    async def keep(self) -> None:
        """Ends when stopped; raises `WorkersFailed` where none was ever ready, after several, or the first that says what is wrong.

        Once one was, it goes on trying: what keeps the next from starting may pass, and the workers of other slots serve on.
        """
        failed, pause = 0, _FIRST_PAUSE
        while not self._stopping.is_set():
            was_ready, reason, said_why = await self._live()
            if self._stopping.is_set():
                return
            self._deaths.count()
            failed, pause = (0, _FIRST_PAUSE) if was_ready else (failed + 1, min(2 * pause, _LONGEST_PAUSE))
            _logger.error("worker=%s died and is replaced: %s", self._options.worker, reason)
            if not self.ready.is_set() and (said_why or failed >= MAX_FAILED_STARTS):
                raise WorkersFailed(f"Worker {self._options.worker} cannot start: {reason}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def stop(self) -> None:
        """Asks, waits, and then insists."""
        self._stopping.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _live(self) -> tuple[bool, str, bool]:
        """One worker from birth to death: whether it was ready, what it died of, and whether it said so itself."""
        ours, theirs = socket.socketpair()
        with theirs:
            async with self._births:  # One after the other: what a child inherits is a state of the whole process.
                self._process = await _spawn(self._options, theirs)
        if self._stopping.is_set():
            self._process.kill()
        reader, writer = await asyncio.open_connection(sock=ours)
        try:
            said = await reader.readline()
            if said == READY:
                self.ready.set()
            code = await self._process.wait()
        finally:
            writer.close()
        said_why = said not in (READY, b"")
        return said == READY, said.decode(errors="replace").strip() if said_why else f"exit status {code}", said_why


async def _spawn(options: WorkerOptions, link: socket.socket) -> asyncio.subprocess.Process:
    argument = msgspec.json.encode(msgspec.structs.replace(options, link=link.fileno())).decode()
    command = [sys.executable, "-P", "-m", "rewardloop.serving.worker", argument]
    with inherited_deafness():  # The supervisor decides.
        return await asyncio.create_subprocess_exec(*command, pass_fds=[link.fileno()], env={**os.environ, **_ONE_THREAD})
