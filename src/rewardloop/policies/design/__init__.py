"""The design matrix: contexts, and actions with features, as rows of numbers. No rewards but in `screening`, no weights.

Contexts      `columns` says which feature is which column, `design` makes rows, `folding` shortens products of rows
Actions       `terms` says which products of a context's and an action's features there are, `side_rows` and `term_rows` make rows;
              `screening` chooses among too many, `beginning` keeps the first events until it has
"""
