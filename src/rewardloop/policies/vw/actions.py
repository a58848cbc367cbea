"""Action sets made ready for an engine, kept while they are offered again. Decides nothing about actions."""

from __future__ import annotations

from typing import Final, NamedTuple

from rewardloop.actions import ActionSet
from rewardloop.policies.namespaces import Namespaces
from rewardloop.policies.vw.encoding import Encoder, action_groups
from rewardloop.policies.vw.engines import Engine, Prepared
from rewardloop.recurring import Newcomers

MAX_KEPT: Final = 1_024
"""Actions kept ready, over all sets, or one larger set: an example of Vowpal Wabbit takes 31 KB."""


class _Kept(NamedTuple):
    prepared: Prepared
    n: int
    fixed: bool


class PreparedActions:
    """A set is kept when it is offered a second time; what was kept first goes first.

    A set never offered before borrows the examples of the last such set: where every request brings its own, the same few
    examples are filled again and again, and stay in the processor's cache.
    """

    def __init__(self, engine: Engine, encoder: Encoder, namespaces: Namespaces | None = None) -> None:
        self._engine = engine
        self._encoder = encoder
        self._namespaces = namespaces
        self._kept: dict[bytes, _Kept] = {}
        self._n = 0
        self._newcomers = Newcomers()
        self._passing: Prepared | None = None
        self._texts: dict[bytes, bytes] = {}

    def get(self, actions: ActionSet) -> Prepared:
        """Good until the next call."""
        kept = self._kept.get(actions.raw)
        return kept.prepared if kept is not None else self._make(actions)

    def text(self, actions: ActionSet) -> bytes:
        """The same for the driver: the end of an event's line."""
        text = self._texts.get(actions.raw)
        if text is None:
            if len(self._texts) >= MAX_KEPT:
                self._texts.clear()
            text = self._texts[actions.raw] = self._engine.lines.actions(action_groups(self._encoder, actions, self._namespaces))
        return text

    def forget_scales(self) -> None:
        """Call after the scales of action features moved: fixed arms have none and stay."""
        self._texts.clear()
        for raw in [raw for raw, kept in self._kept.items() if not kept.fixed]:
            self._drop(raw)

    def _make(self, actions: ActionSet) -> Prepared:
        self._let_pass()
        while self._kept and self._n + len(actions) > MAX_KEPT:
            self._drop(next(iter(self._kept)))
        prepared = self._engine.prepare(action_groups(self._encoder, actions, self._namespaces))
        if self._newcomers.is_new(actions.raw):
            self._passing = prepared
        else:
            self._kept[actions.raw] = _Kept(prepared, len(actions), actions.features is None)
            self._n += len(actions)
        return prepared

    def _let_pass(self) -> None:
        if self._passing is not None:
            self._engine.release(self._passing)
            self._passing = None

    def _drop(self, raw: bytes) -> None:
        kept = self._kept.pop(raw)
        self._n -= kept.n
        self._engine.release(kept.prepared)
