"""Trained policies at work: played, measured, and held against what needs no training.

Playing    `episodes` of an actor in an environment; `evaluating` does it with a run's checkpoint
Against    `controllers`: chance, a constant, the environment's own baselines; `constants` finds the best constant
Comparing  `comparing`, on the same episodes; `scores` makes one number with an interval of them
Shown      `charts` and `videos`
"""
