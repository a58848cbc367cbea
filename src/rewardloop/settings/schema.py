"""Every setting of an experiment, with its default, its bounds and a sentence. One YAML file holds them; nothing else does.

The sentences are the only copy: they comment the YAML that `rewardloop init` writes and fill the tables of
docs/configuration.md. Durations are written `500ms`, `30s`, `10m`, `1h`, `7d` or as a number of seconds, and held as int
microseconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from rewardloop.cells import MAX_CELLS, Cells
from rewardloop.events import MAX_ACTIONS, MAX_EVENT_ID, MAX_METRICS

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}\Z")]
ActionId = Annotated[str, Meta(min_length=1, max_length=MAX_EVENT_ID)]
Real = Annotated[float, Meta(ge=-1e30, le=1e30)]
Positive = Annotated[float, Meta(gt=0, le=1e9)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]
METRIC_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}\Z"
MetricName = Annotated[str, Meta(pattern=METRIC_NAME)]

Exploration = Literal[
    "lints", "linucb", "neural",
    "egreedy", "bag", "cover", "softmax", "squarecb", "regcb", "regcbopt", "rnd", "first", "synthcover",
    "automl", "epsilon_decay", "cats",
    "uniform",
]  # fmt: skip
Mode = Literal["online", "apprentice", "logging_only"]
Aggregation = Literal["earliest", "latest", "sum", "mean", "min", "max"]
Draws = Literal["each", "once"]
Feedback = Literal["all", "cascade", "position"]


MAX_NAMESPACES = 12
Namespace = Annotated[str, Meta(min_length=1, max_length=64)]
Interaction = Annotated[tuple[Namespace, ...], Meta(min_length=2, max_length=3)]


class Duration(int):
    """Microseconds. The loader reads `30s` and the like into it."""


def said(sentence: str) -> Meta:
    return Meta(description=sentence)


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=False):
    pass


class LearnerSettings(Section, frozen=True, kw_only=True):
    """How weights are learned. All but the replay, `forgetting` and `max_columns` are Vowpal Wabbit's."""

    cb_type: Annotated[Literal["mtr", "dr", "ips", "dm", "sm"], said("How a cost is estimated for actions not taken.")] = "mtr"
    learning_rate: Annotated[Positive, said("Size of a step; cats takes a quarter of it.")] = 2.0
    bits: Annotated[int, Meta(ge=8, le=28), said("The weights have 2^bits places.")] = 20
    interactions: Annotated[
        Literal["auto", "none", "quadratic"] | Annotated[tuple[Interaction, ...], Meta(min_length=1, max_length=20)],
        said(
            "auto: quadratic in the context while its features × those of an action are at most 64; not where actions bring "
            "features and most of the context's are words. Or by name: [[user, item], [user, item, time]]."
        ),
    ] = "auto"
    replay: Annotated[
        int, Meta(ge=1, le=32), said("Passes in all: new events once, then replay - 1 more over a sample of history.")
    ] = 4
    replay_events: Annotated[Count, said("Size of that sample.")] = 20_000
    arguments: Annotated[str, said("Further Vowpal Wabbit arguments, verbatim, for those who know them.")] = ""
    forgetting: Annotated[
        Literal["auto", "none"] | Annotated[int, Meta(ge=16, le=1_000_000_000)],
        said("lints, linucb. auto: all is remembered until the recent past alone predicts better. A number: half-life in events."),
    ] = "auto"
    max_columns: Annotated[
        int, Meta(ge=1, le=2048), said("Width of the native engine's design; further words share columns by hashing.")
    ] = 256


