"""A script as people wrote it against the 2019 class, in the shape of the bandits notebook. Only its import is ours.

    python notebook_2019.py CONFIG EXPERIMENT

Prints one line of JSON at its end.
"""

import json
import sys

import numpy as np
import yaml
from sklearn.datasets import make_classification

from rewardloop.compat.sagemaker import ExperimentManager

ARMS, BATCHES, BATCH = 7, 3, 300


class Simulator:
    """Labelled data as a bandit: the reward is 1 where the action is the class."""

    def __init__(self, predictor, seed=0):
        weights = [0.78, 0.03, 0.02, 0.08, 0.05, 0.02, 0.02]
        self.X, y = make_classification(
            6_000, 9, n_informative=7, n_redundant=0, n_classes=ARMS, n_clusters_per_class=1, weights=weights, class_sep=2.5,
            random_state=seed,
        )  # fmt: skip
        self.y = y + 1
        self.generator = np.random.default_rng(seed)
        self.predictor = predictor
        self.at = 0

    def observation(self):
        self.at = (self.at + 1) % len(self.X)
        return self.X[self.at], self.y[self.at]

    def warm_start(self, n):
        rows = []
        for i in range(n):
            context, label = self.observation()
            action = int(self.generator.integers(ARMS)) + 1
            rows.append(
                {
                    "reward": int(action == label),
                    "event_id": 1_000 + i,
                    "action": action,
                    "action_prob": 1 / ARMS,
                    "model_id": "sample",
                    "observation": context.tolist(),
                    "sample_prob": self.generator.uniform(0.0, 1.0),
                }
            )
        return rows

    def play(self, n):
        rewards, total = [], 0
        for _ in range(n):
            context, label = self.observation()
            action, event_id, model_id, action_prob, sample_prob = self.predictor.get_action(obs=context)
            assert model_id == self.predictor.get_hosted_model_id()
            assert 0 < action_prob <= 1
            assert 0 <= sample_prob <= 1
            total += action == label
            rewards.append({"reward": int(action == label), "event_id": event_id})
        return rewards, total / n


def main(config_file, experiment_name):
    with open(config_file) as yaml_file:
        config = yaml.load(yaml_file, Loader=yaml.FullLoader)
    bandit = ExperimentManager(config, experiment_id=experiment_name)
    sim = Simulator(bandit.predictor)

    bandit.ingest_joined_data(sim.warm_start(100), ratio=0.8)
    states = [bandit._jsonify()["joining_workflow_metadata"]["joining_state"]]
    bandit.initialize_first_model(input_data_s3_prefix=bandit.last_joined_job_train_data)
    bandit.deploy_model(model_id=bandit.last_trained_model_id)

    sim.predictor = bandit.predictor
    means, scores, deployed = [], [], []
    for _ in range(BATCHES):
        rewards, mean = sim.play(BATCH)
        means.append(mean)
        bandit.cw_logger.publish_rewards_for_simulation(bandit.experiment_id, mean)
        prefix = bandit.ingest_rewards(rewards)
        bandit.join(prefix, ratio=0.7)
        bandit.train_next_model(input_data_s3_prefix=bandit.last_joined_job_train_data)
        costs = []
        for model_id in (bandit.last_trained_model_id, bandit.last_hosted_model_id):
            bandit.evaluate_model(input_data_s3_prefix=bandit.last_joined_job_eval_data, evaluate_model_id=model_id)
            costs.append(bandit.get_eval_score(evaluate_model_id=model_id, eval_data_path=bandit.last_joined_job_eval_data))
        scores.append(costs)
        if costs[0] <= costs[1]:
            bandit.deploy_model(model_id=bandit.last_trained_model_id)
            deployed.append(bandit.last_hosted_model_id)
            sim.predictor = bandit.predictor
    record = bandit._jsonify()
    dashboard = bandit.get_cloudwatch_dashboard_details()
    train = bandit.last_joined_job_train_data
    bandit.clean_resource(experiment_id=bandit.experiment_id)
    bandit.clean_table_records(experiment_id=bandit.experiment_id)
    told = {"means": means, "scores": scores, "deployed": deployed, "record": record, "dashboard": dashboard, "states": states}
    print(json.dumps({**told, "train": train, "after": bandit._jsonify()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
