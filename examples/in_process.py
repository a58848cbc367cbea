"""The whole loop in one process, without a server: decide, reward, and now and then a turn of the loop.

python examples/in_process.py
"""

import tempfile

import numpy as np

from rewardloop import Experiment, ExperimentSettings

ROUNDS = 2_000
BLOCK = 500

generator = np.random.default_rng(0)
settings = ExperimentSettings(experiment="offers", actions=("red", "green", "blue"))

with tempfile.TemporaryDirectory() as data, Experiment.open(settings, data) as offers:
    earned = 0.0
    for n in range(1, ROUNDS + 1):
        # A visitor arrives. Who is young likes green, who is on ios likes red, blue is for nobody in particular.
        age, os = int(generator.integers(18, 80)), str(generator.choice(["ios", "android"]))
        likes = {"green": 0.8 if age < 40 else 0.1, "red": 0.6 if os == "ios" else 0.1, "blue": 0.2}

        # Ask. What was decided, with its probability, is on disk before this returns. Without an id one is made; chance follows
        # from the id, so with ids of your own the same visitors are shown the same, run after run.
        decision = offers.decide({"age": age, "device": {"os": os}}, event_id=f"visit-{n}")

        # The visitor clicks or does not. Usually that is known much later, and by another process.
        action = ("red", "green", "blue")[decision.action]
        reward = float(generator.random() < likes[action])
        offers.reward(decision.event_id, reward)
        earned += reward

        # Join, train, evaluate, and host the new model if the gate lets it pass.
        if n % BLOCK == 0:
            report = offers.turn()
            print(f"{n:>5} rounds, mean reward of the last {BLOCK}: {earned / BLOCK:.3f}")
            print(f"      {report.model_id}: {report.summary}")
            earned = 0.0
