"""One decision: a request and a model become the record that is logged. `replaying` walks the same path for the audit.

No HTTP and no storage here: serving and the in-process `Experiment` both call it, and both log what it returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

import msgspec
from msgspec import UNSET, UnsetType

from rewardloop.actions import ActionSet, ranged_actions
from rewardloop.clock import Clock
from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.baseline import Baseline
from rewardloop.deciding.batching import Batch, serve_batch
from rewardloop.deciding.boxes import Wanted, draw_point
from rewardloop.deciding.filling import Rule, fill
from rewardloop.deciding.hosted import Hosted, first_model_id
from rewardloop.deciding.offers import Offer, Offers
from rewardloop.deciding.slotting import wanted
from rewardloop.deciding.trials import CHAMPION, Asked, Likeness, Scorer, Served, alike
from rewardloop.errors import InvalidInput
from rewardloop.events import MAX_CANDIDATES, Choice, Decision
from rewardloop.features import Features, parse_context, parse_contexts
from rewardloop.ids import EventIds, ManyDraws, draws, draws_many, uniform
from rewardloop.policies.continuous import draw_in
from rewardloop.policies.contract import gains_by_batches
from rewardloop.policies.exploration import sample, serve_pmf
from rewardloop.policies.namespaces import Namespaces
from rewardloop.settings import ExperimentSettings

MAX_AT_ONCE = 1_000_000
"""Probabilities that one batch makes."""
_TOGETHER = MAX_AT_ONCE // MAX_CANDIDATES
"""Requests that are decided together, at most."""
_FEW = 8
"""Fewer cost less one by one."""

Asking = tuple[DecideRequest, Offer | None]
"""A request, and what is on offer where it names no actions; None: the experiment's own."""
Answer = tuple[Decision, str]
"""The decision, and the (first) chosen action's id."""
_Event = tuple[str, int, float]
"""Its id, seed and sample_prob."""
_Served = tuple[str, str, tuple[float, ...]]
"""`Served`, which is one and costs a call more to make."""


