"""A trainer to be killed: says where its simulators' files are, then steps one of two episodes for ever."""

from __future__ import annotations

import os

from rewardloop.simulators.energyplus import EnergyPlusEnv, Simulator, bundled

if __name__ == "__main__":
    with Simulator(bundled("DataCenter-1Zone"), "fork") as simulator:
        one, other = (EnergyPlusEnv(simulator.specification, simulator=simulator) for _ in range(2))
        one.reset(options={"day": 1})
        other.reset(options={"day": 1})
        other.clone_state()
        print(os.getpid(), flush=True)
        while True:
            if one.step(None)[3]:
                one.reset(options={"day": 1})
