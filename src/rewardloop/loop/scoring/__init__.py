"""A model's answers for a whole file.

`rows` reads it, `scoring` asks the model, `files` writes what it said.
"""

from rewardloop.loop.scoring.scoring import ScoreReport, score

__all__ = ["ScoreReport", "score"]
