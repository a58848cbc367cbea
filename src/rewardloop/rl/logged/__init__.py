"""Episodes that somebody logged, and what another policy would have earned in them.

In memory  `episodes`; their file is read and written in `files`
Made       `recording` plays a policy and writes down every step; `experiments` reads them from an experiment's own log
Judged     `evaluating`, by `acting`: a trained policy as it would be served
Learned    `replay`: an environment that only shows what was logged
"""
