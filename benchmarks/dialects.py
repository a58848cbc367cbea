"""What a foreign dialect costs over the native call: CPU of the server for the same decisions, side by side in one run.

    python -m benchmarks.dialects [--seconds 9]

Each dialect asks what the native API is asked, in its own words: the same contexts and actions, one worker, everything logged
before it is answered. Native and foreign rounds, fifteen short ones, alternate: the least CPU of each is told, and the median of
the ratios of a pair. Prints a JSON document.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.offers import features, host
from benchmarks.serve import ARMS, ARTICLES, Bench, Call, server, side_by_side
from rewardloop.actions import fixed_actions, parse_actions
from rewardloop.clock import SystemClock
from rewardloop.compat.personalizer.target import API_VERSION
from rewardloop.registry.catalog import Catalog

BODIES = 2_000
ROUNDS = 15
"""Ratios near one need more of them than the load that is measured alone."""
PERSONALIZER = "/experiments/articles/personalizer"


def arms(rng: np.random.Generator) -> tuple[Call, Call]:
    """Ten numbers to an experiment with fixed arms: natively by the names that the dialect gives them, and as a list."""
    contexts = [features(rng, 10, "observation[{}]") for _ in range(BODIES)]
    native = [json.dumps({"context": context}).encode() for context in contexts]
    foreign = [json.dumps({"observation": list(context.values())}).encode() for context in contexts]
    return Call("/v1/experiments/arms/decide", native), Call("/endpoints/arms/invocations", foreign)


def articles(rng: np.random.Generator, repeated: bool) -> tuple[Call, Call]:
    """Twenty shared numbers and ten actions of ten: the same actions in each request, or its own."""
    catalogue = [features(rng, 10, "action[{}]") for _ in range(10)]
    native, foreign = [], []
    for _ in range(BODIES):
        shared = features(rng, 20, "shared[{}]")
        offered = catalogue if repeated else [features(rng, 10, "action[{}]") for _ in range(10)]
        actions = [{"id": str(i), "features": of} for i, of in enumerate(offered)]
        native.append(json.dumps({"context": shared, "actions": actions}).encode())
        lists = [list(of.values()) for of in offered]
        foreign.append(json.dumps({"shared_context": list(shared.values()), "actions_context": lists, "top_k": 1}).encode())
    return Call("/v1/experiments/articles/decide", native), Call("/endpoints/articles/invocations", foreign)


def personalizer(rng: np.random.Generator, repeated: bool, path: str) -> tuple[Call, Call]:
    """The same offers in Personalizer's words: one object of features for the context and for each action."""
    native, _ = articles(rng, repeated)
    foreign = []
    for body in native.bodies:
        asked = json.loads(body)
        actions = [{"id": action["id"], "features": [action["features"]]} for action in asked["actions"]]
        foreign.append(json.dumps({"contextFeatures": [asked["context"]], "actions": actions}).encode())
    return native, Call(path, foreign)


def prepare(data: Path, rng: np.random.Generator) -> None:
    """Registers the experiments, and hosts a model for each that was trained on features of the same names."""
    actions = [{"id": str(i), "features": features(rng, 10, "action[{}]")} for i in range(10)]
    with Catalog(data) as catalog:
        for settings in (ARMS, ARTICLES):
            catalog.register(settings, SystemClock().now())
    host(data, ARMS, fixed_actions(ARMS.action_ids or ()), 10, "observation[{}]")
    host(data, ARTICLES, parse_actions(json.dumps(actions).encode()), 20, "shared[{}]")


def compare(bench: Bench, native: Call, foreign: Call) -> dict[str, Any]:
    """CPU time a decision of both, and the ratio."""
    own, other, ratio = side_by_side((bench, native), (bench, foreign))
    return {"native_us": own["cpu_us"], "foreign_us": other["cpu_us"], "ratio": round(ratio, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=9.0, help="for each load")
    seconds = parser.parse_args().seconds
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as temporary:
        prepare(Path(temporary), rng)
        with server(Path(temporary)) as process:
            bench = Bench(process, seconds, ROUNDS)
            found = {
                "sagemaker_arms": compare(bench, *arms(rng)),
                "sagemaker_articles": compare(bench, *articles(rng, repeated=True)),
                "sagemaker_articles_differing": compare(bench, *articles(rng, repeated=False)),
                "personalizer_v1": compare(bench, *personalizer(rng, True, f"{PERSONALIZER}/v1.0/rank")),
                "personalizer_2022": compare(bench, *personalizer(rng, True, f"{PERSONALIZER}/rank?api-version={API_VERSION}")),
                "personalizer_differing": compare(bench, *personalizer(rng, False, f"{PERSONALIZER}/v1.0/rank")),
            }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
