"""The laws of every contract as tests, for implementations of your own: a policy, a log, a catalog, an estimator, a toolkit.

Subclass a contract in a test module and pytest runs its tests on yours. Needs pytest and numpy, and nothing of ours imports it.
"""