class PolicySettings(Section, frozen=True, kw_only=True):
    """Which engine explores, and how much."""

    exploration: Annotated[
        Exploration | None,
        said(
            "Exploration policy. null: lints; where requests bring the actions and something is set that Vowpal Wabbit alone has "
            "(mellowness, shortlist, the learner's cb_type, learning_rate, bits, interactions, arguments): regcbopt."
        ),
    ] = None
    floor: Annotated[
        Share, said("Every offered action keeps probability ≥ floor / K, whatever the policy says; logged as such.")
    ] = 0.02
    epsilon: Annotated[Share, said("egreedy, rnd, automl, cats: share of decisions spread over all actions.")] = 0.05
    num_policies: Annotated[
        int,
        Meta(ge=1, le=100),
        said("bag, cover, epsilon_decay: number of policies. automl: of sets of interactions tried at once."),
    ] = 5
    lambda_: Annotated[Positive, said("softmax: the larger, the greedier; in units of the reward's range.")] = msgspec.field(
        name="lambda", default=20.0
    )
    gamma_scale: Annotated[Positive, said("squarecb: the larger, the greedier.")] = 10.0
    gamma_exponent: Annotated[Share, said("squarecb: how greediness grows with the number of events.")] = 0.5
    mellowness: Annotated[Positive, said("regcb, regcbopt, squarecb: width of the confidence set.")] = 0.001
    psi: Annotated[Positive, said("cover: how much a policy is rewarded for differing.")] = 1.0
    tau: Annotated[Count, said("first: decisions taken uniformly before it turns greedy.")] = 100
    rnd_networks: Annotated[int, Meta(ge=1, le=100), said("rnd: number of random networks.")] = 3
    rnd_alpha: Annotated[Positive, said("rnd: width of the bonus.")] = 0.1
    rnd_invlambda: Annotated[Positive, said("rnd: prior variance of a weight.")] = 0.1
    synthcover_psi: Annotated[Positive, said("synthcover: how much a policy is rewarded for differing.")] = 0.1
    synthcover_size: Annotated[int, Meta(ge=1, le=10_000), said("synthcover: number of policies.")] = 100
    alpha: Annotated[
        Positive, said("lints, linucb, neural, shortlist: width of the posterior, in units of the reward's range.")
    ] = 0.1
    bandwidth: Annotated[
        int, Meta(ge=0, le=128), said("cats: how many cells on either side of the chosen one are as likely as that.")
    ] = 1
    shortlist: Annotated[
        Annotated[int, Meta(ge=2, le=1_000)] | None,
        said(
            "Vowpal Wabbit's explorations, where requests bring the actions: of more than these it is asked about as many, those "
            "with the highest upper bounds by a linear regression learned beside it, others the floor's share. null: all."
        ),
    ] = None
    learner: LearnerSettings = LearnerSettings()

    @property
    def asks_for_wabbit(self) -> bool:
        """Whether something is set otherwise than by default that Vowpal Wabbit alone looks at."""
        usual, own = PolicySettings(), self.learner
        ours = (self.mellowness, self.shortlist, own.cb_type, own.learning_rate, own.bits, own.interactions, own.arguments)
        by_default = usual.learner
        theirs = (by_default.cb_type, by_default.learning_rate, by_default.bits, by_default.interactions, by_default.arguments)
        return ours != (usual.mellowness, usual.shortlist, *theirs)


class RewardSettings(Section, frozen=True, kw_only=True):
    """When a reward counts, and for what."""

    window: Annotated[Duration, said("A reward later than this after its decision is counted as late and not learned from.")] = (
        Duration(3_600_000_000)
    )
    default: Annotated[Real, said("The reward of a decision for which none arrived in the window.")] = 0.0
    aggregation: Annotated[
        Aggregation, said("earliest: the first reward closes the event. The others wait for `final` or for the window.")
    ] = "earliest"
    closes: Annotated[
        Literal["early", "window"],
        said("early: with the reward that decides it. window: always at its end; needed where silence means `default` (clicks)."),
    ] = "early"
    range: Annotated[
        tuple[Real, Real] | None,
        said("[lowest, highest] possible reward; one outside is refused. null: learned from the data."),
    ] = None


class TrainingSettings(Section, frozen=True, kw_only=True):
    """When a model is trained, and on what."""

    mode: Annotated[
        Literal["batch", "online"], said("batch: in cycles. online: a trainer learns from each reward as it arrives.")
    ] = "batch"
    ratio: Annotated[Share, said("Share of events (by their logged sample_prob) that train; the others evaluate.")] = 0.8
    every_events: Annotated[Count, said("batch: a cycle starts when this many more events have closed …")] = 500
    every: Annotated[Duration, said("batch: … or when this much time has passed and at least one has.")] = Duration(60_000_000)
    publish_interval: Annotated[Duration, said("online: how often the trainer publishes.")] = Duration(100_000)
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1), said("Of everything random in training.")] = 0


class RankingSettings(Section, frozen=True, kw_only=True):
    """How several slots are filled, and what is learned from them."""

    draws: Annotated[
        Draws | None,
        said(
            "each: the policy is asked again for every position, over what is left. once: one distribution, the rest renormalised "
            "(Plackett-Luce), so that the marginal of each position is known. null: once for softmax, else each."
        ),
    ] = None
    feedback: Annotated[
        Feedback,
        said(
            "What is learned from. all: every slot. cascade: up to the first click, or all where nothing was clicked. "
            "position: each slot by its chance of having been looked at."
        ),
    ] = "all"
    examination: Annotated[
        tuple[Share, ...] | None,
        said("position: P(looked at) of each position, from the first on; further ones have the last. null: 1, 1/2, 1/3, …"),
    ] = None


