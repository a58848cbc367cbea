"""What the peers of `benchmarks.evaluation_speed` need: run in an environment of their own, whose numpy is not ours. Prints JSON.

Open Bandit Pipeline (the wheel of `sb-obp`) and `vw-estimators` on the same made events. What cannot be imported is named as
missing, with the reason; nothing is invented for it.
"""

import json
import sys
import time
import warnings

import numpy as np

warnings.simplefilter("ignore")

LAMBDAS = [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0]


def made(n, k):
    """The same numbers as `benchmarks.evaluation_speed.made`: legacy generators give the same bits in every numpy."""
    generator = np.random.RandomState(0)
    logged, target = (generator.exponential(size=(n, k)) + 0.05 for _ in range(2))
    logged /= logged.sum(axis=1, keepdims=True)
    target /= target.sum(axis=1, keepdims=True)
    action = (logged.cumsum(axis=1) > generator.random_sample((n, 1)) * logged.sum(axis=1, keepdims=True)).argmax(axis=1)
    reward, q = generator.random_sample(n), generator.random_sample((n, k))
    return logged, target, action, reward, q


def timed(run, n):
    took, value = [], None
    for _ in range(3):
        start = time.process_time()
        value = run()
        took.append(time.process_time() - start)
    return {"million_rows_a_second": n / max(min(took), 1e-6) / 1e6, "value": float(value)}


def obp(n, k):
    from obp.ope import DoublyRobust, DoublyRobustWithShrinkageTuning, InverseProbabilityWeighting  # noqa: PLC0415 - may be missing

    logged, target, action, reward, q = made(n, k)
    common = {
        "reward": reward,
        "action": action,
        "pscore": logged[np.arange(n), action],
        "action_dist": target[:, :, None],
        "position": np.zeros(n, dtype=int),
    }
    modelled = {**common, "estimated_rewards_by_reg_model": q[:, :, None]}
    tuned = DoublyRobustWithShrinkageTuning(lambdas=LAMBDAS, tuning_method="mse")
    return {
        "ips": timed(lambda: InverseProbabilityWeighting().estimate_policy_value(**common), n),
        "dr": timed(lambda: DoublyRobust().estimate_policy_value(**modelled), n),
        "dros": timed(lambda: tuned.estimate_policy_value(**modelled), n),
    }


def vw_estimators(n, k):
    from estimators.bandits import cressieread, cs  # noqa: PLC0415 - may be missing

    logged, target, action, reward, _ = made(n, k)
    p_log, p_pred = logged[np.arange(n), action].tolist(), target[np.arange(n), action].tolist()
    events = list(zip(p_log, reward.tolist(), p_pred, strict=True))

    def read(estimator, get):
        for p, r, pi in events:
            estimator.add_example(p, r, pi)
        return get(estimator)

    return {
        "cressie_read": timed(lambda: read(cressieread.Estimator(), lambda e: e.get()), n),
        "sequence": timed(lambda: read(cs.Interval(), lambda e: e.get()[0]), n),
    }


def main(n, n_slow, k):
    found = {}
    for name, run, rows in (("obp", obp, n), ("vw_estimators", vw_estimators, n_slow)):
        try:
            found[name] = run(rows, k)
        except ImportError as error:
            found[name] = {"missing": str(error)}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
