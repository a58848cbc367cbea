"""The wing with a simulator: training, evaluating, comparing, tuning and exporting. Serving knows nothing of what is in here.

Asked for  `environments` by name (`by_name` imports one's own), what their `spaces` are, how each is best learned (`suggesting`)
Trained by one of the toolkits `sb3`, `rllib`, `offline`, behind the contract in `toolkit`; `algorithms` says what each can do;
           `guarding` watches the environment, whose `answers` are looked at, `last_words` tells what a dead worker left,
           `trees` keeps state without pickle;
           or by the user's own script: `scripts`
Kept       `runs`
Judged     `playing`, also from episodes that were `logged`; `tuning` tries many
Served     `deploying`
"""
