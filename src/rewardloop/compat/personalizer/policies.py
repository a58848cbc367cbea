"""Personalizer's policy, which is Vowpal Wabbit's command line, and the settings of ours that say the same. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from rewardloop.compat.personalizer.replies import Unsupported
from rewardloop.compat.personalizer.share import share, shared
from rewardloop.errors import InvalidInput, did_you_mean
from rewardloop.settings import ExperimentSettings, PolicySettings
from rewardloop.settings.expected import expected, type_at


class _Value(NamedTuple):
    """A flag with a value: the setting that holds it, and the exploration it chooses, if any."""

    setting: str
    exploration: str = ""


_VALUES: Final[Mapping[str, _Value]] = MappingProxyType({
    "--cb_type": _Value("learner.cb_type"), "--learning_rate": _Value("learner.learning_rate"),
    "--bit_precision": _Value("learner.bits"), "--epsilon": _Value("epsilon"), "--bag": _Value("num_policies", "bag"),
    "--cover": _Value("num_policies", "cover"), "--psi": _Value("psi"), "--lambda": _Value("lambda"),
    "--first": _Value("tau", "first"), "--gamma_scale": _Value("gamma_scale"), "--gamma_exponent": _Value("gamma_exponent"),
    "--mellowness": _Value("mellowness"), "--rnd": _Value("rnd_networks", "rnd"), "--rnd_alpha": _Value("rnd_alpha"),
    "--rnd_invlambda": _Value("rnd_invlambda"), "--synthcoverpsi": _Value("synthcover_psi"),
    "--synthcoversize": _Value("synthcover_size"), "--alpha": _Value("alpha"),
})  # fmt: skip
_SHORT: Final = {"-l": "--learning_rate", "-b": "--bit_precision", "-q": "--quadratic"}
_EXPLORING: Final = {
    "--softmax": "softmax", "--squarecb": "squarecb", "--regcb": "regcb", "--regcbopt": "regcbopt", "--synthcover": "synthcover",
    "--lints": "lints", "--linucb": "linucb", "--neural": "neural", "--uniform": "uniform",
}  # fmt: skip
_IMPLIED: Final = {"--cb_explore_adf": "", "--elim": "squarecb", "--greedify": "bag"}
"""Said by what we run anyway; where it is so for one exploration only, which one."""
_PASSED: Final = ("--power_t", "--l1", "--l2", "--initial_t", "--decay_learning_rate")
_PASSED_FLAGS: Final = ("--adaptive", "--normalized", "--invariant", "--sgd", "--coin", "--noconstant")
_CROSSED: Final = ("--quadratic", "--interactions")
_BESIDE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "egreedy": ("epsilon",), "bag": ("num_policies",), "cover": ("num_policies", "psi"), "softmax": ("lambda",), "first": ("tau",),
    "squarecb": ("gamma_scale", "gamma_exponent", "mellowness"), "regcb": ("mellowness",), "regcbopt": ("mellowness",),
    "rnd": ("rnd_networks", "epsilon", "rnd_alpha", "rnd_invlambda"), "synthcover": ("synthcover_psi", "synthcover_size"),
    "lints": ("alpha",), "linucb": ("alpha",), "neural": ("alpha",), "uniform": (),
})  # fmt: skip
"""The settings that an exploration looks at."""
_LINEAR: Final = ("lints", "linucb", "neural", "uniform")
_ATTACHED = re.compile(r"(-[lbq])(.+)", re.DOTALL)


def parse_policy(arguments: str, floor: float, at: str = "$.arguments") -> PolicySettings:
    """The settings that say what the arguments say. Raises `Unsupported` for one that none says, by name.

    `--epsilon` is all that `egreedy` explores, the floor included; without it that is the floor.

    >>> found = parse_policy("--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::", floor=0.1)
    >>> found.exploration, found.epsilon, found.learner.learning_rate, found.learner.interactions, found.learner.arguments
    ('egreedy', 0.111111111, 0.001, 'quadratic', '--power_t 0')
    """
    read = _Read(at)
    for flag, value in _words(arguments, at):
        read.take(flag, value)
    return read.settings(floor)


def render_policy(settings: ExperimentSettings) -> str:
    """Arguments that `parse_policy` reads as these settings, but for what Vowpal Wabbit has no word for.

    >>> render_policy(ExperimentSettings(experiment="shop", policy=PolicySettings(exploration="regcbopt")))
    '--cb_explore_adf --regcb --regcbopt --mellowness 0.001 --cb_type mtr -l 2.0 -b 20'
    """
    policy, exploration = settings.policy, settings.exploration
    values = msgspec.to_builtins(policy)
    if exploration == "egreedy":
        values["epsilon"] = share(settings)
    flags = {"egreedy": [], "regcbopt": ["--regcb", "--regcbopt"]}.get(exploration, [f"--{exploration}"])
    names = {value.setting: flag for flag, value in _VALUES.items() if value.exploration in ("", exploration)}
    if names.get(_BESIDE[exploration][0] if _BESIDE[exploration] else "") == f"--{exploration}":
        flags = []
    beside = [word for setting in _BESIDE[exploration] for word in (names[setting], str(values[setting]))]
    if exploration in _LINEAR:
        return " ".join([*flags, *beside])
    learner = policy.learner
    crossed = ["-q", "::"] if learner.interactions == "quadratic" else []
    learned = ["--cb_type", learner.cb_type, "-l", str(learner.learning_rate), "-b", str(learner.bits), *crossed]
    return " ".join(["--cb_explore_adf", *flags, *beside, *learned, *shlex.split(learner.arguments)])


class _Read:
    """Arguments, read one by one."""

    def __init__(self, at: str) -> None:
        self._at = at
        self._values: dict[str, str] = {}
        self._explorations: list[str] = []
        self._implying: list[tuple[str, str]] = []
        self._passed: list[str] = []
        self._crossed = False

    def take(self, flag: str, value: str | None) -> None:
        if flag in _VALUES:
            self._set(flag, _VALUES[flag], self._needed(flag, value))
        elif flag in _PASSED:
            self._passed += [flag, self._number(flag, self._needed(flag, value))]
        elif flag in _CROSSED:
            self._cross(flag, self._needed(flag, value))
        elif flag not in (*_EXPLORING, *_IMPLIED, *_PASSED_FLAGS):
            raise self._error(_unknown(flag))
        elif value is not None:
            raise self._error(f"Expected no value after `{flag}`, got `{value[:40]}`")
        elif flag in _EXPLORING:
            self._explorations.append(_EXPLORING[flag])
        elif flag in _IMPLIED:
            self._implying.append((flag, _IMPLIED[flag]))
        else:
            self._passed.append(flag)

    def settings(self, floor: float) -> PolicySettings:
        exploration = self._exploration()
        for setting in self._values:
            if "." not in setting and setting not in _BESIDE[exploration]:
                flag = next(flag for flag, value in _VALUES.items() if value.setting == setting)
                hint = "; explorationPercentage explores beside it" if setting == "epsilon" else ""
                raise self._error(f"`{flag}` says nothing to `{exploration}`: leave it out{hint}")
        for flag, implied in self._implying:
            if implied and implied != exploration:
                raise self._error(f"`{flag}` says nothing to `{exploration}`: leave it out")
        learner: dict[str, str] = {name[8:]: value for name, value in self._values.items() if name.startswith("learner.")}
        plain: dict[str, object] = {name: value for name, value in self._values.items() if "." not in name}
        crossed = {"interactions": "quadratic"} if self._crossed else {}
        document = {
            **plain,
            "exploration": exploration,
            "floor": floor,
            "learner": {**learner, **crossed, "arguments": " ".join(self._passed)},
        }
        try:
            found = msgspec.convert(document, PolicySettings, strict=False)
        except msgspec.ValidationError as error:
            raise InvalidInput(self._out_of_bounds(str(error)), at=self._at) from None
        if exploration != "egreedy":
            return found
        floor, epsilon = shared(floor, found.epsilon if "epsilon" in self._values else None)
        return replace(found, floor=floor, epsilon=epsilon)

    def _out_of_bounds(self, told: str) -> str:
        """In the words of who wrote the arguments."""
        setting = told.rpartition(" - at `$.")[2].removesuffix("`")
        flag = next((flag for flag, value in _VALUES.items() if value.setting == setting), None)
        if flag is None or setting not in self._values:
            return told
        return f"Expected {expected(type_at(f'$.policy.{setting}'))} after `{flag}`, got `{self._values[setting][:40]}`"

    def _exploration(self) -> str:
        found = list(dict.fromkeys(self._explorations))
        if set(found) == {"regcb", "regcbopt"}:
            return "regcbopt"
        if len(found) > 1:
            raise self._error(f"Expected one way to explore, got {' and '.join(f'`{each}`' for each in found)}")
        return found[0] if found else "egreedy"

    def _set(self, flag: str, value: _Value, text: str) -> None:
        if value.exploration:
            self._explorations.append(value.exploration)
            self._exploration()
        if self._values.setdefault(value.setting, text) != text:
            raise self._error(f"Expected `{flag}` once, got it with {self._values[value.setting]} and with {text[:40]}")

    def _cross(self, flag: str, text: str) -> None:
        if len(text) != 2:
            message = f"`{flag} {text[:40]}` cannot be said here: features are crossed in pairs (`-q ::`), and with each action"
            raise self._error(message)
        self._crossed = True

    def _needed(self, flag: str, value: str | None) -> str:
        if value is None:
            raise self._error(f"Expected a value after `{flag}`, got none")
        return value

    def _number(self, flag: str, text: str) -> str:
        try:
            msgspec.convert(text, float, strict=False)
        except msgspec.ValidationError:
            raise self._error(f"Expected a number after `{flag}`, got `{text[:40]}`") from None
        return text

    def _error(self, message: str) -> Unsupported:
        return Unsupported(message, at=self._at)


def _words(arguments: str, at: str) -> Iterator[tuple[str, str | None]]:
    """Each flag by its long name, with its value."""
    try:
        words = shlex.split(arguments)
    except ValueError as error:
        raise InvalidInput(f"Expected Vowpal Wabbit arguments: {error}", at=at) from None
    pending = iter([*words, ""])
    word = next(pending)
    while word:
        attached, (flag, equals, value) = _ATTACHED.fullmatch(word), word.partition("=")
        following = next(pending)
        if attached:
            yield _SHORT[attached[1]], attached[2].removeprefix("=")
        elif equals:
            yield _SHORT.get(flag, flag), value
        elif following and not _is_flag(following):
            yield _SHORT.get(flag, flag), following
            following = next(pending)
        else:
            yield _SHORT.get(flag, flag), None
        word = following


def _is_flag(word: str) -> bool:
    return word[:1] == "-" and not word[1:2].isdigit() and word[1:2] != "."


def _unknown(flag: str) -> str:
    known = [*_VALUES, *_EXPLORING, *_IMPLIED, *_PASSED, *_PASSED_FLAGS, *_CROSSED, *_SHORT]
    return f"`{flag[:40]}` cannot be said in settings here: leave it out{did_you_mean(flag[:40], known)}"
