"""The life of one experiment: from what was logged to a better policy. Decisions are made a floor below, in `deciding`.

The loop      `cycle` is one turn: `collecting`, `modelling`, `judging` (by what would have been `served`), `deploying` (after
              `probing`); `running` turns for ever; `drifting`, `warning` and `apprentice` are what it says of a log, `tidying`
              throws away, `erasing` forgets what is asked for
Online        `learner` is the process, `online` what it learns, `closing` the join in memory
Trials        `rollouts` begins and ends them, `trial_checks` finds harm in what serving counted (a file each by `trial_files`)
              and in what the lake joined
Serving files `scoring`, `scoring_rows`, `scoring_files`
Looking       `status`, `tailing`, `explaining`, `auditing`, `whole_rankings`; `served` is what a policy would have served to a log
Together      `experiment` has the verbs, over what `opened` holds; `hosting` follows the pointer to the hosted model
"""
