"""Every setting of an experiment, with its default and its bounds. One YAML file holds them; nothing else does.

Durations are written `500ms`, `30s`, `10m`, `1h`, `7d` or as a number of seconds, and held as int microseconds.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", description="lower-case letters, digits, - and _")]
Positive = Annotated[float, Meta(gt=0, le=1e9)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]

Exploration = Literal[
    "lints", "linucb",
    "egreedy", "bag", "cover", "softmax", "squarecb", "regcb", "regcbopt", "rnd", "first", "synthcover",
    "uniform",
]  # fmt: skip
Aggregation = Literal["earliest", "latest", "sum", "mean", "min", "max"]


class Duration(int):
    """Microseconds. The loader reads `30s` and the like into it."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=False):
    pass


class LearnerSettings(Section, frozen=True, kw_only=True):
    """How weights are learned. `learning_rate`, `bits`, `cb_type`, `interactions` and `arguments` are Vowpal Wabbit's."""

    cb_type: Literal["mtr", "dr", "ips", "dm", "sm"] = "mtr"
    learning_rate: Positive = 2.0
    bits: Annotated[int, Meta(ge=8, le=28)] = 20
    interactions: Literal["auto", "none", "quadratic"] = "auto"
    """auto: quadratic in the context while it has at most 64 numeric features."""
    replay: Annotated[int, Meta(ge=1, le=32)] = 4
    """Passes in all: the new events once, then `replay - 1` more over a sample of history."""
    replay_events: Count = 20_000
    arguments: str = ""
    """Further Vowpal Wabbit arguments, verbatim, for those who know them."""
    max_columns: Annotated[int, Meta(ge=1, le=2048)] = 256
    """Width of the native engine's design; further categorical values share columns by hashing."""


class PolicySettings(Section, frozen=True, kw_only=True):
    """Which engine explores, and how much."""

    exploration: Exploration | None = None
    """Default: lints for fixed actions, regcbopt for actions with features."""
    floor: Share = 0.02
    """Every offered action keeps probability ≥ floor / K, whatever the policy says; logged as such."""
    epsilon: Share = 0.05
    num_policies: Annotated[int, Meta(ge=1, le=100)] = 5
    """bag, cover."""
    lambda_: Positive = msgspec.field(name="lambda", default=1.0)
    """softmax."""
    gamma_scale: Positive = 10.0
    """squarecb."""
    gamma_exponent: Share = 0.5
    mellowness: Positive = 0.001
    """regcb, regcbopt, squarecb."""
    psi: Positive = 1.0
    """cover."""
    tau: Count = 100
    """first: decisions taken uniformly before it turns greedy."""
    rnd_networks: Annotated[int, Meta(ge=1, le=100)] = 3
    rnd_alpha: Positive = 0.1
    rnd_invlambda: Positive = 0.1
    synthcover_psi: Positive = 0.1
    synthcover_size: Annotated[int, Meta(ge=1, le=10_000)] = 100
    alpha: Positive = 0.1
    """lints, linucb: width of the posterior, in units of the reward's range."""
    learner: LearnerSettings = LearnerSettings()


class RewardSettings(Section, frozen=True, kw_only=True):
    window: Duration = Duration(3_600_000_000)
    """A reward that arrives later than this after its decision is counted as late and not learned from."""
    default: float = 0.0
    """The reward of a decision for which none arrived in the window."""
    aggregation: Aggregation = "earliest"
    """earliest: the first reward closes the event. The others wait for `final` or for the window."""
    range: tuple[float, float] | None = None
    """Lowest and highest possible reward; a reward outside is refused. Undeclared: learned from the data."""


class TrainingSettings(Section, frozen=True, kw_only=True):
    mode: Literal["batch", "online"] = "batch"
    ratio: Share = 0.8
    """Share of events (by their logged sample_prob) that train; the others evaluate."""
    every_events: Count = 500
    """A cycle starts when this many more events have closed …"""
    every: Duration = Duration(60_000_000)
    """… or when this much time has passed and at least one has."""
    publish_interval: Duration = Duration(100_000)
    """online: how often the trainer publishes."""
    seed: int = 0


class GateSettings(Section, frozen=True, kw_only=True):
    """When a candidate is promoted. Estimates are of the served distribution, floor included, on held-out events."""

    rule: Literal["no_harm", "strict", "always"] = "no_harm"
    """no_harm: promoted unless the paired difference says it is worse. strict: its lower bound must exceed `margin`."""
    estimator: Literal["dr", "ips"] = "dr"
    level: Annotated[float, Meta(gt=0.5, lt=1)] = 0.95
    margin: float = 0.0
    """In units of reward."""
    tolerance: float = 0.01
    """no_harm: the paired difference may fall short by this much, in units of the reward's range."""
    min_events: Count = 500
    """strict: fewer held-out events are insufficient data."""
    min_ess: Positive = 100.0
    """strict: a smaller effective sample size is insufficient support."""
    max_events: Count = 20_000
    """The newest held-out events that are looked at."""


class LogSettings(Section, frozen=True, kw_only=True):
    durability: Literal["process", "disk"] = "process"
    """process: an answered event survives kill -9. disk: it survives a power cut too (fsync before the answer)."""
    segment_mb: Annotated[int, Meta(ge=1, le=4096)] = 64
    retention: Duration = Duration(30 * 86_400_000_000)
    """How long compacted segments of the log and models no longer hosted are kept."""


class ExperimentSettings(Section, frozen=True, kw_only=True):
    """One experiment."""

    experiment: Name
    actions: Annotated[int, Meta(ge=1, le=1000)] | tuple[str, ...] | None = None
    """A number (arms named "1" … "n"), a list of names, or nothing: each request brings its own actions."""
    policy: PolicySettings = PolicySettings()
    reward: RewardSettings = RewardSettings()
    training: TrainingSettings = TrainingSettings()
    gate: GateSettings = GateSettings()
    log: LogSettings = LogSettings()

    @property
    def action_ids(self) -> tuple[str, ...] | None:
        """Ids of the fixed arms, or None."""
        if isinstance(self.actions, int):
            return tuple(str(arm) for arm in range(1, self.actions + 1))
        return self.actions

    @property
    def exploration(self) -> Exploration:
        """The exploration policy in force."""
        return self.policy.exploration or ("lints" if self.actions is not None else "regcbopt")
