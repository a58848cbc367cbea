"""The Open Bandit Dataset's files.

Read       `reading`: `all.csv`, `men.csv`, `women.csv`, and the items beside them
Written    `writing`: `all.csv`
"""
