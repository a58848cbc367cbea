"""The design matrix: contexts, and actions with features, as rows of numbers. No rewards but in `joint_terms`.

Both          `numbers` looks them up
Contexts      `columns` says which feature is which column, `design` makes rows, `folding` shortens products of rows
Actions       `terms` says which products of a context's and an action's features there are, `side_rows` and `term_rows` make rows,
              `weights` says what an action's features weigh in one context, `relevance` how far weights may be from 0;
              `joint_terms` chooses among too many, `beginning` keeps the first events until it has
"""