class Guardrail(Section, frozen=True, kw_only=True):
    """A number beside the reward that a candidate must not make worse."""

    metric: Annotated[MetricName, said("A name under which rewards carry it.")]
    worse: Annotated[Literal["higher", "lower"], said("Which way is worse.")] = "higher"
    tolerance: Annotated[Share, said("It may be worse by so much, as a share of what the hosted policy has.")] = 0.05


class GateSettings(Section, frozen=True, kw_only=True):
    """When a candidate is promoted. Estimates are of the served distribution, floor included, on held-out events."""

    rule: Annotated[
        Literal["no_harm", "strict", "always"],
        said("no_harm: promoted unless the paired difference says it is worse. strict: its lower bound must exceed the margin."),
    ] = "no_harm"
    estimator: Annotated[Literal["dr", "ips"], said("Doubly robust, or inverse propensity scores.")] = "dr"
    level: Annotated[float, Meta(gt=0.5, lt=1), said("Confidence level of every interval.")] = 0.95
    interval: Annotated[
        Literal["normal", "sequence"] | None,
        said("Of the difference. normal: for one look. sequence: for any number of looks. null: sequence for strict, else normal."),
    ] = None
    margin: Annotated[Real, said("strict: in units of reward.")] = 0.0
    tolerance: Annotated[
        Share, said("no_harm: the paired difference may fall short by this much, in units of the reward's range.")
    ] = 0.01
    cressie_read_tolerance: Annotated[
        Share,
        said(
            "strict: the Cressie-Read lower bound may fall short of the hosted mean by this much, in units of the reward's range."
        ),
    ] = 0.1
    min_events: Annotated[Count, said("strict: fewer held-out events are insufficient data.")] = 500
    min_ess: Annotated[Positive, said("strict: a smaller effective sample size is insufficient support.")] = 100.0
    max_events: Annotated[Count, said("The newest held-out events that are looked at.")] = 20_000
    guardrails: Annotated[
        tuple[Guardrail, ...],
        Meta(max_length=MAX_METRICS),
        said("Metrics that must not get worse: a list of {metric: cost, worse: higher or lower, tolerance: 0.05}."),
    ] = ()

    @property
    def sequential(self) -> bool:
        """Whether the interval of the difference holds at every look."""
        return (self.interval or ("sequence" if self.rule == "strict" else "normal")) == "sequence"


class RolloutSettings(Section, frozen=True, kw_only=True):
    """How a model that passed the gate comes into service, and what takes it out again."""

    mode: Annotated[
        Literal["direct", "shadow", "canary", "ramp"],
        said("direct: at once. shadow: it first only scores. canary: it first serves a share. ramp: growing shares."),
    ] = "direct"
    share: Annotated[float, Meta(gt=0, lt=1), said("canary: share of decisions that the challenger makes.")] = 0.05
    steps: Annotated[
        tuple[Annotated[float, Meta(gt=0, lt=1)], ...],
        Meta(min_length=1, max_length=20),
        said("ramp: its share, step by step; after the last one it is promoted."),
    ] = (0.01, 0.05, 0.25)
    scored: Annotated[float, Meta(gt=0, le=1), said("shadow: share of decisions that the challenger scores.")] = 0.25
    sticky: Annotated[
        str | None,
        said(
            "canary, ramp: a feature of the context, such as `user.id`; one value always meets one variant. null: each event draws."
        ),
    ] = None
    min_events: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000_000)],
        said("A step is over when so many of the challenger's decisions (shadow: of all) have closed and no harm was found."),
    ] = 500
    level: Annotated[
        float, Meta(gt=0.5, lt=1), said("1 - level bounds the share of harmless challengers rolled back, all looks included.")
    ] = 0.95
    tolerance: Annotated[Share, said("The challenger may earn so much less, in units of the reward's range.")] = 0.0
    hold_back: Annotated[
        float,
        Meta(ge=0, lt=1),
        said("Share of decisions left to the model before, after a promotion; where that one earns more, it is hosted again."),
    ] = 0.0
    error_rate: Annotated[Share, said("Share of its decisions that may fail in the challenger; the champion then answers.")] = 0.0
    latency: Annotated[Duration, said("How much longer than the champion the challenger may take to score, on average.")] = (
        Duration(5_000)
    )


class LogSettings(Section, frozen=True, kw_only=True):
    """The durable event log."""

    durability: Annotated[
        Literal["process", "disk"],
        said("process: an answered event survives kill -9. disk: it survives a power cut too (fsync before the answer)."),
    ] = "process"
    segment_mb: Annotated[int, Meta(ge=1, le=4096), said("Size at which a segment of the log is closed, in MiB.")] = 64
    retention: Annotated[Duration, said("How long compacted segments of the log and models no longer hosted are kept.")] = Duration(
        30 * 86_400_000_000
    )


