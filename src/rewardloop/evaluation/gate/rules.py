"""The gate's rules as data: each looks at the evidence and says one sentence. Which apply is a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import msgspec

from rewardloop.evaluation.estimate import Estimate
from rewardloop.evaluation.support import LARGEST_RATIO, Support
from rewardloop.settings import GateSettings
from rewardloop.settings.schema import Guardrail

Verdict = Literal["promote", "keep", "insufficient_support", "insufficient_data"]

MIN_EVENTS = 10
"""no_harm: below this not even plain harm would show."""
MIN_LOGGED_SHARE = 0.8
MIN_OVERLAP = 0.1
ENOUGH_MATCHES = 30
MIN_BOX_ESS = 20.0
BOX_WEIGHT_OFF = 0.25
MEAN_WEIGHT = (0.8, 1.25)
ERRORS = 4.0
SLACK = 0.05
"""no_harm: the mean clipped weight may differ from what the log expects by so many standard errors, and this much more."""
SAME_SPREAD = 1e-9
SAME_SHARE = 1e-3


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, applied."""

    name: str
    passed: bool
    number: float
    threshold: float
    otherwise: Verdict
    """The verdict if this is the first rule that fails."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rules look at."""

    n: int
    support: Support
    difference: Estimate
    """Candidate − hosted, paired; or − logged, where nothing is hosted."""
    error: float
    """Standard error of the difference."""
    changed: float | None
    """Share of decisions on which candidate and hosted differ (total variation); None where nothing is hosted."""
    at_least: float
    """Cressie–Read's lower bound of the candidate: it holds where weights are so large that the other intervals do not."""
    hosted: float
    """What the hosted policy is estimated to earn; the mean logged reward where nothing is hosted."""
    span: float
    """Highest − lowest reward."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric under the candidate and under what is hosted."""

    n: int
    """Events that carry it."""
    hosted: float
    difference: Estimate | None
    """Candidate − hosted, paired; None where fewer than two events say anything about either."""


Check = Callable[[Evidence, GateSettings], Rule]


def enough_events(n: int, least: int, n_decisions: int) -> Rule:
    """Slots of one decision are no evidence apart from each other: what is counted are decisions."""
    of_several = n_decisions < n
    told = f"{n_decisions:,} decisions ({n:,} slots)" if of_several else f"{n:,} held-out event{'s' if n != 1 else ''}"
    sentence = f"{told}{' held out' if of_several else ''} can be used; this rule needs {least:,}."
    passed = n_decisions >= least
    return Rule(name="events", passed=passed, number=n_decisions, threshold=least, otherwise="insufficient_data", sentence=sentence)


def logged_actions(seen: Evidence, _: GateSettings) -> Rule:
    share = seen.support.logged_share
    found = f"{share:.1%} of the candidate's choices are actions the log chose often enough to tell"
    sentence = f"{found}; at least {MIN_LOGGED_SHARE:.0%} must be."
    return _support("logged_actions", share >= MIN_LOGGED_SHARE, share, MIN_LOGGED_SHARE, sentence)


def possible_actions(seen: Evidence, _: GateSettings) -> Rule:
    share = seen.support.possible_share
    sentence = f"{share:.1%} of the candidate's choices had a chance in the log; at least {MIN_LOGGED_SHARE:.0%} must have."
    return _support("possible_actions", share >= MIN_LOGGED_SHARE, share, MIN_LOGGED_SHARE, sentence)


def overlap(seen: Evidence, _: GateSettings) -> Rule:
    """For actions that come and go; what has a name that lasts is judged by `logged_actions`, and gets its data by exploring."""
    share, matched = min(seen.support.overlap, 1.0), seen.support.n_matched
    passed = share >= MIN_OVERLAP or matched >= ENOUGH_MATCHES or seen.support.named_share >= MIN_LOGGED_SHARE
    least = f"1/{LARGEST_RATIO:g}"
    found = (
        f"{share:.1%} of the candidate's choices were made by the log at least {least} as often, its favourite {matched:,} times"
    )
    needed = f"where actions come and go, {MIN_OVERLAP:.0%} or {ENOUGH_MATCHES} times are needed"
    return _support("overlap", passed, share, MIN_OVERLAP, f"{found}; {needed}.")


