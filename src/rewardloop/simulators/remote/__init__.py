"""Environments that run elsewhere and connect: docs/remote-environments.md is the specification; both of its ends in Python are
here.

`environment` is the trainer's end, `client` the simulator's. Below them `listening` lets simulators in, `messages` and `spaces`
are what is said, `websocket` how it travels.
"""
