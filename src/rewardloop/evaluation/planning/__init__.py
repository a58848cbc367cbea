"""Before anything is learned or hosted: what can be known of a difference, and of a log.

`power` says how many events show a difference, `learnability` whether a log has any signal to learn from.
"""