def mean_weight(seen: Evidence, _: GateSettings) -> Rule:
    number = seen.support.mean_weight
    low, high = MEAN_WEIGHT
    sentence = f"The importance weights average {number:.3g}; {low:g} to {high:g} is right where the log has support."
    return _support("mean_weight", low <= number <= high, number, low if number < 1 else high, sentence)


def expected_weight(seen: Evidence, _: GateSettings) -> Rule:
    """Are the logged probabilities those the actions were drawn with? One lucky draw of a rare action must not look like a fault,
    so weights are clipped, and compared with what the log itself says they should average."""
    number, expected = seen.support.clipped_weight, seen.support.clipped_weight_expected
    slack = SLACK + ERRORS * seen.support.clipped_weight_error
    sentence = f"The importance weights, none above {LARGEST_RATIO:g}, average {number:.3g}; {expected:.3g} ± {slack:.2g} is right."
    return _support("expected_weight", abs(number - expected) <= slack, number, expected, sentence)


def ess(seen: Evidence, settings: GateSettings) -> Rule:
    number = seen.support.ess
    found = f"The log tells as much about the candidate as {number:,.0f} events of its own would"
    sentence = f"{found}; at least {settings.min_ess:,g} are needed."
    return _support("ess", number >= settings.min_ess, number, settings.min_ess, sentence)


def not_the_same(seen: Evidence, _: GateSettings) -> Rule:
    """A difference without variance is rounding noise, and its sign a coin."""
    changed = 1.0 if seen.changed is None else seen.changed
    passed = seen.error * seen.n**0.5 > SAME_SPREAD and changed > SAME_SHARE
    sentence = f"The candidate decides differently on {changed:.2%} of events" + ("." if passed else ": the same policy in effect.")
    return Rule(name="not_the_same", passed=passed, number=changed, threshold=SAME_SHARE, otherwise="keep", sentence=sentence)


def box_weight(seen: Evidence, _: GateSettings) -> Rule:
    """Over a box the log cannot say what weights should be, but that they average 1 where all that the policy does was done."""
    number, error = seen.support.mean_weight, seen.support.clipped_weight_error
    slack = max(BOX_WEIGHT_OFF, ERRORS * error)
    passed = abs(number - 1) <= slack
    found = (
        f"The ratios of densities average {number:.3g}; 1 ± {slack:.2g} is right where the log did all that the candidate would do"
    )
    return _support("box_weight", passed, number, 1.0, found + _more(passed))


def box_ess(seen: Evidence, settings: GateSettings) -> Rule:
    least = settings.min_ess if settings.rule == "strict" else MIN_BOX_ESS
    passed = seen.support.ess >= least
    found = f"The log tells as much about the candidate as {seen.support.ess:,.0f} events of its own would"
    return _support("box_ess", passed, seen.support.ess, least, f"{found}; at least {least:,g} are needed{_more(passed)}")


def _more(passed: bool) -> str:
    return "." if passed else ": more events help, or a larger `policy.floor`."


def better(seen: Evidence, settings: GateSettings) -> Rule:
    lower = seen.difference.lower
    looks = "however often one looks, " if settings.sequential else ""
    level = f"{looks}at the {settings.level:.0%} level"
    sentence = f"The difference is at least {lower:+.4g} {level}; it must exceed {settings.margin:+.4g}."
    passed = lower > settings.margin
    return Rule(name="better", passed=passed, number=lower, threshold=settings.margin, otherwise="keep", sentence=sentence)


