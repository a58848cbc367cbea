"""The durable event log: what was decided, rewarded and activated, kept before it is answered, in append-only segments."""

from rewardloop.log.audit import find
from rewardloop.log.contract import Cursor, EventLog, EventReader, EventWriter
from rewardloop.log.quarantine import Salvage, quarantine
from rewardloop.log.reader import LogReader
from rewardloop.log.retention import prune
from rewardloop.log.rewriting import Rewritten, rewrite
from rewardloop.log.sealing import seal_abandoned
from rewardloop.log.writer import LogWriter

__all__ = [
    "Cursor",
    "EventLog",
    "EventReader",
    "EventWriter",
    "LogReader",
    "LogWriter",
    "Rewritten",
    "Salvage",
    "find",
    "prune",
    "quarantine",
    "rewrite",
    "seal_abandoned",
]
