"""The life of one experiment, from a request to a better policy. No HTTP here.

Deciding      `asking` and `slotting` read a request, `offers` its actions; `deciding` makes the decision by the `hosted` model,
              `filling` that of several slots, `boxes` that of several numbers, `batching` many at once, `baseline` that of
              the old system; `replaying` makes it again, `auditing` compares
Rewarding     `rewarding`
The loop      `cycle` is one turn: `collecting`, `modelling`, `judging` (by what would have been `served`), `deploying` (after
              `probing`); `running` turns for ever; `drifting`, `warning` and `apprentice` are what it says of a log, `tidying`
              throws away, `erasing` forgets what is asked for
Online        `learner` is the process, `online` what it learns, `closing` the join in memory
Trials        `rollouts` begins and ends them, `trials` draws the variant, `trial_checks` finds harm in what serving counted
              (`trial_counts`, a file each by `trial_files`) and in what the lake joined
Serving files `scoring`, `scoring_rows`, `scoring_files`
Looking       `status`, `tailing`, `explaining`, `whole_rankings`; `served` is what a policy would have served to a log
Together      `experiment` has the verbs, over what `opened` holds; `hosting` follows the pointer to the hosted model
"""
