"""Vowpal Wabbit's text format for contextual bandits: `--cb` lines and `--cb_adf` groups. Vowpal Wabbit itself is not needed.

Both ways  `words`: names as such a text can hold them
Read       `reading`
Written    `writing`
"""
