"""What an action is expected to earn, learned from the log: what direct and doubly robust estimators lean on.

`reward_model` is that, cross-fitted; it rests on `arm_model` for fixed arms and `joint_model` for actions with features:
regressions (`ridge`, and `logistic` for rewards of two values, on the `scale` of log odds) over `columns`. Of a large log it learns
from what `drawing` draws.
"""
