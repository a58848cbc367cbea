"""Worlds a policy can be tried in before it meets anybody: labelled data sets, populations, simulators, logs of other systems."""
