"""Two policies on live traffic, where a draw said who decides: no importance weights, and one may look after each decision.

`harm` finds what must be taken back; `two_sample` says who earns more.
"""
