"""Business problems as environments: a file each, an `episode` that all are made of, and the table of them in `entries`.

Everything random of an episode is drawn at its reset: the seed and the actions decide the rest, and what could have been reached
with hindsight is known. Nothing here trains.
"""
