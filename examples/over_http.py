"""A client of a running server, which knows nothing of models: it asks, acts, and says what came of it.

rewardloop serve examples/offers.yaml      # in one terminal
rewardloop run examples/offers.yaml        # in another
python examples/over_http.py http://127.0.0.1:8080
"""

import sys

import numpy as np

from rewardloop import Client

ROUNDS = 2_000
BLOCK = 500

url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
generator = np.random.default_rng(0)

with Client(url, "offers") as offers:
    earned = 0.0
    for n in range(1, ROUNDS + 1):
        # A visitor arrives. Who is young likes green, who is on ios likes red, blue is for nobody in particular.
        age, os = int(generator.integers(18, 80)), str(generator.choice(["ios", "android"]))
        likes = {"green": 0.8 if age < 40 else 0.1, "red": 0.6 if os == "ios" else 0.1, "blue": 0.2}

        # Ask, and keep the event id with whatever is shown: it is all that a reward needs.
        decided = offers.decide({"age": age, "device": {"os": os}})

        # Report what it was worth. A retry does no harm: the first reward of an event counts.
        reward = float(generator.random() < likes[decided.action])
        offers.reward(decided.event_id, reward)
        earned += reward

        if n % BLOCK == 0:
            print(f"{n:>5} rounds, mean reward of the last {BLOCK}: {earned / BLOCK:.3f}, by {decided.model_id}", flush=True)
            earned = 0.0
