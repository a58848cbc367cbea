"""Ridge regressions of rewards: what they learn, forget and keep on disk. Which columns there are is `design`'s. No exploration.

A kind each   `linear` arm by arm, `deep` with a hidden layer (`trunk`), `surface` for a range, `bilinear` for actions with
              features; `regression` is what they share
Sums          `moments` of the past, or `roots` for one regression event by event; `memory` keeps or halves them, `forgetting`
              says when
On disk       `ridge_files`, `trunk_files`, `featured_files`; `sums_files` is what they share
"""
