"""From a request to the record that is logged. Neither HTTP nor storage nor training here: serving and `Experiment` both call it.

Reading       `asking` is a request as it is sent, `offers` its actions (`shapes` if they differ in their numbers only), `slotting`
              what is to be filled
Deciding      `decider` makes a decision by the `hosted` model, `filling` that of several slots, `boxes` that of several numbers,
              `batching` many at once, `baseline` that of the old system
Trying        `trials` draws the variant a challenger decides, `trial_counts` counts how that went
Replaying     `replaying` makes a decision again, to the bit
Rewarding     `rewarding`
"""
