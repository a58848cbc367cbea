"""The two documents about the service itself: its metrics and its OpenAPI description."""

from __future__ import annotations

from rewardloop.serving.handlers import Call
from rewardloop.serving.metrics import render
from rewardloop.serving.replies import Reply

_TEXT = (b"content-type", b"text/plain; version=1.0.0; charset=utf-8")


async def metrics(call: Call) -> Reply:
    call.caller.require_all_experiments()
    return Reply(render(call.about.workers()), headers=(_TEXT,))


async def openapi_json(call: Call) -> Reply:
    return Reply(call.about.description)
