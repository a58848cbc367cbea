"""Functional mock-up units (FMI 2 and 3, co-simulation) as environments: a YAML says what is seen, done and rewarded.

`specification` has the words, `unit` is the only file that knows FMPy, `environment` puts them together.
"""
