"""Everything a reader wants to see, each in one frozen value: pages, pictures and JSON are made from it alone.

`full` is an evaluation, with its `curves`; `of_file` makes it of another system's log. `explained`: a policy, or one decision.
"""
