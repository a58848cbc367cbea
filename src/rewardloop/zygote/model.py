"""A building's epJSON made fit to be stepped: no output files, one run period. No process starts here."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

Model = dict[str, object]
"""The fields of one object."""

Objects = dict[str, dict[str, Model]]
"""Type of object → name → fields: an epJSON document, or a part of one."""

YEAR = 2017
"""The year of every run: its first of January is a Sunday, as in the reference buildings, and it is no leap year."""

_DROPPED = ("Output:", "OutputControl:", "RunPeriod", "SimulationControl", "UtilityCost:", "LifeCycleCost:", "Meter:Custom")
_DICTIONARY: Objects = {"Output:VariableDictionary": {"Names": {"key_field": "IDF"}}}
"""A list of the building's variables is the one thing written: to say which was meant."""

_KEPT = ("OutputControl:ReportingTolerances", "RunPeriodControl:SpecialDays", "RunPeriodControl:DaylightSavingTime")


def prepared(model: Objects, steps_an_hour: int | None) -> Objects:
    """The model without what it would write (a year otherwise writes 158 MB), sized as before, to be run with weather.

    >>> made = prepared({"Output:Variable": {"v": {}}, "Zone": {"A": {}}, "Sizing:Zone": {"z": {}}}, 4)
    >>> sorted(made), made["SimulationControl"]["Control"]["do_zone_sizing_calculation"]
    (['Output:VariableDictionary', 'SimulationControl', 'Sizing:Zone', 'Timestep', 'Zone'], 'Yes')
    """
    kept = {kind: objects for kind, objects in model.items() if kind in _KEPT or not kind.startswith(_DROPPED)}
    if steps_an_hour is not None:
        kept["Timestep"] = {"Timestep": {"number_of_timesteps_per_hour": steps_an_hour}}
    return {**kept, "SimulationControl": {"Control": _control(model)}, **_DICTIONARY}


def _control(model: Objects) -> dict[str, object]:
    def sized(kind: str) -> str:
        return "Yes" if f"Sizing:{kind}" in model else "No"

    return {
        "do_zone_sizing_calculation": sized("Zone"),
        "do_system_sizing_calculation": sized("System"),
        "do_plant_sizing_calculation": sized("Plant"),
        "run_simulation_for_sizing_periods": "No",
        "run_simulation_for_weather_file_run_periods": "Yes",
    }


def steps_an_hour(model: Objects) -> int:
    """The model's time steps an hour; 6 where it does not say, as EnergyPlus has it."""
    for fields in model.get("Timestep", {}).values():
        said = fields.get("number_of_timesteps_per_hour")
        if isinstance(said, int | float):
            return int(said)
    return 6


def write_run(model: Objects, day: int, days: int, path: Path) -> None:
    """One run as a file: the model, from a day of the year on."""
    path.write_text(json.dumps({**model, "RunPeriod": {"Episode": run_period(day, days)}}))


def run_period(day: int, days: int) -> dict[str, object]:
    """
    >>> period = run_period(365, 2)
    >>> [period[key] for key in ("begin_month", "begin_day_of_month", "end_month", "end_day_of_month", "end_year")]
    [12, 31, 1, 1, 2018]
    """
    first = date(YEAR, 1, 1) + timedelta(days=day - 1)
    last = first + timedelta(days=days - 1)
    return {
        "begin_month": first.month,
        "begin_day_of_month": first.day,
        "begin_year": first.year,
        "end_month": last.month,
        "end_day_of_month": last.day,
        "end_year": last.year,
        "use_weather_file_holidays_and_special_days": "No",
        "use_weather_file_daylight_saving_period": "No",
    }
