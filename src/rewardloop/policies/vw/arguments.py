"""Settings → Vowpal Wabbit's command line. Knows flags and their traps; opens nothing.

Always action-dependent features (`--cb_explore_adf`): the fixed-arm reductions are rewritten to it since 8.11, and badly.
Three namespaces: `s` the context, `a` one action, `x` what of a very long context is not crossed with itself.
Interactions by name have letters of their own, see `namespaces`.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Final

from rewardloop.errors import InvalidSettings
from rewardloop.policies.namespaces import Namespaces
from rewardloop.settings import ExperimentSettings, PolicySettings

MTR_ONLY: Final = ("squarecb", "regcb", "regcbopt")
COVER_TYPES: Final = ("mtr", "dr", "ips")

_CLASSIFIER: Final = 4.0
"""CATS' classifiers want so much smaller steps than regressions."""
_COST_RANGE: Final = ["--cb_min_cost", "0", "--cb_max_cost", "1"]

_FORBIDDEN: Final = frozenset(
    shlex.split(
        "-d --data -i --initial_regressor -f --final_regressor -t --testonly -p --predictions -r --raw_predictions -c --cache "
        "--cache_file -k --kill_cache --daemon --foreground --port --port_file --num_children --pid_file --json --dsjson --hash "
        "-b --bit_precision --cb_explore_adf --cb_type --random_seed --predict_only_model --save_per_pass --passes "
        "--readable_model --invert_hash --input_feature_regularizer --output_feature_regularizer_binary "
        "--output_feature_regularizer_text "
        "--audit_regressor --no_stdin --dry_run --help -h --version --args --stdin_off --save_resume --feature_mask --dictionary "
        "--dictionary_path --span_server --extra_metrics --quiet --driver_output_off --driver_output --log_output"
    )
)
"""Files, sockets, modes and what the policy decides itself."""


def learner_arguments(settings: ExperimentSettings, crossed: int, bits: int | None = None) -> list[str]:
    """Everything but files and seed; `crossed` > 0 adds the context's features in pairs. Raises `InvalidSettings`.

    `bits` other than the settings' are for a trial that needs no room for weights.

    >>> exploring = PolicySettings(exploration="regcbopt")
    >>> " ".join(learner_arguments(ExperimentSettings(experiment="offers", policy=exploring), crossed=0))
    '--cb_explore_adf --cb_type mtr --regcb --regcbopt --mellowness 0.001 --cb_min_cost 0 --cb_max_cost 1
     -l 2.0 -b 20 --interactions sa --json --quiet'
    """
    _check(settings)
    policy = settings.policy
    return [
        *("--cb_explore_adf", "--cb_type", policy.learner.cb_type, *_EXPLORATIONS[settings.exploration](policy)),
        *("-l", str(policy.learner.learning_rate), "-b", str(bits or policy.learner.bits)),
        *(*_interactions(settings, crossed), "--json", "--quiet"),
        *extra_arguments(policy.learner.arguments),
    ]


def cats_arguments(settings: ExperimentSettings, n_cells: int) -> list[str]:
    """Those of a tree over cells of width 1, `c` what is crossed; everything but files and seed. Raises `InvalidSettings`.

    >>> tree = PolicySettings(exploration="cats", bandwidth=2)
    >>> " ".join(cats_arguments(ExperimentSettings(experiment="heating", policy=tree), n_cells=16))
    '--cats_pdf 16 --min_value 0 --max_value 16 --bandwidth 2.5 --epsilon 0.05 -l 0.5 -b 20
     --interactions cc --quiet'
    """
    policy = settings.policy
    return [
        *("--cats_pdf", str(n_cells), "--min_value", "0", "--max_value", str(n_cells)),
        *("--bandwidth", str(policy.bandwidth + 0.5), "--epsilon", str(policy.epsilon)),
        *("-l", str(policy.learner.learning_rate / _CLASSIFIER), "-b", str(policy.learner.bits)),
        *("--interactions", "cc", "--quiet", *extra_arguments(policy.learner.arguments)),
    ]


def _interactions(settings: ExperimentSettings, crossed: int) -> list[str]:
    named = settings.policy.learner.interactions
    if isinstance(named, tuple):
        return Namespaces(named).arguments()
    return ["--interactions", "sa", *(["--interactions", "ssa", "--interactions", "xa"] if crossed else [])]


def extra_arguments(text: str) -> list[str]:
    """The words of `arguments`; raises `InvalidSettings` for those that would take the policy out of our hands."""
    at = "$.policy.learner.arguments"
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InvalidSettings(f"Expected Vowpal Wabbit arguments: {error}", at=at) from None
    for word in words:
        flag = word.split("=")[0] if word.startswith("--") else word[:2]
        if flag in _FORBIDDEN:
            raise InvalidSettings(f"`{flag}` is not for `arguments`: files, modes and seeds are the platform's business", at=at)
    return words


def _check(settings: ExperimentSettings) -> None:
    exploration, cb_type = settings.exploration, settings.policy.learner.cb_type
    if exploration not in _EXPLORATIONS:
        raise InvalidSettings(f"`{exploration}` is not one of Vowpal Wabbit's explorations", at="$.policy.exploration")
    allowed = ("mtr",) if exploration in MTR_ONLY else COVER_TYPES
    if (exploration in MTR_ONLY or exploration == "cover") and cb_type not in allowed:
        raise InvalidSettings(
            f"`{exploration}` works with cb_type {' or '.join(f'`{name}`' for name in allowed)}, got `{cb_type}`",
            at="$.policy.learner.cb_type",
        )


def _squarecb(policy: PolicySettings) -> list[str]:
    gamma = ["--gamma_scale", str(policy.gamma_scale), "--gamma_exponent", str(policy.gamma_exponent)]
    return ["--squarecb", "--elim", *gamma, "--mellowness", str(policy.mellowness), *_COST_RANGE]


def _regcb(policy: PolicySettings) -> list[str]:
    return ["--regcb", "--mellowness", str(policy.mellowness), *_COST_RANGE]


def _regcbopt(policy: PolicySettings) -> list[str]:
    return ["--regcb", "--regcbopt", "--mellowness", str(policy.mellowness), *_COST_RANGE]


def _rnd(policy: PolicySettings) -> list[str]:
    width = ["--rnd_alpha", str(policy.rnd_alpha), "--rnd_invlambda", str(policy.rnd_invlambda)]
    return ["--rnd", str(policy.rnd_networks), *width, "--epsilon", str(policy.epsilon)]


def _synthcover(policy: PolicySettings) -> list[str]:
    return ["--synthcover", "--synthcoverpsi", str(policy.synthcover_psi), "--synthcoversize", str(policy.synthcover_size)]


_EXPLORATIONS: Final[dict[str, Callable[[PolicySettings], list[str]]]] = {
    "egreedy": lambda policy: ["--epsilon", str(policy.epsilon)],
    "bag": lambda policy: ["--bag", str(policy.num_policies), "--greedify"],
    "cover": lambda policy: ["--cover", str(policy.num_policies), "--psi", str(policy.psi)],
    "softmax": lambda policy: ["--softmax", "--lambda", str(policy.lambda_)],
    "first": lambda policy: ["--first", str(policy.tau)],
    "squarecb": _squarecb,
    "regcb": _regcb,
    "regcbopt": _regcbopt,
    "rnd": _rnd,
    "synthcover": _synthcover,
    "automl": lambda policy: ["--automl", str(policy.num_policies), "--epsilon", str(policy.epsilon)],
    "epsilon_decay": lambda policy: ["--epsilon_decay", "--model_count", str(policy.num_policies)],
}
