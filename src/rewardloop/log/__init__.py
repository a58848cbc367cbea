"""The durable event log: what was decided, rewarded and activated, kept before it is answered, in append-only segments.

Writing    `writer`, one a process (`lock`), appends by `appender`; its `housekeeper` has the next segment made and the last sealed
Reading    `reader` goes on from a `place`, over `open_segments`, each by `segment_reader`; `finding` looks for one event
A segment  its name (`segment`), its bytes (`segment_file`): a `header`, then `frame` after frame of records (`codec`)
Upkeep     `sealing`, `retention`, `rewriting`, `quarantine`; `faults` is what is said
Another    log of yours has to do what `contract` says
"""

from rewardloop.log.contract import Cursor, EventLog, EventReader, EventWriter
from rewardloop.log.finding import find
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
