"""May the candidate be hosted? From held-out events and two distributions to a verdict that is recorded for ever.

`gate` looks and judges; `rules` says what must hold, in a table; `guardrails` measures the metrics that must not be harmed;
`report` is the verdict with everything it rests on.
"""
