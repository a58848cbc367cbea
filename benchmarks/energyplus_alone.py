"""EnergyPlus by itself, a simulated day a line of standard input; answers with the CPU seconds that the day took.

    python benchmarks/energyplus_alone.py alone|by-hand STEPS_A_DAY PLAN -w WEATHER -d DIRECTORY MODEL

`alone` counts its steps and nothing else; `by-hand` reads the plan's sensors after every step through the package's documented
calls, as whoever needs them would. Nothing of ours is imported.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from pyenergyplus.api import EnergyPlusAPI

WEATHER_RUN = 3


class ByItself:
    def __init__(self, reads: bool, steps_a_day: int, plan: dict[str, Any]) -> None:
        self.api, self.reads, self.steps_a_day, self.plan = EnergyPlusAPI(), reads, steps_a_day, plan
        self.n_steps, self.live, self.began_s = 0, False, 0.0
        self.variables: list[int] = []
        self.meters: list[int] = []

    def go(self, arguments: list[str]) -> int:
        runtime, state = self.api.runtime, self.api.state_manager.new_state()
        runtime.set_console_output_status(state, False)
        runtime.callback_after_new_environment_warmup_complete(state, self.warmed_up)
        runtime.callback_end_zone_timestep_after_zone_reporting(state, self.stepped)
        for name, key in self.plan["variables"]:
            self.api.exchange.request_variable(state, name, key)
        return int(runtime.run_energyplus(state, arguments))

    def warmed_up(self, state: Any) -> None:
        exchange = self.api.exchange
        if exchange.kind_of_sim(state) != WEATHER_RUN:
            return
        self.variables = [exchange.get_variable_handle(state, *names) for names in self.plan["variables"]]
        self.meters = [exchange.get_meter_handle(state, name) for name in self.plan["meters"]]
        self.live = True

    def stepped(self, state: Any) -> None:
        if not self.live:
            return
        if self.reads:
            exchange = self.api.exchange
            _ = [exchange.get_variable_value(state, handle) for handle in self.variables]
            _ = [exchange.get_meter_value(state, handle) for handle in self.meters]
        self.n_steps += 1
        if self.n_steps % self.steps_a_day == 0:
            self.turn()

    def turn(self) -> None:
        print(time.process_time() - self.began_s, flush=True)
        if not sys.stdin.readline():
            self.live = False
        self.began_s = time.process_time()


if __name__ == "__main__":
    what, steps_a_day, plan_path, *arguments = sys.argv[1:]
    sys.exit(ByItself(what == "by-hand", int(steps_a_day), json.loads(Path(plan_path).read_text())).go(arguments))
