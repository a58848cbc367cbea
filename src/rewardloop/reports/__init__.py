"""What was found, for people, as one page or one picture each. Pure: nothing is computed or written."""

from rewardloop.reports.decision import decision_page, decision_picture
from rewardloop.reports.evaluation import evaluation_page, evaluation_picture
from rewardloop.reports.evaluation_rankings import ranked_table
from rewardloop.reports.importance import importance_page, importance_picture
from rewardloop.reports.progress import progress_page, progress_picture

__all__ = [
    "decision_page",
    "decision_picture",
    "evaluation_page",
    "evaluation_picture",
    "importance_page",
    "importance_picture",
    "progress_page",
    "progress_picture",
    "ranked_table",
]
