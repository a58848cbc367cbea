"""What a policy would earn, from what another one logged: one function an estimator, all over the same `Sample`.

`estimators` has the plain ones and the table of all by name; `shrinking` and `calibrated` do something about large weights;
`cressie_read` gives an interval of its own and no scores.
"""
