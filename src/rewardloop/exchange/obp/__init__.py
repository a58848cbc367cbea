"""obp's bandit feedback: its dictionary of arrays as an `.npz` file.

Read       `reading`, a row a round
Written    `writing`, of events that are all held until the end
"""
