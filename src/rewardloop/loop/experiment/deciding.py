"""Deciding and rewarding in this process: durable when it returns, and any number of processes at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from rewardloop.deciding.asking import DecideRequest, checked_sticky, checked_top_k, slot_requests
from rewardloop.deciding.rewarding import RewardRequest
from rewardloop.events import Activation, Decision, Reward
from rewardloop.loop.experiment.opened import Opened

_encode = msgspec.json.Encoder().encode
NO_NUMBERS: Mapping[str, float] = MappingProxyType({})


class Deciding(Opened):
    """What a request does over HTTP."""

    def decide(
        self,
        context: Mapping[str, object],
        actions: Sequence[object] | Mapping[str, float] | None = None,
        *,
        event_id: str | None = None,
        explore: bool = True,
        excluded: Sequence[str] = (),
        deferred: bool = False,
        top_k: int | None = None,
        slots: Sequence[Mapping[str, object]] = (),
        sticky: str | None = None,
    ) -> Decision:
        """Choose an action; the decision is durable when this returns.

        - `actions`: what is on offer, as ids or as `{"id": …, "features": {…}}`. Needed where the experiment has no fixed
          actions; where it has, they narrow the choice. Of a continuous action: `{"low": …, "high": …}`, between which it must lie.
        - `event_id`: your own id, of up to 256 characters. By default one is made. The same id gets the same random draw.
        - `explore`: False takes the most probable action. `excluded`: ids that must not be chosen.
        - `deferred`: the decision counts only once `activate` was called, for what may never be shown to anybody.
        - `top_k`: a ranking of so many. `slots`: an action for each of several places, each as
          `{"id": …, "features": {…}, "excluded": […], "actions": […]}`; `rewardloop.slots.shown` reads the answer of both.
        - `sticky`: such as the id of a user, all of whose decisions then meet the same variant of a trial.

        Raises `InvalidInput`, naming the place, and then logs nothing.
        """
        self._own()
        request = DecideRequest(
            context=msgspec.Raw(_encode(context)),
            actions=msgspec.UNSET if actions is None else msgspec.Raw(_encode(actions)),
            event_id=event_id,
            explore=explore,
            excluded=list(excluded),
            deferred=deferred,
            top_k=checked_top_k(top_k),
            slots=slot_requests(slots),
            sticky=checked_sticky(sticky),
        )
        decision, _ = self._decider.decide(self._following.current(), request)
        self._writer.commit([decision])
        return decision

    def decide_many(self, contexts: Iterable[Mapping[str, object]], actions: Sequence[object] | None = None) -> list[Decision]:
        """Choose an action for each context; all decisions are made durable together. `actions` are on offer in each of them.

        Raises `InvalidInput` if any of the contexts is wrong, and then decides none.
        """
        self._own()
        requests = [DecideRequest(context=msgspec.Raw(_encode(context))) for context in contexts]
        offered = msgspec.UNSET if actions is None else msgspec.Raw(_encode(actions))
        decisions = [decision for decision, _ in self._decider.decide_many(self._following.current(), requests, offered)]
        self._writer.commit(decisions)
        return decisions

    def reward(
        self,
        event_id: str,
        reward: float,
        *,
        reward_id: str = "",
        final: bool = False,
        slot: str = "",
        metrics: Mapping[str, float] = NO_NUMBERS,
    ) -> Reward:
        """Record what a decision was worth, now or days later; the reward is durable when this returns.

        - `reward`: finite, and the higher the better; within `reward.range` where the settings declare one.
        - `reward_id`: of several rewards of one event with the same id, the first counts. Without an id, every one counts.
        - `final`: closes the event, so that no later reward counts.
        - `slot`: the one it is for; by default it is for the whole event, that is, for each of its slots.
        - `metrics`: up to eight further numbers, such as `{"cost": 1.2}`, for guardrails; nothing is learned from them.

        An event that is not (yet) known is no error: the join counts its rewards as waiting, later as orphans. Raises
        `InvalidInput`.
        """
        request = RewardRequest(
            event_id=event_id,
            reward=reward,
            reward_id=reward_id,
            final=final,
            experiment=self.settings.experiment,
            slot=slot,
            metrics=dict(metrics),
        )
        self._own()
        record = self._rewarder.reward(request)
        self._writer.commit([record])
        return record

    def made_here(self, event_id: str) -> bool:
        """Whether this experiment made the event id, rather than a client or another experiment."""
        return self._rewarder.made_here(event_id)

    def serving(self) -> str:
        """The id of the model that this process decides with now. It follows a deployment within 20 ms."""
        self._own()
        return self._following.current().model_id

    def activate(self, event_id: str) -> Activation:
        """Let a deferred decision count, because it was shown after all; durable when this returns."""
        self._own()
        record = self._rewarder.activation(event_id, self.settings.experiment)
        self._writer.commit([record])
        return record
