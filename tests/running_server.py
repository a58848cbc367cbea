"""The real server in processes of its own, for tests: started on a free port, never outliving the test."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec

from processes import PATIENCE_S, children, ended
from rewardloop.actions import fixed_actions
from rewardloop.clock import SystemClock
from rewardloop.events import Record
from rewardloop.log import Cursor, LogReader
from rewardloop.policies.uniform import UniformPolicy
from rewardloop.registry.api_keys import ApiKey, Role, new_token
from rewardloop.registry.catalog import Catalog
from rewardloop.registry.layout import DataDirectory
from rewardloop.registry.models import ModelStore
from rewardloop.registry.pointer import Hosted, write_hosted
from rewardloop.registry.records import GoldenRequest, ModelRecord
from rewardloop.registry.signing import make_signing_root, signing_secret
from rewardloop.serving.link import Protection
from rewardloop.settings import ExperimentSettings

_SERVE = """
import sys
from pathlib import Path
from rewardloop.serving.logs import configure_logs
from rewardloop.serving.supervisor import serve
configure_logs("supervisor")
from msgspec.json import decode
from rewardloop.serving.link import Protection
protection = decode(sys.argv[4], type=Protection)
said = lambda port: print(port, flush=True)
serve(Path(sys.argv[1]), "127.0.0.1", int(sys.argv[2]), int(sys.argv[3]), said, protection=protection)
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
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
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


@dataclass
class Key:
    """An API key as it is shown once."""

    key_id: str
    text: str
    secret_access_key: str

    @property
    def header(self) -> dict[str, str]:
        return {"x-api-key": self.text}


def add_key(data: Path, name: str, *roles: Role, experiments: Sequence[str] = ()) -> Key:
    """As `rewardloop keys add NAME --aws` does."""
    token = new_token(os.urandom)
    key = ApiKey(
        key_id=token.key_id,
        name=name,
        digest=token.digest,
        roles=roles,
        experiments=tuple(experiments),
        signs=True,
        created_at=SystemClock().now(),
    )
    with Catalog(data) as catalog:
        catalog.add_key(key)
    root = make_signing_root(DataDirectory(data).signing_root, os.urandom)
    return Key(token.key_id, str(token), signing_secret(root, token.key_id))


def revoke_key(data: Path, name: str) -> None:
    with Catalog(data) as catalog:
        catalog.revoke_key(name, SystemClock().now())


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
def running(data: Path, *, workers: int = 1, port: int = 0, protection: Protection | None = None) -> Iterator[Server]:
    """Ready when it is yielded; ended, with all its workers, when the block is left."""
    asked = msgspec.json.encode(protection or Protection()).decode()
    command = [sys.executable, "-c", _SERVE, str(data), str(port), str(workers), asked]
    errors = (data / "stderr.txt").open("w")
    with errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said, (data / "stderr.txt").read_text()
            yield Server(process, int(said), data)
        finally:
            process.terminate()
            ended(process)


def publish(
    data: Path, number: int, settings: ExperimentSettings = ARMS, golden_pmf: tuple[float, ...] | None = None, host: bool = True
) -> str:
    """Makes a model and, if it is to be hosted, points to it as a deployment does; returns its id."""
    directory = DataDirectory(data).experiment(settings.experiment)
    store = ModelStore(directory.models)
    actions = fixed_actions(settings.action_ids or ())
    stage = store.stage()
    UniformPolicy().save(stage)
    golden = GoldenRequest("{}", actions.raw.decode(), golden_pmf or (1 / len(actions),) * len(actions))
    record = ModelRecord(
        model_id=f"{settings.experiment}.{number}",
        experiment=settings.experiment,
        parent=None,
        created_at=1,
        watermark=0,
        dataset="",
        n_trained=0,
        settings=settings,
        metrics={},
        golden=(golden,),
        files={},
    )
    store.commit(stage, record)
    if host:
        write_hosted(directory.hosted, Hosted(model_id=record.model_id))
    return record.model_id


class Traffic:
    """Clients that decide and reward as fast as they are answered, each on a thread with a connection of its own."""

    def __init__(self, server: Server, clients: int = 4) -> None:
        self.decided: list[str] = []
        self.rewarded: list[str] = []
        self.refused: list[int] = []
        self.broken = 0
        self.models: set[str] = set()
        self._server = server
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._client) for _ in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _client(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=PATIENCE_S)
        while not self._stop.is_set():
            try:
                self._turn(connection)
            except (OSError, http.client.HTTPException):
                self.broken += 1
                connection.close()
                self._stop.wait(0.01)
        connection.close()

    def _turn(self, connection: http.client.HTTPConnection) -> None:
        told = self._post(connection, "/v1/experiments/offers/decide", CONTEXT)
        if told is not None:
            self.decided.append(told["event_id"])
            self.models.add(told["model_id"])
            if self._post(connection, "/v1/rewards", {"event_id": told["event_id"], "reward": 1}) is not None:
                self.rewarded.append(told["event_id"])

    def _post(self, connection: http.client.HTTPConnection, path: str, value: object) -> Any:
        connection.request("POST", path, json.dumps(value))
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            self.refused.append(response.status)
            return None
        return json.loads(body)
