"""Trials of challengers: at most one an experiment, until it is promoted or taken back.

`rollouts` begins and ends them, `findings` is what is known of one, by the tests in `checks`; what serving counts meanwhile
stands in `files`, one a process.
"""
