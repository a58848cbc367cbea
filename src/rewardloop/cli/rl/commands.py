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
            "rewardloop rl train --episodes episodes.parquet --algo cql --steps 5000",
            "rewardloop rl train --env mine:Boiler --algo sac --normalise -p gamma=0.9",
            "rewardloop rl train --resume ppo-cartpole-v1-1 --steps 100000",
            "rewardloop rl train --script train.py --env CartPole-v1 --param gamma=0.9",
        ),
    ),
    Command(
        "tune",
        TRAIN,
        "Search for hyperparameters; killed or not, the same study goes on.",
        "Weak trials end early. A study is in DATA/rl-studies/NAME. With --report: history and importance of each hyperparameter.",
        (
            "rewardloop rl tune --env CartPole-v1 --algo ppo --trials 20",
            "rewardloop rl tune --env CartPole-v1 --search gamma=0.9:0.99 -r tuned.html",
            "rewardloop rl tune --env CartPole-v1 --trials 100 --ray ray://10.0.0.5:10001",
        ),
    ),
    Command(
        "evaluate",
        JUDGE,
        "What a trained policy earns, on seeds it never saw.",
        "The interquartile mean of the returns with a bootstrap interval, and whatever the environment measures. With --record the "
        "episodes go to a file, every action with its probability, to learn from and to evaluate other policies on.",
        (
            "rewardloop rl evaluate mine --record episodes.parquet --explore 0.1",
            "rewardloop rl evaluate ppo-cartpole-v1-1",
            "rewardloop rl evaluate ppo-cartpole-v1-1 --episodes 50 --json",
        ),
    ),
    Command(
        "off-policy",
        JUDGE,
        "What a policy would earn, from episodes another one logged.",
        "Importance sampling, fitted Q evaluation, doubly robust and MAGIC, with intervals, and one verdict. Exit code 3: the "
        "episodes cannot tell.",
        (
            "rewardloop rl off-policy episodes.parquet --policy ppo-cartpole-v1-2",
            "rewardloop rl off-policy episodes.parquet --policy mine --gamma 0.99",
        ),
    ),
    Command(
        "episodes",
        JUDGE,
        "Episodes from an experiment's own log, as a file.",
        "Events whose ids are EPISODE:STEP, from step 0, joined with their rewards as ever.",
        ("rewardloop rl episodes cart episodes.parquet",),
    ),
    Command(
        "compare",
        JUDGE,
        "Policies beside chance, schedules, the best constant and rules.",
        "All play the same episodes; with --test-param on an environment that none was trained on. Runs that differ in nothing but "
        "their seed are one row.",
        (
            "rewardloop rl compare ppo-cartpole-v1-1 a2c-cartpole-v1-1 -r compared.html",
            "rewardloop rl compare --env CartPole-v1 --controller mine:rule",
        ),
    ),
    Command(
        "enjoy",
        JUDGE,
        "One episode of a trained policy: a table, a strip chart, a film.",
        "",
        (
            "rewardloop rl enjoy ppo-cartpole-v1-1 --report episode.png",
            "rewardloop rl enjoy ppo-cartpole-v1-1 --video episode.gif",
        ),
    ),
    Command(
        "deploy",
        JUDGE,
        "Serve a trained policy in an experiment, if the gate agrees.",
        "Exports it to ONNX, checks that it acts as the policy does, registers it, and hosts it where nothing is hosted or the "
        "gate finds it no worse on logged rewards. Exit code 3: the gate says no.",
        ("rewardloop rl deploy ppo-cartpole-v1-1 --experiment cart",),
    ),
    Command(
        "simulate",
        TRAIN,
        "Serve an environment to a trainer elsewhere, which has --env remote:PORT.",
        "Connects, and connects again after every drop, until no trainer has taken it for --give-up-after seconds. Start as many "
        "as the trainer has workers, and one more where it evaluates. For other languages: docs/remote-environments.md.",
        (
            "rewardloop rl simulate --env CartPole-v1 --to 7777",
            "rewardloop rl simulate --env mine:Boiler --to trainer:7777 --token-file token",
        ),
    ),
    Command(
        "envs",
        LOOK,
        "The environments that come along: what each shows, takes and rewards.",
        "",
        ("rewardloop rl envs", "rewardloop rl envs --json"),
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
        ("rewardloop rl runs", "rewardloop rl runs ppo-cartpole-v1-1 --report learning.png"),
    ),
)
