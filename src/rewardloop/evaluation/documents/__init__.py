"""Everything a reader wants to see, each in one frozen value: pages, pictures and JSON are made from it alone.

`full` is an evaluation, with its `curves`; `explained` a policy or one decision.
"""
