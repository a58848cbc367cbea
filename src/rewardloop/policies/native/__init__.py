"""Policies over ridge regressions: what a regression knows becomes a distribution. The arithmetic is in `regressions`.

A kind each   `ridge` over fixed arms, `neural` the same with a hidden layer, `cells` over a range, `featured` over what requests
              bring
Exploration   `posterior` for a few arms, `drawn` for many actions with features
"""
