"""Two ways to ask one Vowpal Wabbit workspace, with the same answers. Imports none of it: workspaces come from `policy`.

`NativeEngine` fills examples by hand through the extension module: no text, no parsing, three times as fast, but on calls
that are not documented. `PublicEngine` needs the documented interface only and takes over where one of those is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from rewardloop.policies.namespaces import Spaces
from rewardloop.policies.vw.encoding import SPACES, Groups, Lines, S, Shared, X, label

Workspace = Any
Example = Any
Prepared = Any


class Engine(Protocol):
    """Not for two threads at once. What `prepare` made holds features, no weights; it is good until it is released."""

    lines: Lines

    def prepare(self, actions: Sequence[Groups]) -> Prepared: ...

    def release(self, actions: Prepared) -> None: ...

    def predict(self, shared: Shared, actions: Prepared) -> list[float]: ...

    def learn(self, shared: Shared, actions: Prepared, chosen: int, cost: float, probability: float) -> None: ...


class _Actions(NamedTuple):
    examples: list[Example]
    groups: Sequence[Groups]
    event: list[Example]
    """The context's example, which is always the same one, and those of the actions."""


class NativeEngine:
    """Examples of its own, made once and filled again and again; they never enter Vowpal Wabbit's pool."""

    def __init__(
        self, workspace: Workspace, lines: Lines, new_example: Callable[[], Example], label_type: int, spaces: Spaces
    ) -> None:
        self.lines = lines
        self._workspace = workspace
        self._new_example = new_example
        self._label_type = label_type
        self._shared = new_example()
        self._shared.set_label_string(workspace, "shared", label_type)
        self._named, self._own = spaces.context, (SPACES[2], *spaces.action)
        for space in (SPACES[0], *self._named):
            self._shared.push_namespace(space)
        self._idle: list[Example] = []
        # What every decision calls, looked up once: a name is looked up in the extension's classes for longer than some calls take.
        self._predict, self._setup, self._unsetup = workspace.predict_multi, workspace.setup_example, workspace.unsetup_example
        self._push, self._erase = self._shared.push_feature_list, self._shared.erase_namespace
        self._scores: Callable[[], list[float]] = self._shared.get_action_scores

    def prepare(self, actions: Sequence[Groups]) -> _Actions:
        examples = [self._action(groups) for groups in actions]
        return _Actions(examples, actions, [self._shared, *examples])

    def release(self, actions: _Actions) -> None:
        for example in actions.examples:
            self._workspace.unsetup_example(example)
            for space in self._own:
                example.erase_namespace(space)
        self._idle += actions.examples

    def predict(self, shared: Shared, actions: _Actions) -> list[float]:
        try:
            self._fill(shared)
            self._predict(actions.event)
            return self._scores()
        finally:
            self._empty(shared)

    def learn(self, shared: Shared, actions: _Actions, chosen: int, cost: float, probability: float) -> None:
        # A label cannot be taken off an example again, so the chosen action gets a fresh one.
        labelled = self._blank()
        labelled.set_label_string(self._workspace, f"0:{cost!r}:{probability!r}", self._label_type)
        self._describe(labelled, actions.groups[chosen])
        before, after = actions.examples[:chosen], actions.examples[chosen + 1 :]
        try:
            self._fill(shared)
            self._workspace.learn_multi([self._shared, *before, labelled, *after])
        finally:
            self._empty(shared)

    def _action(self, groups: Groups) -> Example:
        example = self._idle.pop() if self._idle else self._blank()
        self._describe(example, groups)
        return example

    def _blank(self) -> Example:
        example = self._new_example()
        for space in self._own:
            example.push_namespace(space)
        return example

    def _describe(self, example: Example, groups: Groups) -> None:
        for space, pairs in groups:
            example.push_feature_list(self._workspace, space, 0, pairs)
        self._workspace.setup_example(example)

    def _fill(self, shared: Shared) -> None:
        self._push(self._workspace, S, 0, shared.crossed)
        if shared.rest:
            self._shared.push_namespace(X)
            self._push(self._workspace, X, 0, shared.rest)
        for space, pairs in shared.named:
            self._push(self._workspace, space, 0, pairs)
        self._setup(self._shared)

    def _empty(self, shared: Shared) -> None:
        self._unsetup(self._shared)
        if shared.rest:
            self._erase(X)
            self._shared.pop_namespace()
        for space in self._named:
            self._erase(space)
        self._erase(S)


class PublicEngine:
    """By JSON text, through `Workspace.parse`, `predict`, `learn` and `finish_example`."""

    def __init__(self, workspace: Workspace, lines: Lines) -> None:
        self.lines = lines
        self._workspace = workspace

    def prepare(self, actions: Sequence[Groups]) -> bytes:
        return self.lines.actions(actions)

    def release(self, actions: bytes) -> None:
        """Text needs none."""

    def predict(self, shared: Shared, actions: bytes) -> list[float]:
        examples = self._workspace.parse(self.lines.line(shared, actions).decode())
        try:
            scores: list[float] = self._workspace.predict(examples)
            return scores
        finally:
            self._workspace.finish_example(examples)

    def learn(self, shared: Shared, actions: bytes, chosen: int, cost: float, probability: float) -> None:
        text = self.lines.line(shared, actions, label(chosen, cost, probability))
        examples = self._workspace.parse(text.decode())
        try:
            self._workspace.learn(examples)
        finally:
            self._workspace.finish_example(examples)
