"""What was found, for people: an evaluation or an explanation as one page or one picture. Pure: nothing is computed or written."""

from rewardloop.reports.decision import decision_page, decision_picture
from rewardloop.reports.evaluation import evaluation_page, evaluation_picture
from rewardloop.reports.evaluation_rankings import ranked_table
from rewardloop.reports.importance import importance_page, importance_picture

__all__ = [
    "decision_page",
    "decision_picture",
    "evaluation_page",
    "evaluation_picture",
    "importance_page",
    "importance_picture",
    "ranked_table",
]
