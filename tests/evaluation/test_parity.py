"""Numbers of a peer on the same events: Open Bandit Pipeline, sb-obp 0.5.10, given this log, this policy and this reward model."""

import numpy as np
import pytest

from bandit_worlds import interactions
from rewardloop.evaluation import Sample, dm, dr, ips, sample, sndr, snips
from rewardloop.evaluation.estimators import shrinking

LOGGED = [
    [0.331, 0.476, 0.193], [0.677, 0.155, 0.168], [0.063, 0.309, 0.628], [0.479, 0.32, 0.201],
    [0.607, 0.171, 0.222], [0.164, 0.358, 0.478], [0.219, 0.664, 0.117], [0.39, 0.194, 0.416],
    [0.578, 0.239, 0.183], [0.148, 0.685, 0.167], [0.139, 0.606, 0.255], [0.517, 0.291, 0.192],
]  # fmt: skip
TARGET = [
    [0.233, 0.295, 0.472], [0.604, 0.242, 0.154], [0.239, 0.009, 0.752], [0.0, 0.991, 0.009],
    [0.559, 0.094, 0.347], [0.295, 0.693, 0.012], [0.232, 0.353, 0.415], [0.269, 0.034, 0.697],
    [0.055, 0.928, 0.017], [0.262, 0.665, 0.073], [0.25, 0.667, 0.083], [0.86, 0.137, 0.003],
]  # fmt: skip
Q = [
    [0.316, 0.183, 0.88], [0.812, 0.668, 0.958], [0.926, 0.748, 0.861], [0.247, 0.141, 0.67],
    [0.715, 0.167, 0.396], [0.91, 0.561, 0.578], [0.194, 0.526, 0.523], [0.089, 0.982, 0.571],
    [0.006, 0.773, 0.978], [0.59, 0.32, 0.188], [0.673, 0.195, 0.578], [0.602, 0.962, 0.072],
]  # fmt: skip
ACTION = [1, 1, 0, 0, 0, 2, 1, 2, 2, 0, 2, 0]
REWARD = [0.381, 0.43, 0.489, 0.976, 0.776, 0.309, 0.27, 0.863, 0.881, 0.511, 0.344, 0.995]
EVENTS = sample(interactions(LOGGED, ACTION, REWARD), np.ravel(TARGET), np.ravel(Q))


def shrunk(shrinking, strength):
    """With a strength that is given, as the peer takes it."""

    def estimator(events: Sample):
        return events.direct + shrinking(events.weight, strength) * (events.reward - events.fitted)

    return estimator


def clipped(events: Sample):
    return shrinking.clip(events.weight, 1.5) * events.reward


PEER = [
    (ips, 0.652332526193179),
    (snips, 0.6030844934539994),
    (dm, 0.5496093333333333),
    (dr, 0.45999023478689005),
    (sndr, 0.4667560545521979),
    (clipped, 0.5189888750183732),  # InverseProbabilityWeighting(lambda_=1.5)
    (shrunk(shrinking.switch, 2.0), 0.5981423511890064),  # SwitchDoublyRobust(lambda_=2.0)
    (shrunk(shrinking.shrink, 2.0), 0.5450507637000346),  # DoublyRobustWithShrinkage(lambda_=4.0): theirs is the square
]


@pytest.mark.parametrize(("estimator", "value"), PEER)
def test_the_peer_says_the_same(estimator, value):
    assert estimator(EVENTS).mean() == pytest.approx(value, abs=1e-12)
