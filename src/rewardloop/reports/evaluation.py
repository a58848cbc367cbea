"""An evaluation as a page and as a picture."""

from __future__ import annotations

from rewardloop.charts import Section, stacked, to_page, to_png
from rewardloop.evaluation import EvaluationReport
from rewardloop.reports.evaluation_charts import charts
from rewardloop.reports.evaluation_rankings import ranked_sections
from rewardloop.reports.evaluation_tables import compared, estimated, excluded, rules
from rewardloop.reports.evaluation_words import CONVERGENCE, FOREST, TAIL, how_to_read, title


def evaluation_page(report: EvaluationReport) -> str:
    """One self-contained HTML page: the verdict on top, then what it rests on."""
    drawn = charts(report)
    sections = [
        Section("How to read this", how_to_read(report)),
        Section("What was compared", [compared(report)]),
        Section("The gate", [rules(report)]),
        *([Section("Estimates", [FOREST, *drawn.forest, estimated(report)])] if drawn.forest else []),
        *ranked_sections(report.gate.rankings),
        *([Section("Has it settled?", [CONVERGENCE, *drawn.convergence])] if drawn.convergence else []),
        *([Section("How few events carry the answer", [TAIL, *drawn.tail])] if drawn.tail else []),
        Section("Events left out", [excluded(report)]),
    ]
    return to_page(title(report), report.gate.summary, sections, "good" if report.gate.passed else "bad")


def evaluation_picture(report: EvaluationReport) -> bytes:
    """The charts as one PNG under the verdict. Where nothing could be estimated, the verdict alone."""
    drawn = charts(report)
    return to_png(stacked(title(report), [*drawn.forest, *drawn.convergence, *drawn.tail], subtitle=[report.gate.summary]))