class Decider:
    """Turns requests into decisions for one experiment; holds no model and writes nothing."""

    def __init__(self, settings: ExperimentSettings, tag: int, ids: EventIds, clock: Clock) -> None:
        self._experiment = settings.experiment
        self._ranged = ranged_actions(*settings.ranges) if settings.ranges is not None else None
        self._offers = Offers(settings)
        self._celled = settings.cells is not None
        named = settings.policy.learner.interactions
        self._namespaces = Namespaces(named) if isinstance(named, tuple) else None
        self._baseline = Baseline.of_settings(settings)
        self._tag = tag
        self._ids = ids
        self.clock = clock

    def decide(self, hosted: Hosted, request: DecideRequest, usual: Offer | None = None, at: str = "$") -> Answer:
        """The decision and the (first) chosen action's id; raises `InvalidInput` naming the place in the request.

        `usual` is on offer where the request names no actions; by default the fixed ones.
        """
        usual = usual or self._offers.usual
        if self._ranged is not None:
            return self._draw(hosted, request, self._ranged, at)
        if request.top_k or request.slots:
            if self._celled:
                raise InvalidInput(f"Expected no rankings or slots: the actions of `{self._experiment}` are continuous", at=at)
            return self._fill(hosted, request, usual, at)
        context = bytes(request.context)
        features = parse_context(context, f"{at}.context")
        offer = actions, excluded = self._offers.of_request(request, usual, at)
        if self._namespaces is not None:
            self._namespaces.check(features, actions, at)
        now = self.clock.now()
        event_id = request.event_id or self._ids.new(self._tag, now)
        served: _Served
        if self._is_plain(hosted):
            raw = hosted.policy.pmf(features, actions)
            limits = hosted.limits(actions, now) if hosted.exposure is not None else None
            pmf = serve_pmf(raw, floor=hosted.floor, excluded=excluded, explore=request.explore, limits=limits)
            served = (hosted.model_id, CHAMPION, tuple(pmf))
        else:
            asked = Asked(event_id, features, actions, excluded, request.explore, now, request.sticky or "")
            served = self._otherwise(hosted, asked)
        seed, sample_prob = draws(self._experiment, event_id)
        action = sample(served[2], uniform(seed))
        return self._decision(now, request, context, offer, served, action, (event_id, seed, sample_prob))

    def decide_many(
        self, hosted: Hosted, requests: Sequence[DecideRequest], actions: msgspec.Raw | UnsetType = UNSET
    ) -> list[Answer]:
        """The same for many at once, and cheaper; raises `InvalidInput` for `$.requests[i]` and then decides nothing.

        `actions` are offered to every request that names none itself.
        """
        usual = self._offers.usual if actions is UNSET else self._offers.of_json(bytes(actions), "$.actions")
        if self._ranged is not None or any(request.top_k or request.slots for request in requests):
            return [self.decide(hosted, request, usual, f"$.requests[{i}]") for i, request in enumerate(requests)]
        contexts = [bytes(request.context) for request in requests]
        tabled = self._is_plain(hosted) and gains_by_batches(hosted.policy)
        features, offers = self._read_many(requests, contexts, usual, tabled)
        batch = Batch(requests, features, offers)
        if batch.n_cells > MAX_AT_ONCE:
            raise InvalidInput(
                f"Expected at most {MAX_AT_ONCE} actions over all requests, got more: ask for fewer", at="$.requests"
            )
        if self._namespaces is not None:
            for i, (context, (offered, _)) in enumerate(zip(features, offers, strict=True)):
                self._namespaces.check(context, offered, f"$.requests[{i}]")
        return self._decide_read(hosted, batch, contexts)

    def alone(self, request: DecideRequest) -> bool:
        """Whether a request is decided by itself, by `decide`, and not with others by `decide_each`."""
        return bool(self._ranged is not None or request.top_k or request.slots)

    def decide_each(self, hosted: Hosted, asked: Sequence[Asking]) -> list[Answer | Exception]:
        """`decide` of requests that have nothing to do with each other, and cheaper; what it raises for one is in its place."""
        found: list[Answer | Exception] = []
        for start in range(0, len(asked), _TOGETHER):
            found += self._decide_some(hosted, asked[start : start + _TOGETHER])
        return found

    def _decide_some(self, hosted: Hosted, asked: Sequence[Asking]) -> Sequence[Answer | Exception]:
        if len(asked) >= _FEW and self._is_plain(hosted) and gains_by_batches(hosted.policy):
            with suppress(Exception):  # One by one it shows whose it is.
                return self._decide_together(hosted, asked)
        return [self._attempt(hosted, request, offer) for request, offer in asked]

    def _decide_together(self, hosted: Hosted, asked: Sequence[Asking]) -> list[Answer]:
        """Raises where something is wrong with one of them, without saying with which."""
        requests = [request for request, _ in asked]
        contexts, own = [bytes(request.context) for request in requests], self._offers.usual
        features = parse_contexts(contexts)
        offers = [self._offers.of_request(request, usual or own, "$", tabled=True) for request, usual in asked]
        if self._namespaces is not None:
            for context, (actions, _) in zip(features, offers, strict=True):
                self._namespaces.check(context, actions, "$")
        return self._decide_read(hosted, Batch(requests, features, offers), contexts)

    def _attempt(self, hosted: Hosted, request: DecideRequest, offer: Offer | None) -> Answer | Exception:
        try:
            return self.decide(hosted, request, offer)
        except Exception as error:
            return error

    def _decide_read(self, hosted: Hosted, batch: Batch, contexts: Sequence[bytes]) -> list[Answer]:
        """Requests that were understood, and their contexts verbatim."""
        requests = batch.requests
        now, ids = self.clock.now(), self._event_ids(requests)
        drawn = draws_many(self._experiment, ids)
        served, chosen = self._serve_many(hosted, batch, ids, drawn, now)
        events = zip(ids, drawn.seeds, drawn.sample_probs, strict=True)
        made, decision = zip(requests, contexts, batch.offers, served, chosen, events, strict=True), self._decision
        # One by one: `*parts` costs half as much again.
        return [decision(now, request, context, offer, each, a, event) for request, context, offer, each, a, event in made]

    def _draw(self, hosted: Hosted, request: DecideRequest, actions: ActionSet, at: str) -> Answer:
        """A decision over a box: one cell with probability 1, the values in it, and the density they were drawn with."""
        for name in ("actions", "excluded", "top_k", "slots"):
            if getattr(request, name) not in (UNSET, [], None):
                raise InvalidInput(f"Expected no `{name}`: the actions of `{self._experiment}` are continuous", at=f"{at}.{name}")
        assert actions.ranges is not None
        context = bytes(request.context)
        event_id = request.event_id or self._ids.new(self._tag)
        seed, sample_prob = draws(self._experiment, event_id)
        features = parse_context(context, f"{at}.context")
        wanted_point = Wanted(event_id, features, actions.ranges, request.explore, seed, request.sticky or "")
        model_id, variant, drawn = draw_point(hosted, wanted_point)
        served = Served(model_id, variant, (1.0,))
        made = self._decision(self.clock.now(), request, context, (actions, ()), served, 0, (event_id, seed, sample_prob))
        return msgspec.structs.replace(made[0], values=drawn.values, density=drawn.density), made[1]

    def _is_plain(self, hosted: Hosted) -> bool:
        """Whether it is simply the hosted model that decides."""
        return self._baseline is None and hosted.trial is None

    def _otherwise(self, hosted: Hosted, asked: Asked) -> Served:
        """Where it is not simply the hosted model that decides."""
        if self._baseline is not None:
            return Served(
                first_model_id(self._experiment), self._baseline.variant, self._baseline.pmf(asked.actions, asked.excluded)
            )
        assert hosted.trial is not None
        return hosted.trial.serve(hosted.scorer, asked)

    def _fill(self, hosted: Hosted, request: DecideRequest, usual: Offer | None, at: str) -> Answer:
        """A decision over several slots."""
        slots = wanted(self._offers, request, usual, at)
        if self._namespaces is not None:
            for slot in slots:
                self._namespaces.check(slot.context, slot.actions, at)
        event_id = request.event_id or self._ids.new(self._tag)
        seed, sample_prob = draws(self._experiment, event_id)
        champion, baseline, now = hosted.scorer, self._baseline, self.clock.now()

        def ask(model: Scorer) -> tuple[Choice, ...]:
            return fill(model.policy, Rule(model.floor, model.draws, request.explore, baseline, model.exposure, now), seed, slots)

        if baseline is not None:
            model_id, variant, choices = first_model_id(self._experiment), baseline.variant, ask(champion)
        elif hosted.trial is not None:
            key = hosted.trial.key(parse_context(bytes(request.context)), event_id, request.sticky or "")
            model_id, variant, choices = hosted.trial.tried(champion, key, ask, _first_alike)
        else:
            model_id, variant, choices = hosted.model_id, CHAMPION, ask(champion)
        first, actions = choices[0], slots[0].actions
        decision = Decision(
            event_id,
            self._experiment,
            model_id,
            now,
            bytes(request.context),
            actions.raw,
            first.pmf,
            first.action,
            first.probability,
            seed,
            sample_prob,
            () if slots[0].own else self._offers.of_request(request, usual, at)[1],
            request.explore,
            request.deferred,
            variant,
            slots=choices,
            sticky=request.sticky or "",
        )
        return decision, actions.ids[first.action]

    def _serve_many(
        self, hosted: Hosted, batch: Batch, ids: Sequence[str], drawn: ManyDraws, now: int
    ) -> tuple[Iterable[_Served], Sequence[int]]:
        """What is served to each request, and what it chooses."""
        if self._is_plain(hosted):
            pmfs, chosen = serve_batch(hosted, batch, drawn.uniforms, now)
            return [(hosted.model_id, CHAMPION, pmf) for pmf in pmfs], chosen
        each = zip(batch.requests, batch.features, batch.offers, ids, strict=True)
        served = [
            self._otherwise(hosted, Asked(event_id, context, *offer, request.explore, now, request.sticky or ""))
            for request, context, offer, event_id in each
        ]
        return served, [sample(pmf, u) for (_, _, pmf), u in zip(served, drawn.uniforms.tolist(), strict=True)]

    def _event_ids(self, requests: Sequence[DecideRequest]) -> list[str]:
        own = [request.event_id for request in requests]
        made = iter(self._ids.many(self._tag, own.count(None)))
        return [event_id or next(made) for event_id in own]

    def _decision(  # noqa: PLR0917 - by place, as this is done for every decision
        self, now: int, request: DecideRequest, context: bytes, offer: Offer, served: _Served, action: int, event: _Event
    ) -> Answer:
        """The record, of a context verbatim, what was on offer, the distribution served and whose, and the action chosen."""
        (actions, excluded), (model_id, variant, pmf), (event_id, seed, sample_prob) = offer, served, event
        decision = Decision(
            event_id,
            self._experiment,
            model_id,
            now,
            context,
            actions.raw,
            pmf,
            action,
            pmf[action],
            seed,
            sample_prob,
            excluded,
            request.explore,
            request.deferred,
            variant,
            sticky=request.sticky or "",
        )
        if actions.cells is not None:
            drawn = draw_in(actions.cells, action, pmf[action], explore=request.explore, seed=seed)
            decision = msgspec.structs.replace(decision, values=drawn.values, density=drawn.density)
        return decision, actions.ids[action]

    def _read_many(
        self, requests: Sequence[DecideRequest], contexts: Sequence[bytes], usual: Offer | None, tabled: bool
    ) -> tuple[list[Features], list[Offer]]:
        try:
            return parse_contexts(contexts), self._offers.of_requests(requests, usual, tabled=tabled)
        except InvalidInput:
            # The place is spelled out only where it is needed: on the way that is taken rarely.
            places = [f"$.requests[{i}]" for i in range(len(requests))]
            features = [parse_context(context, f"{at}.context") for context, at in zip(contexts, places, strict=True)]
            return features, [self._offers.of_request(request, usual, at) for request, at in zip(requests, places, strict=True)]


def _first_alike(served: tuple[Choice, ...], other: tuple[Choice, ...]) -> Likeness:
    return alike(served[0].pmf, other[0].pmf)
