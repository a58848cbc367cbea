"""Why a policy does what it does, asked of the policy itself: what would it have done, had it seen something else?

`importance` is what a feature is worth over a log, `contributions` what it did to one decision; both over events that were
`altered`, by `feature_groups`.
"""
