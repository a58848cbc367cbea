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
            "rewardloop compare-ab --world offers.csv --label bought --report compared.html",
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
            "rewardloop testbed -p default -p squarecb --world digits --world sim:drifting",
            "rewardloop testbed --world standard --seeds 5 --report testbed.html",
            "rewardloop testbed --world offers.csv --label bought --delay 1000 --batch 500",
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
        "Serves the experiments of the files you name and those of earlier calls. Ctrl-C or SIGTERM stops it; no request fails.",
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
        "Once there is a key, servers ask for one, and may listen on addresses that other machines reach.",
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
        "A deferred decision may never be shown to anybody: until it is activated it is in no data set.",
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
        "Writes every event that was closed at the last join, with its probability and its reward, as JSON lines, CSV, Parquet, "
        "dsjson, Vowpal Wabbit text, obp's arrays, the Open Bandit Dataset's columns or the joined rows of 2019.",
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
        "The new model goes on from the newest one and learns the events that closed since. Nothing is hosted: `deploy` does that.",
        ("rewardloop train offers", "rewardloop train offers --rebuild offers.3"),
    ),
    Command(
        "evaluate",
        LEARN,
        "What a policy would earn; exit code 3: the gate says no.",
        "Of an experiment: compares the newest model, or the one you name, with the hosted one on the same held-out events. Of a "
        "file, another system's log: any policy of yours, by a column of what it would do with each row, with what was logged. "
        "--report writes a page that explains itself: every estimator, how they settle, the weights, the rules of the gate.",
        (
            "rewardloop evaluate offers",
            "rewardloop evaluate offers --report verdict.html --report verdict.png",
            "rewardloop evaluate offers offers.4 && rewardloop deploy offers offers.4",
            "rewardloop evaluate history.csv --candidate new --report verdict.html",
        ),
    ),
    Command(
        "deploy",
        LEARN,
        "Host a model in every serving process, no request failing.",
        "It is hosted whatever the gate would say, so `evaluate` it first. `rollback` is the way back.",
        ("rewardloop deploy offers offers.4",),
    ),
    Command(
        "shadow",
        LEARN,
        "Try a model: it scores traffic and serves nothing.",
        "Counts how often it agrees with the hosted model, its errors and its latency, and estimates its reward on the same "
        "events. `rewardloop run` takes it back if it would do harm.",
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
        "The shares are `rollout.steps` of the settings; `rewardloop run` goes from one to the next.",
        ("rewardloop ramp offers offers.4",),
    ),
    Command(
        "ab-test",
        LEARN,
        "Two models on live traffic: which of them earns more?",
        "With --b a test begins; without it you see how the test stands. A is the hosted model. You may look as often as you like "
        "and stop as soon as the interval leaves out 0. `rewardloop run` takes B back if it loses, fails or is slow; a B that won "
        "waits for `promote`. `abort` ends a test.",
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
        "Shows one experiment, or all of them. Changes nothing.",
        ("rewardloop status", "rewardloop status offers --report offers.html", "rewardloop status offers --json"),
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
        "For a model, by default the hosted one: how much mean reward it would lose without each feature, with an interval, on "
        "held-out events. For one event: what each feature did to the probability of the chosen action.",
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
        "erase",
        LOOK,
        "Forget events for good: what was decided, for whom, what it earned.",
        "In log, lake and joined copies; models that learned from them are named, and the next one begins anew. Beside "
        "`rewardloop run` it is the loop that does it. Exit code 1 where a file of the log still holds some.",
        (
            "rewardloop erase offers --event order-17 --event order-18",
            "rewardloop erase offers --where context.user_id=u7 --dry-run",
            "rewardloop erase offers --where context.user_id=u7 --rebuild",
            "rewardloop erase offers --until 2026-01-01",
        ),
    ),
    Command(
        "salvage",
        LOOK,
        "Put a damaged log segment aside, keeping what can be read of it.",
        "When the loop meets a damaged file it stops and names it. What was read before stays read; what survived is read next.",
        ("rewardloop salvage data/experiments/offers/log/WRITER-000001.segment",),
    ),
    Command(
        "doctor",
        LOOK,
        "What is wrong with a log, what it would bias, what to do about it.",
        "Reads an experiment as of its last join, even beside a running loop, or the log of another system from a file. Changes "
        "nothing. Also estimates what a better policy could gain. Exit code 1 on an error; warnings alone leave it at 0.",
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
