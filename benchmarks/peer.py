"""The peer: Flask behind one gunicorn worker around one Vowpal Wabbit workspace, by its public API, as the 2019 container was.

It answers the same requests as `/v1/experiments/arms_vw/decide` with the same learner on the same number of arms. It logs nothing.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, Response, jsonify, request
from vowpalwabbit.pyvw import Workspace

from rewardloop.policies.vw.arguments import learner_arguments
from rewardloop.settings import ExperimentSettings, PolicySettings

N_ARMS, N_FEATURES = 10, 10
_ARMS = ",".join(f'{{"a":{{"id={arm}":1}}}}' for arm in range(N_ARMS))


def line(context: dict[str, float], label: str = "") -> str:
    return f'{{{label}"s":{json.dumps(context)},"_multi":[{_ARMS}]}}'


def trained() -> Workspace:
    settings = ExperimentSettings(experiment="peer", policy=PolicySettings(exploration="regcbopt"))
    workspace = Workspace(arg_list=learner_arguments(settings, crossed=N_FEATURES))
    dice = random.Random(1)
    for _ in range(1_000):
        arm, cost = dice.randrange(N_ARMS), float(dice.random() < 0.5)
        label = f'"_label_cost":{cost},"_label_probability":{1 / N_ARMS},"_label_Action":{arm + 1},"_labelIndex":{arm},'
        examples = workspace.parse(line({f"x{i}": dice.gauss(0, 1) for i in range(N_FEATURES)}, label))
        workspace.learn(examples)
        workspace.finish_example(examples)
    return workspace


def make_app() -> Flask:
    app, workspace = Flask(__name__), trained()

    @app.post("/decide")
    def decide() -> Response:
        examples = workspace.parse(line(request.get_json()["context"]))
        pmf = workspace.predict(examples)
        workspace.finish_example(examples)
        action = random.choices(range(len(pmf)), [max(p, 1e-9) for p in pmf])[0]
        return jsonify(action=action, probability=pmf[action])

    return app


@contextmanager
def peer() -> Iterator[tuple[int, int]]:
    """Process id of gunicorn's master, and the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-w", "1", "-b", f"127.0.0.1:{port}", "benchmarks.peer:make_app()"]
    with subprocess.Popen([*command, "--log-level", "error"]) as process:
        try:
            _wait(port)
            yield process.pid, port
        finally:
            os.kill(process.pid, signal.SIGTERM)


def _wait(port: int) -> None:
    body = json.dumps({"context": {f"x{i}": 0.0 for i in range(N_FEATURES)}}).encode()
    head = f"POST /decide HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(head + body)
                if b" 200 " in connection.recv(100):
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("gunicorn did not answer within 20 seconds")
