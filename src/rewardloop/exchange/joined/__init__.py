"""The joined rows of 2019's SageMaker RL, whose notebooks download them as CSV.

A row      `rows`: one maker of them, for the export and for the jobs of the notebook's class
Written    `writing`
"""
