"""The life of one experiment: from what was logged to a better policy. Decisions are made a floor below, in `deciding`.

The loop      `cycle` is one turn: `collecting`, `modelling`, `judging` (by what would have been `served`), `deploying` (after
              `probing`); `running` turns for ever; `drifting`, `early_closing` and `apprentice` are what it says of a log;
              `tidying` throws away, `erasing` forgets what is asked for (`erasure_files`)
Online        `learner` is the process, `online` what it learns, `closing` the join in memory
Trials        `trials` begins, judges and ends them
Whole files   `scoring` asks a model for every row
Looking       `status`, `tailing`, `explaining`, `auditing`, `whole_rankings`; `served` is what a policy would have served to a log
Together      `experiment` has the verbs; `hosting` follows the pointer to the hosted model
"""
