"""Vowpal Wabbit as a policy. One module imports it; the others make what it is given.

The policy    `policy`, which alone imports Vowpal Wabbit
Asking        `arguments` its command line; `encoding` features, `actions` sets of actions, `engines` two ways to ask a workspace
Many          `shortlist` before it, where a request may bring thousands of candidates
Continuous    `cats`, its own tree over the cells of a range
Learning      `bulk` by its own driver, in a process of its own
Beside it     `state` the file beside the weights, `statistics` what that holds of the data
"""
