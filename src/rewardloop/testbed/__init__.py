"""Policies tried on worlds: which one, with which settings, earns how much. `worlds` has the worlds, `reports` the pages.

One run    `cell` says what is run and what was found; `played` runs it: among `arms`, or a `ranking` of a catalogue, with
           rewards after `delays`; `replaying` of a log
Many       `running` in processes, `results` on disk, `summary` over seeds
A search   `searching` asks `proposing` for settings and the `objective` what they earn
"""
