"""One task answers the requests of a connection, and ends with it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import uvicorn
from uvicorn.server import ServerState

from processes import PATIENCE_S
from rewardloop.clock import ManualClock
from rewardloop.registry.layout import DataDirectory
from rewardloop.serving.application import Application
from rewardloop.serving.counts import Counts
from rewardloop.serving.handlers import About
from rewardloop.serving.protocol import ShortcutProtocol
from rewardloop.serving.service import Service
from running_server import ARMS, register

BODY = b'{"context":{"age":31}}'
ASKED = b"POST /v1/experiments/offers/decide HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)


@pytest.mark.parametrize("n_requests", [0, 1, 3])
def test_a_connection_has_one_task_while_it_lasts(tmp_path: Path, n_requests: int) -> None:
    register(tmp_path, ARMS)
    assert asyncio.run(_tasks(tmp_path, n_requests)) == (min(n_requests, 1), 0)


async def _tasks(data: Path, n_requests: int) -> tuple[int, int]:
    """How many more tasks there are after so many answers on one connection, and when it has ended."""
    loop, clock, state = asyncio.get_running_loop(), ManualClock(), ServerState()
    service = Service(DataDirectory(data), clock, "writer", 0, Counts())
    await service.start()
    application = Application(service, clock, About(b"", dict))
    config = uvicorn.Config(application, log_config=None, lifespan="off", interface="asgi3", proxy_headers=False)
    config.load()
    async with await loop.create_server(lambda: ShortcutProtocol(config, state, {}, loop), "127.0.0.1", 0) as server:
        before = len(asyncio.all_tasks())
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for _ in range(n_requests):
            writer.write(ASKED)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            await reader.readuntil(b"}")
        during = len(asyncio.all_tasks()) - before
        writer.close()
        await writer.wait_closed()
        async with asyncio.timeout(PATIENCE_S):
            while len(asyncio.all_tasks()) > before or state.connections:
                await asyncio.sleep(0)
        after = len(state.tasks)
    await service.close()
    return during, after