class ExposureRule(Section, frozen=True, kw_only=True):
    """How much of the decisions an action gets, where it is on offer."""

    action: Annotated[ActionId, said("Its id.")]
    minimum: Annotated[Share, said("At least this probability, every time.")] = 0.0
    maximum: Annotated[Share, said("At most this probability.")] = 1.0
    since: Annotated[datetime, Meta(tz=True)] | None = None
    """A new action: from here on its maximum grows."""
    start: Annotated[Share, said("Its maximum before that.")] = 0.01
    over: Annotated[Duration, said("How long it grows.")] = Duration(7 * 86_400_000_000)


class ContinuousActions(Section, frozen=True, kw_only=True):
    """A box: every action is a vector of numbers, each in its range; or, with `cells`, one number in a range that is cut up."""

    low: Annotated[
        Real | Annotated[tuple[Real, ...], Meta(min_length=1, max_length=64)], said("Lowest value, of each number where several.")
    ]
    high: Annotated[Real | Annotated[tuple[Real, ...], Meta(min_length=1, max_length=64)], said("Highest value.")]
    cells: Annotated[int, Meta(ge=2, le=MAX_CELLS)] | None = None


class ExperimentSettings(Section, frozen=True, kw_only=True):
    """One experiment."""

    experiment: Annotated[Name, said("Name of the experiment: lower-case letters, digits, - and _.")]
    actions: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_ACTIONS)]
        | Annotated[tuple[ActionId, ...], Meta(min_length=1, max_length=MAX_ACTIONS)]
        | ContinuousActions
        | None,
        said(
            "A number (arms named 1 … n), names, {low: 20, high: 35, cells: 32} (continuous, learned here), {low: […], high: […]} "
            "(continuous, by `rl deploy`), or null: each request brings its own actions."
        ),
    ] = None
    mode: Annotated[
        Mode,
        said("online: models decide. apprentice: the baseline does, models imitate it. logging_only: it does, nothing learns."),
    ] = "online"
    baseline: Annotated[
        ActionId | None,
        said(
            "apprentice, logging_only: the action served where it is on offer; otherwise, or null, the first that is not excluded."
        ),
    ] = None
    ready_at: Annotated[Share, said("apprentice: ready once the match rate is this high by the lower end of its interval.")] = 0.8
    exposure: Annotated[
        tuple[ExposureRule, ...],
        Meta(max_length=100),
        said("Limits of a probability: {action: a, minimum: 0.1, maximum: 0.5}; let in: {action: b, since: …, over: 7d}."),
    ] = ()
    policy: PolicySettings = PolicySettings()
    reward: RewardSettings = RewardSettings()
    training: TrainingSettings = TrainingSettings()
    ranking: RankingSettings = RankingSettings()
    gate: GateSettings = GateSettings()
    rollout: RolloutSettings = RolloutSettings()
    log: LogSettings = LogSettings()

    @property
    def action_ids(self) -> tuple[str, ...] | None:
        """Ids of the fixed arms (of continuous actions: of the cells, or of the one that a box is), or None."""
        if isinstance(self.actions, ContinuousActions):
            return ("values",) if self.cells is None else self.cells.ids
        if isinstance(self.actions, int):
            return tuple(str(arm) for arm in range(1, self.actions + 1))
        return self.actions

    @property
    def ranges(self) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
        """Lowest and highest of each number, where the actions are continuous."""
        if not isinstance(self.actions, ContinuousActions) or self.actions.cells is not None:
            return None
        return _several(self.actions.low), _several(self.actions.high)

    @property
    def cells(self) -> Cells | None:
        """The cells of a continuous action that is learned here, or None."""
        box = self.actions
        if not isinstance(box, ContinuousActions) or box.cells is None:
            return None
        return Cells(_several(box.low)[0], _several(box.high)[0], box.cells)

    @property
    def exploration(self) -> Exploration:
        """The exploration policy in force."""
        if self.policy.exploration is not None:
            return self.policy.exploration
        asked, named = self.policy.asks_for_wabbit, isinstance(self.policy.learner.interactions, tuple)
        wabbit = named if self.ranking.feedback != "all" else asked
        return "regcbopt" if self.actions is None and wabbit else "lints"

    @property
    def draws(self) -> Draws:
        """How rankings are drawn."""
        return self.ranking.draws or ("once" if self.exploration == "softmax" else "each")


def _several(side: float | tuple[float, ...]) -> tuple[float, ...]:
    return side if isinstance(side, tuple) else (side,)
