"""What every command of `rewardloop rl` is for, with examples. It stands here so that help imports no command."""

from __future__ import annotations

from rewardloop.cli.commands import Command

TRAIN, JUDGE, LOOK = "Train", "Judge and use", "Look"

RL_COMMANDS = (
    Command(
        "train",
        TRAIN,
        "Train a policy on an environment, or go on with a run.",
        "Everything of a run is in DATA/rl/RUN: run.json (settings, seeds, versions, status), checkpoints, best, progress.jsonl, "
        "TensorBoard event files. Kill it at any time and go on with --resume RUN. With --script your own script trains.",
        (
            "rewardloop rl train --env CartPole-v1 --algo ppo --steps 50000",
            "rewardloop rl train --env mine:Boiler --algo sac --normalise -p gamma=0.9",
            "rewardloop rl train --resume ppo-cartpole-v1-1 --steps 100000",
            "rewardloop rl train --script train.py --env CartPole-v1 --param gamma=0.9",
        ),
    ),
    Command(
        "algorithms",
        LOOK,
        "The matrix: which algorithm takes which actions, by which toolkit.",
        "",
        ("rewardloop rl algorithms", "rewardloop rl algorithms --env CartPole-v1 --json"),
    ),
    Command(
        "runs",
        LOOK,
        "Every run: its environment, its status, how far it is, its best.",
        "",
        ("rewardloop rl runs", "rewardloop rl runs ppo-cartpole-v1-1 --json"),
    ),
)
