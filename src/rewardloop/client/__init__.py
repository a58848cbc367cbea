"""The HTTP client: decide and reward from another process. `Client` waits, `AsyncClient` is awaited; both speak the native API.

Asking     `blocking` and `awaited`, with what is the same in `asking`; in the words of `wire`, over a `connection`
Waiting    `outbox` keeps what the server has not got yet, `courier` brings it
"""

from rewardloop.client.awaited import AsyncClient
from rewardloop.client.blocking import Client
from rewardloop.client.connection import Unreachable
from rewardloop.client.outbox import QueueFull
from rewardloop.client.wire import Decided, DecidedSlot, RequestRefused

__all__ = ["AsyncClient", "Client", "Decided", "DecidedSlot", "QueueFull", "RequestRefused", "Unreachable"]
