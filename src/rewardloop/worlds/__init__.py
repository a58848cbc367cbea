"""Worlds a policy can be tried in before it meets anybody: labelled data sets, populations, simulators, logs of other systems.

By name    `catalogue`
Data sets  `bundled`, or a `labelled` file, by `classification`
Simulated  `simulators` over fixed arms, `cascade` of films, `setpoint` for a number
Logs       `logged` decisions of another system
Met        as a `stream` of rounds, or as a `population` that two can be tried on
"""
