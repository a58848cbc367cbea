"""What the peer of `benchmarks.evaluation_accuracy` needs: run in an environment of its own, whose numpy is not ours. Prints JSON.

Open Bandit Pipeline (the wheel of `sb-obp`) on logs that were written by ours, one file each: every estimator of its own that
needs no trained classifier, tuned ones by SLOPE and by estimated squared error, with its cross-fitted `RegressionModel` over three
learners. By estimator and learner: the estimates, log by log.
"""

import json
import sys
import warnings

import numpy as np
from obp.ope import (
    DirectMethod,
    DoublyRobust,
    InverseProbabilityWeighting,
    RegressionModel,
    SelfNormalizedDoublyRobust,
    SelfNormalizedInverseProbabilityWeighting,
)
from obp.ope.estimators_tuning import (
    DoublyRobustWithShrinkageTuning,
    InverseProbabilityWeightingTuning,
    SwitchDoublyRobustTuning,
)
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("ignore")

LAMBDAS = [10.0, 50.0, 100.0, 500.0, 1e3, 5e3, 1e4, float("inf")]
LEARNERS = {
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    "ridge": lambda: make_pipeline(StandardScaler(), Ridge()),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=100, max_depth=5, min_samples_leaf=10, random_state=0),
}
N_FOLDS = 3


def tuned(kind):
    return {f"{kind.__name__} {rule}": kind(lambdas=LAMBDAS, tuning_method=rule) for rule in ("slope", "mse")}


PLAIN = {
    "IPW": InverseProbabilityWeighting(),
    "SNIPW": SelfNormalizedInverseProbabilityWeighting(),
    **tuned(InverseProbabilityWeightingTuning),
}
MODELLED = {
    "DM": DirectMethod(),
    "DR": DoublyRobust(),
    "SNDR": SelfNormalizedDoublyRobust(),
    **tuned(SwitchDoublyRobustTuning),
    **tuned(DoublyRobustWithShrinkageTuning),
}


def estimates(log, seed):
    """By estimator and learner; a learner that cannot learn (one class of reward in a fold) is left out."""
    given = {
        "reward": log["reward"],
        "action": log["action"],
        "pscore": log["probability"],
        "action_dist": log["target"][:, :, None],
        "position": np.zeros(len(log["action"]), dtype=int),
    }
    found = {name: float(estimator.estimate_policy_value(**given)) for name, estimator in PLAIN.items()}
    for learner, new in LEARNERS.items():
        model = RegressionModel(n_actions=int(log["target"].shape[1]), base_model=new())
        known = {"context": log["context"], "action": log["action"], "reward": log["reward"]}
        try:
            q = model.fit_predict(**known, n_folds=N_FOLDS, random_state=seed)
        except ValueError:
            continue
        for name, estimator in MODELLED.items():
            found[f"{name}, {learner}"] = float(estimator.estimate_policy_value(**given, estimated_rewards_by_reg_model=q))
    return found


if __name__ == "__main__":
    for seed, path in enumerate(sys.argv[1:]):
        with np.load(path) as read:
            print(json.dumps(estimates(dict(read), seed)), flush=True)
