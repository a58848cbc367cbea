"""The state of an experiment as a page, as a picture and as JSON: what `status` says, and how it came to that."""

from __future__ import annotations

from collections.abc import Mapping

from rewardloop.charts import Section, Table
from rewardloop.cli.telling.account import account
from rewardloop.cli.telling.printing import instant, json_document
from rewardloop.cli.telling.writing import Renderer
from rewardloop.evaluation import GateReport
from rewardloop.lake.progress import Progress
from rewardloop.loop.status import ModelLine, Status
from rewardloop.reports import progress_page, progress_picture

MODELS = ("model", "parent", "trained at", ">events", ">mean reward", "gate")
_NEWEST = 100
"""Lines of a table."""


def renderers(state: Status, progress: Progress, judged: Mapping[str, GateReport]) -> dict[str, Renderer]:
    name, hosted = state.experiment, state.hosted
    return {
        ".html": lambda: progress_page(name, hosted, progress, judged, _facts(state)),
        ".png": lambda: progress_picture(name, hosted, progress, judged),
        ".json": lambda: json_document({"status": state, "progress": progress}),
    }


def model_row(model: ModelLine, state: Status) -> tuple[str, ...]:
    reward = "" if model.mean_reward is None else f"{model.mean_reward:.4f}"
    verdict = (model.verdict or "not asked").replace("_", " ")
    after = "hosted" if model.model_id == state.hosted else "taken back" * (model.model_id in _taken_back(state))
    gate = f"{verdict}, {after}" if after else verdict
    return model.model_id, model.parent or "", instant(model.created_at)[:-4], f"{model.n_trained:,}", reward, gate


def _taken_back(state: Status) -> set[str]:
    """Models that a trial found to do harm; of a share held back it is the promoted one."""
    held = {step.trial for step in state.rollouts if step.kind == "hold back"}
    ends = [step for step in state.rollouts if step.kind == "roll back"]
    return {step.champion if step.trial in held else step.challenger for step in ends}


def _facts(state: Status) -> list[Section]:
    careful = [f"{sentence}." for sentence in (state.warning, state.drift) if sentence]
    models = [model_row(model, state) for model in reversed(state.models[-_NEWEST:])]
    hosted = [(instant(each.deployed_at), each.model_id, each.reason) for each in reversed(state.deployments[-_NEWEST:])]
    trials = [(instant(each.at), each.challenger, each.kind, each.reason) for each in reversed(state.rollouts[-_NEWEST:])]
    return [
        *([Section("Careful", careful)] if careful else []),
        Section("Where every record went", [Table(("", ""), list(account(state.ledger)))]),
        *([Section("Models", [Table(MODELS, models)])] if models else []),
        *([Section("What was hosted when", [Table(("since", "model", "why"), hosted)])] if hosted else []),
        *([Section("On trial", [Table(("at", "challenger", "what", "why"), trials)])] if trials else []),
    ]
