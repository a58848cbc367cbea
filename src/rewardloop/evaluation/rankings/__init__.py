"""Rankings, slots and slates: several actions shown together, each with a reward.

`estimators` are the algebra over a matrix of positions; `log` makes that matrix from logged decisions, `groups` from held-out
slots, with the `marginals` of each position; `report` is which estimators fit, and what they say.
"""
