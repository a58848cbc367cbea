"""What runs inside a simulator's processes: EnergyPlus stepped by messages, forked after warm-up, ended with its trainer.

    python -m rewardloop.zygote DIRECTORY SOCKET LOCK

Standard library and the package that carries EnergyPlus, nothing else of ours and nothing heavy: what is imported here is copied
with every fork. Environments, units, rewards are the business of `simulators.energyplus`, which starts these processes.
"""