def lower_bound(seen: Evidence, settings: GateSettings) -> Rule:
    """A second opinion that assumes less: a few lucky large weights can narrow the difference's interval, but not this one."""
    least = seen.hosted - settings.cressie_read_tolerance * seen.span
    found = f"By empirical likelihood the candidate earns at least {seen.at_least:.4g}"
    return _support("lower_bound", seen.at_least > least, seen.at_least, least, f"{found}; more than {least:.4g} is needed.")


def not_worse(seen: Evidence, _: GateSettings) -> Rule:
    upper = seen.difference.upper
    sentence = f"The difference is at most {upper:+.4g}: " + ("harm is not shown." if upper >= 0 else "the candidate is worse.")
    return Rule(name="not_worse", passed=upper >= 0, number=upper, threshold=0.0, otherwise="keep", sentence=sentence)


def within_tolerance(seen: Evidence, settings: GateSettings) -> Rule:
    """Looks at the point only where it can be trusted to the tolerance; a noisy point would veto every other improvement."""
    value, least = seen.difference.value, -settings.tolerance * seen.span
    sure = seen.error <= settings.tolerance * seen.span
    doubted = "; a point as uncertain as this is not held against it." if value < least else ", and no less was found."
    tail = "." if sure else doubted
    sentence = f"The difference is estimated as {value:+.4g}; {least:+.4g} is tolerated{tail}"
    passed = value >= least or not sure
    return Rule(name="within_tolerance", passed=passed, number=value, threshold=least, otherwise="keep", sentence=sentence)


def guardrail(rail: Guardrail, found: Measured, least: int) -> Rule:
    """Kept back where the whole interval of the difference is worse than what is tolerated."""
    name, allowed = f"guardrail {rail.metric}", rail.tolerance * abs(found.hosted)
    if found.difference is None or found.n < least:
        told = f"{found.n:,} held-out events carry the metric `{rail.metric}`; this rule needs {least:,}."
        return Rule(name=name, passed=False, number=found.n, threshold=least, otherwise="insufficient_data", sentence=told)
    higher = rail.worse == "higher"
    edge, allowed = (found.difference.lower, allowed) if higher else (found.difference.upper, -allowed)
    passed = edge <= allowed if higher else edge >= allowed
    bound = f"at {'least' if higher else 'most'} {edge:+.4g} ({found.difference.level:.0%} level, {found.n:,} events)"
    verdict = "harm is not shown" if passed else f"worse than the {allowed:+.4g} that is tolerated"
    sentence = f"`{rail.metric}` changes by {found.difference.value:+.4g} from {found.hosted:.4g}, {bound}: {verdict}."
    return Rule(name=name, passed=passed, number=edge, threshold=allowed, otherwise="keep", sentence=sentence)


def _support(name: str, passed: bool, number: float, threshold: float, sentence: str) -> Rule:
    return Rule(name=name, passed=passed, number=number, threshold=threshold, otherwise="insufficient_support", sentence=sentence)


_NO_HARM: tuple[Check, ...] = (possible_actions, logged_actions, overlap, expected_weight, not_worse, within_tolerance)
_STRICT: tuple[Check, ...] = (possible_actions, logged_actions, overlap, mean_weight, ess, not_the_same, better, lower_bound)

CHECKS: Mapping[str, tuple[Check, ...]] = MappingProxyType({"no_harm": _NO_HARM, "strict": _STRICT, "always": _NO_HARM})
"""By `gate.rule`, in the order they are asked: support first, because without it the comparison means nothing."""

_BOX_NO_HARM: tuple[Check, ...] = (box_ess, box_weight, not_worse, within_tolerance)
_BOX_STRICT: tuple[Check, ...] = (box_ess, box_weight, not_the_same, better, lower_bound)

BOX_CHECKS: Mapping[str, tuple[Check, ...]] = MappingProxyType(
    {"no_harm": _BOX_NO_HARM, "strict": _BOX_STRICT, "always": _BOX_NO_HARM}
)
"""The same where actions are points of a box."""
