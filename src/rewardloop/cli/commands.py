"""What every command is for, with examples: the text of every `--help`. It stands here so that help imports no command."""

from __future__ import annotations

from typing import NamedTuple

START, PLAN, SERVE, LEARN, LOOK = "Start here", "Plan", "Serve and record", "The loop, step by step", "Look"
SIMULATE = "With a simulator"


class Command(NamedTuple):
    """One command: the panel it is listed in, its sentence, what else to know, and lines to paste."""

    name: str
    group: str
    sentence: str
    more: str
    examples: tuple[str, ...]
    extra: str = ""
    """The extra of the package that it cannot do without."""

    @property
    def help(self) -> str:
        """The text above the options."""
        return "\n\n".join(filter(None, (self.sentence, self.more)))

    @property
    def epilogue(self) -> str:
        """The text below them."""
        return "\n".join(("Examples:", *(f"  {example}" for example in self.examples)))


COMMANDS = (
    Command(
        "demo",
        START,
        "Watch a bandit learn: real server, loop and data, in a minute.",
        "Plays a labelled data set as a bandit: the context is a row, the actions are the classes, and only the reward of the "
        "chosen one is seen. Leaves a picture, both processes' logs and the data directory to look around in.",
        ("rewardloop demo", "rewardloop demo --policy squarecb", "rewardloop demo --data offers.csv --label bought"),
    ),
    Command(
        "demo-hvac",
        START,
        "Watch PPO learn to cool a data centre on the real EnergyPlus.",
        "The best constant, trainings of several seeds, everybody compared on weather that nobody was trained on, pictures, and a "
        "day over HTTP through the server. Needs the extras: pip install 'rewardloop[rl,energyplus]'.",
        ("rewardloop demo-hvac", "rewardloop demo-hvac --building two-zones --seeds 3"),
        extra="rl,energyplus",
    ),
    Command(
        "init",
        START,
        "Write an experiment's YAML: every setting with its default.",
        "",
        ("rewardloop init offers --actions red,green,blue", "rewardloop init offers --actions 7"),
    ),
    Command(
        "compare-ab",
        PLAN,
        "Bandit or A/B test? Both simulated on the same visitors.",
        "On a labelled data set (the context is a row, the actions are the classes), on arms of given success rates, or replayed "
        "on a log. Says what each earned, the regret, how long the test took and how often it rolled out a worse arm.",
        (
            "rewardloop compare-ab",
            "rewardloop compare-ab --data offers.csv --label bought --report compared.html",
            "rewardloop compare-ab --arms 0.05,0.06 --policy lints --policy linucb",
            "rewardloop compare-ab --log events.jsonl --report replayed.html",
        ),
    ),
    Command(
        "testbed",
        PLAN,
        "Which policy earns most, on data sets, simulators, yours.",
        "Every policy plays the same rounds of every world, in parallel processes; a killed run carries on. Worlds are data sets "
        "inside packages, simulators, a labelled CSV or Parquet file (the classes are the actions), or another system's log.",
        (
            "rewardloop testbed -p default -p squarecb --data digits --data sim:drifting",
            "rewardloop testbed --data standard --seeds 5 --report testbed.html",
            "rewardloop testbed --data offers.csv --label bought --delay 1000 --batch 500",
            "rewardloop testbed --log history.csv --replay importance",
        ),
    ),
    Command(
        "search",
        PLAN,
        "Better settings, by trying them on your log or a data set.",
        "Optuna proposes policies, learner settings and interactions; each is valued by progressive validation on the head of the "
        "log or of the rounds. The winner is then compared with the settings of now on the tail, which the search has not seen, "
        "and written as a configuration. A killed search carries on.",
        (
            "rewardloop search offers --trials 50 --out better.yaml",
            "rewardloop search offers.yaml --world keel:segment --events 8000",
            "rewardloop search offers.yaml --world offers.csv --label bought",
        ),
    ),
    Command(
        "power",
        PLAN,
        "How many events until a difference in mean reward is seen.",
        "From the scatter of doubly robust paired scores in a log, or, before there is one, from a plan.",
        ("rewardloop power offers --delta 0.02", "rewardloop power --arms 4 --floor 0.1 --rate 0.05 --delta 0.01"),
    ),
    Command(
        "serve",
        SERVE,
        "Answer decide and reward over HTTP, each logged before its answer.",
        "Serves the files named and every experiment of earlier calls. Ctrl-C or SIGTERM ends it without a failed request.",
        (
            "rewardloop serve offers.yaml",
            "rewardloop serve offers.yaml --workers 2 --port 8080",
            "rewardloop serve --cors-origin https://shop.example --rate-limit 50",
            "rewardloop serve --host 0.0.0.0 --tls-cert chain.pem --tls-key key.pem",
        ),
    ),
    Command(
        "keys",
        SERVE,
        "API keys: make, list, revoke. Without any, all is open.",
        "With keys, servers ask for one, and may listen where others reach them.",
        ("rewardloop keys add shop --role decide --role reward", "rewardloop keys list", "rewardloop keys revoke shop"),
    ),
    Command(
        "run",
        SERVE,
        "The loop, for ever: join, train, evaluate, deploy what is better.",
        "Runs beside `serve` on the same data directory. Kill it at any time: it carries on where it was.",
        ("rewardloop run offers.yaml", "rewardloop run offers --cycles 1 --json"),
    ),
    Command(
        "decide",
        SERVE,
        "Choose an action without a server, and log the decision.",
        "",
        (
            "rewardloop decide offers.yaml -c '{\"age\": 31}'",
            'rewardloop decide offers -c \'{"age": 31}\' -a \'["red", "green"]\' --json',
            'rewardloop decide films -a \'["heat", "ronin"]\' --top-k 2',
        ),
    ),
    Command(
        "reward",
        SERVE,
        "Record what a decision was worth, now or days later.",
        "",
        (
            "rewardloop reward 0190f7a0-0000-7003-8000-000000000001 1",
            "rewardloop reward order-4711 -0.5 --experiment films --slot 2",
            "rewardloop reward order-4711 1 -e films --metric cost=1.2 --metric ms=80",
        ),
    ),
    Command(
        "score",
        SERVE,
        "A model's answers for every row of a file; nothing is logged.",
        "Rows are contexts, or have one under `context` (with `actions` beside it where the experiment has no fixed ones). Each "
        "answer: the most probable action, its probability, and the whole distribution as it would be served. Rows that cannot "
        "be scored are left out and named, and the exit code is 1.",
        ("rewardloop score offers visitors.csv scores.csv", "rewardloop score offers visitors.parquet s.parquet --model offers.3"),
    ),
    Command(
        "activate",
        SERVE,
        "Let a decision count that was asked for as deferred.",
        "Without it a deferred decision, one that may never be shown to anybody, is in no data set.",
        ("rewardloop activate 0190f7a0-0000-7003-8000-000000000001",),
    ),
    Command(
        "warm-start",
        LEARN,
        "Begin with the history of an existing system.",
        "CSV, JSON lines, Parquet or Decision Service JSON. Columns: context (or one a feature), action, reward, and "
        "probability, which is estimated where it is missing, and the report says so. Every row is accounted for.",
        ("rewardloop warm-start offers.yaml history.csv",),
    ),
    Command(
        "import",
        LEARN,
        "Take over the configuration of another service.",
        "Its logs are taken in by `rewardloop warm-start`.",
        ("rewardloop import personalizer --config service.json --policy policy.json",),
    ),
    Command(
        "export",
        LEARN,
        "Closed events as a file for other tools.",
        "What the last join closed, each decision with its probability and its reward: as JSON lines, CSV, Parquet, dsjson, "
        "Vowpal Wabbit text, obp, the Open Bandit Dataset's columns, 2019's joined rows.",
        ("rewardloop export offers events.parquet", "rewardloop export offers events.txt --format vw"),
    ),
    Command(
        "run-script",
        LEARN,
        "Run a SageMaker training script here, in script mode.",
        "It finds SM_CHANNELS, SM_CHANNEL_*, SM_HPS, SM_MODEL_DIR and a `vw` on the PATH, as in a training job.",
        (
            "rewardloop run-script train.py --channel training=data -p epsilon=0.1",
            "rewardloop run-script train.sh --channel training=data --model-dir made",
        ),
    ),
    Command(
        "join",
        LEARN,
        "Join decisions and rewards up to now; account for every record.",
        "",
        ("rewardloop join offers",),
    ),
    Command(
        "train",
        LEARN,
        "Train the next model, or make an old one again.",
        "It continues the newest model with what closed since. It is not hosted before you deploy it.",
        ("rewardloop train offers", "rewardloop train offers --rebuild offers.3"),
    ),
    Command(
        "evaluate",
        LEARN,
        "Estimate what a model would earn; exit code 3: the gate says no.",
        "By default the newest model, against the hosted one, on the same held-out events. With --report also as one page that "
        "explains itself: estimates by every estimator, convergence, weights, the gate's rules.",
        (
            "rewardloop evaluate offers",
            "rewardloop evaluate offers --report verdict.html --report verdict.png",
            "rewardloop evaluate offers offers.4 && rewardloop deploy offers offers.4",
        ),
    ),
    Command(
        "deploy",
        LEARN,
        "Host a model in every serving process, no request failing.",
        "Whatever the gate said of it: `evaluate` first. Back with `rollback`.",
        ("rewardloop deploy offers offers.4",),
    ),
    Command(
        "shadow",
        LEARN,
        "Try a model: it scores traffic and serves nothing.",
        "Its agreement with the hosted model, its errors and its latency are counted, its reward is estimated on the same events. "
        "`rewardloop run` takes it back where it does harm.",
        ("rewardloop shadow offers offers.4",),
    ),
    Command(
        "canary",
        LEARN,
        "Try a model: it makes a share of decisions.",
        "`rewardloop run` takes it back as soon as an always-valid test finds it worse in reward, errors or latency.",
        ("rewardloop canary offers offers.4", "rewardloop canary offers offers.4 --share 0.1 --sticky user.id"),
    ),
    Command(
        "ramp",
        LEARN,
        "Try a model: growing shares up to promotion, without harm.",
        "The steps are the settings' (`rollout.steps`). `rewardloop run` takes them.",
        ("rewardloop ramp offers offers.4",),
    ),
    Command(
        "ab-test",
        LEARN,
        "Two models on live traffic: which of them earns more?",
        "With --b a test begins, without it one sees how it stands. A is what is hosted. The interval holds at every look, so "
        "the test may end at the first that leaves out 0. "
        "`rewardloop run` takes a B back that lost, fails or is slow; a B that won waits for `promote`. `abort` ends any.",
        (
            "rewardloop ab-test offers --b offers.4",
            "rewardloop ab-test offers --b offers.4 --a offers.2 --share 0.2",
            "rewardloop ab-test offers --report test.html",
        ),
    ),
    Command(
        "promote",
        LEARN,
        "Host the model that is on trial.",
        "",
        ("rewardloop promote offers",),
    ),
    Command(
        "abort",
        LEARN,
        "Take the model back that is on trial.",
        "",
        ("rewardloop abort offers",),
    ),
    Command(
        "rollback",
        LEARN,
        "Host again what was hosted before; again: one further back.",
        "",
        ("rewardloop rollback offers",),
    ),
    Command(
        "status",
        LOOK,
        "What is hosted, what was learned, where every record went.",
        "Of one experiment, or of all. Reads only.",
        ("rewardloop status", "rewardloop status offers --json"),
    ),
    Command(
        "tail",
        LOOK,
        "The newest decisions and rewards, and with -f those to come.",
        "",
        ("rewardloop tail offers", "rewardloop tail offers -n 0 -f --json"),
    ),
    Command(
        "explain",
        LOOK,
        "What a model decides by; with --event, why this action.",
        "By default the hosted model: the mean reward it would lose without each feature, with its interval, on held-out events. "
        "For one event: what each feature did to the probability of the chosen action.",
        (
            "rewardloop explain offers",
            "rewardloop explain offers offers.4 --by feature --report importance.html",
            "rewardloop explain offers --event 0190f7a0-0000-7003-8000-000000000001",
        ),
    ),
    Command(
        "audit",
        LOOK,
        "Replay a logged decision: is it what the log says, to the bit?",
        "The same model, context and seed must give the same pmf, action and probability. Exit code 1 if not.",
        ("rewardloop audit 0190f7a0-0000-7003-8000-000000000001", "rewardloop audit order-4711 --experiment offers --json"),
    ),
    Command(
        "salvage",
        LOOK,
        "Put a damaged log segment aside, keeping what can be read of it.",
        "The loop names the file when it meets one. Everything read before stays read, what survived is read next.",
        ("rewardloop salvage data/experiments/offers/log/WRITER-000001.segment",),
    ),
    Command(
        "doctor",
        LOOK,
        "What is wrong with a log, what it would bias, what to do about it.",
        "Reads an experiment as of its last join, beside a running loop, or another system's file; changes nothing. Says also what "
        "is to be gained. Exit code 1 on an error; warnings alone leave it at 0.",
        ("rewardloop doctor offers", "rewardloop doctor history.csv --actions red,green,blue --json"),
    ),
    Command(
        "rl",
        SIMULATE,
        "Reinforcement learning: train, compare, tune and deploy policies.",
        "Any gymnasium environment by its id, or your own as module:Name. Needs the extra: pip install 'rewardloop[rl]'.",
        ("rewardloop rl train --env CartPole-v1 --algo ppo", "rewardloop rl algorithms"),
        extra="rl",
    ),
)
