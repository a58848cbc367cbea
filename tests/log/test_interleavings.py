"""Whatever the order of commits, reads, turns of segment, sealing, pruning and deaths: each record once, in its writer's order."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from rewardloop.events import Record
from rewardloop.log import Cursor, LogReader, LogWriter, prune, seal_abandoned
from rewardloop.settings import LogSettings
from rewardloop.testing.log import by_writer, drain, numbered

HALF_A_SEGMENT = b"x" * 600_000

writers = st.sampled_from("abc")
steps = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), writers, st.integers(1, 5)),
        st.tuples(st.just("fill"), writers, st.just(1)),
        st.tuples(st.just("read"), writers, st.integers(1, 12)),
        st.tuples(st.just("close"), writers, st.just(0)),
        st.tuples(st.just("seal"), writers, st.just(0)),
        st.tuples(st.just("prune"), writers, st.just(0)),
        st.tuples(st.just("reopen"), writers, st.just(0)),
    ),
    max_size=30,
)


class World:
    """A log with three names to write under, a consumer, and what was told to whom."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self._directory = directory
        self._stack = stack
        self._open: dict[str, tuple[str, LogWriter]] = {}
        self._lives = 0
        self._reader = stack.enter_context(LogReader(directory))
        self.cursor = Cursor()
        self.told: dict[str, list[int]] = {}
        self.heard: list[Record] = []

    def commit(self, name: str, size: int) -> None:
        own, writer = self._writer(name)
        start = len(self.told[own])
        writer.commit(numbered(range(start, start + size), own))
        self.told[own] += range(start, start + size)

    def fill(self, name: str, _: int) -> None:
        own, writer = self._writer(name)
        start = len(self.told[own])
        writer.commit([builders.decision(f"{own}-{start}", context=HALF_A_SEGMENT)])
        self.told[own].append(start)

    def read(self, _: str, limit: int) -> None:
        records, self.cursor = self._reader.read(self.cursor, limit)
        self.heard += records

    def close(self, name: str, _: int) -> None:
        if name in self._open:
            self._open.pop(name)[1].close()

    def seal(self, _: str, __: int) -> None:
        assert seal_abandoned(self._directory) == []

    def prune(self, _: str, __: int) -> None:
        prune(self._directory, self.cursor, before=2**62)

    def reopen(self, _: str, __: int) -> None:
        self._reader.close()
        self._reader = self._stack.enter_context(LogReader(self._directory))

    def finish(self) -> None:
        for name in list(self._open):
            self.close(name, 0)
        self.heard += drain(self._reader, self.cursor, 7)[0]

    def _writer(self, name: str) -> tuple[str, LogWriter]:
        if name not in self._open:
            self._lives += 1
            own = f"{name}{self._lives}"
            self.told[own] = []
            self._open[name] = own, self._stack.enter_context(LogWriter(self._directory, LogSettings(segment_mb=1), own))
        return self._open[name]


@settings(max_examples=60, deadline=None)
@given(steps)
def test_each_record_is_read_once_and_in_order(steps: list[tuple[str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        world = World(Path(directory), stack)
        for verb, name, number in steps:
            getattr(world, verb)(name, number)
        world.finish()
        assert by_writer(world.heard) == world.told
