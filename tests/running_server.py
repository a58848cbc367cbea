"""The real server in processes of its own, for tests: started on a free port, never outliving the test."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewardloop.clock import SystemClock
from rewardloop.events import Record
from rewardloop.log import Cursor, LogReader
from rewardloop.registry.catalog import Catalog
from rewardloop.registry.layout import DataDirectory
from rewardloop.settings import ExperimentSettings

_SERVE = """
import sys
from pathlib import Path
from rewardloop.serving.logs import configure_logs
from rewardloop.serving.supervisor import serve
configure_logs("supervisor")
serve(Path(sys.argv[1]), "127.0.0.1", int(sys.argv[2]), int(sys.argv[3]), lambda port: print(port, flush=True))
"""

ARMS = ExperimentSettings(experiment="offers", actions=("red", "green", "blue"))
CONTEXT = {"context": {"age": 31, "os": "ios"}}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A running server; `process` is the supervisor."""

    process: subprocess.Popen[str]
    port: int
    data: Path

    def request(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def post(self, path: str, value: object) -> Answer:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.request("POST", path, body, {"content-type": "application/json"})

    def decide(self, value: object = CONTEXT, experiment: str = "offers") -> Answer:
        return self.post(f"/v1/experiments/{experiment}/decide", value)

    def workers(self) -> list[int]:
        """Process ids of the living workers."""
        return children(self.process.pid)

    def records(self, experiment: str = "offers") -> list[Record]:
        return logged(self.data, experiment)


def register(data: Path, *experiments: ExperimentSettings) -> None:
    with Catalog(data) as catalog:
        for settings in experiments:
            catalog.register(settings, SystemClock().now())


def logged(data: Path, experiment: str = "offers") -> list[Record]:
    """All committed records."""
    reader = LogReader(DataDirectory(data).experiment(experiment).log)
    try:
        records, cursor = reader.read(Cursor())
        found = list(records)
        while records:
            records, cursor = reader.read(cursor)
            found += records
        return found
    finally:
        reader.close()


@contextmanager
def running(data: Path, *, workers: int = 1, port: int = 0) -> Iterator[Server]:
    """Ready when it is yielded; ended, with all its workers, when the block is left."""
    command = [sys.executable, "-c", _SERVE, str(data), str(port), str(workers)]
    errors = (data / "stderr.txt").open("w")
    with errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said, (data / "stderr.txt").read_text()
            yield Server(process, int(said), data)
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def children(pid: int) -> list[int]:
    """Living children of a process, zombies aside."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split() if alive(int(child))] if found.exists() else []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether it holds before the time is up."""
    for _ in range(int(seconds / 0.01)):
        if holds():
            return True
        time.sleep(0.01)
    return holds()


def wait_gone(pids: Sequence[int], seconds: float = 5.0) -> bool:
    return eventually(lambda: not any(alive(pid) for pid in pids), seconds)
