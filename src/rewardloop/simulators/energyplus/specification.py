"""What an environment on EnergyPlus is made of: one YAML file says all of it. Types and sentences only; loading.py reads.

Units: °C, W, kWh, hours. A meter is read as its mean power over a step, in W.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from rewardloop.settings.schema import Real, Section, said

Word = Annotated[str, Meta(min_length=1, max_length=200)]
Day = Annotated[int, Meta(ge=1, le=365)]
Reach = Annotated[float, Meta(gt=0, le=1)]
Words = Annotated[tuple[Word, ...], Meta(min_length=1, max_length=200)]


class Sensor(Section, frozen=True, kw_only=True):
    """One value read from EnergyPlus after every step: an output variable of one object, or a meter."""

    variable: Annotated[Word | None, said("An output variable, such as `Zone Mean Air Temperature`.")] = None
    key: Annotated[Word, said("Whose: the zone, the schedule, or `Environment` for the weather.")] = "Environment"
    meter: Annotated[Word | None, said("Or a meter, such as `Electricity:HVAC`: its mean power over the step, in W.")] = None
    foreseen: Annotated[
        bool, said("Of a `Schedule Value`: its highest while the next action lasts, as who has the timetable knows.")
    ] = False


class Observation(Section, frozen=True, kw_only=True):
    """One number the agent sees, and its range."""

    of: Annotated[Word, said("A sensor, or the clock: `hour_sin`, `hour_cos`, `day_sin`, `day_cos`, `weekend`.")]
    low: Annotated[Real, said("Lowest value shown; what lies beyond is clipped.")] = -1.0
    high: Annotated[Real, said("Highest value shown.")] = 1.0


class Actuator(Section, frozen=True, kw_only=True):
    """One value that EnergyPlus lets others set."""

    component: Annotated[Word, said("Type of the object, such as `Schedule:Compact`.")]
    control: Annotated[Word, said("What of it, such as `Schedule Value`.")]
    key: Annotated[Word, said("Name of the object.")]


class Action(Section, frozen=True, kw_only=True):
    """One number of the agent, from 0 to 1, and what it means between `low` and `high`."""

    low: Annotated[Real, said("Value at 0.")]
    high: Annotated[Real, said("Value at 1.")]
    actuators: Annotated[tuple[Actuator, ...], Meta(min_length=1, max_length=200), said("All that are set to the value.")]


class Constraint(Section, frozen=True, kw_only=True):
    """One action stays above another: it is raised where it does not."""

    raised: Annotated[Word, said("The action that gives way, such as the cooling set-point.")]
    above: Annotated[Word, said("The action it must stay above, such as the heating set-point.")]
    by: Annotated[Real, said("By how much at least.")] = 2.0


class Term(Section, frozen=True, kw_only=True):
    """weight × mean value, or with a band weight × how far outside: one summand of the reward."""

    of: Annotated[Words, said("Sensors: without a band their sum counts, with one the sum of their distances.")]
    weight: Annotated[Real, said("Reward for each unit; negative for a cost.")]
    band: Annotated[tuple[Real, Real] | None, said("[low, high]: only what lies outside counts.")] = None
    when: Annotated[Word | None, said("A sensor: the term counts while it is above 0.05, such as occupancy.")] = None


class Comfort(Section, frozen=True, kw_only=True):
    """Which temperatures should lie where, for the accounts of an episode."""

    of: Annotated[Words, said("Sensors of temperatures.")]
    band: Annotated[tuple[Real, Real], said("[low, high] in °C.")]
    when: Annotated[Word | None, said("A sensor: hours count while it is above 0.05.")] = None


class Energy(Section, frozen=True, kw_only=True):
    """Which sensors, in W, are whose energy: for the accounts of an episode."""

    total: Annotated[Words, said("All that is paid for.")]
    hvac: Annotated[Words, said("What heating, cooling and air take of it.")]
    it: Annotated[tuple[Word, ...], said("What servers take of it, for the PUE; none elsewhere.")] = ()


class Rule(Section, frozen=True, kw_only=True):
    """A set-point as a line with corners over one observation: what a good engineer would do."""

    by: Annotated[Word, said("An observation.")]
    points: Annotated[
        tuple[tuple[Real, Real], ...],
        Meta(min_length=1, max_length=50),
        said("[observed, value] pairs, ascending; constant outside."),
    ]


class Weather(Section, frozen=True, kw_only=True):
    """Names of the weather files that come along, or paths of .epw files."""

    train: Words
    test: Words


class Forecast(Section, frozen=True, kw_only=True):
    """The outdoor temperature to come, as further observations."""

    hours: Annotated[tuple[Annotated[int, Meta(ge=1, le=48)], ...], said("How many hours ahead each.")] = ()
    noise_k: Annotated[float, Meta(ge=0, le=20), said("Standard deviation of its error, seeded.")] = 0.0


class Episode(Section, frozen=True, kw_only=True):
    """How long an episode is and on which days it may begin."""

    days: Annotated[Day, said("Length.")] = 1
    start_days: Annotated[
        Annotated[tuple[Day, ...], Meta(min_length=1, max_length=365)],
        said("Days of the year of which one is drawn; each keeps a warmed-up simulator, up to `templates`."),
    ] = (1,)
    hold: Annotated[int, Meta(ge=1, le=1440), said("Time steps that an action lasts; the reward is their sum.")] = 1
    templates: Annotated[int, Meta(ge=1, le=400), said("How many warmed-up simulators are kept.")] = 32
    step_timeout_s: Annotated[float, Meta(gt=0, le=3600), said("A step that takes longer ends the simulator.")] = 60.0
    start_timeout_s: Annotated[float, Meta(gt=0, le=3600), said("So does a warm-up.")] = 300.0


class Training(Section, frozen=True, kw_only=True):
    """How one algorithm learns this building well: what `rewardloop rl train` takes where its command line says nothing."""

    normalise: Annotated[bool, said("Observations and rewards by their running moments.")] = False
    parameters: Annotated[dict[Word, Any], said("Hyperparameters by their names in toolkit `sb3`.")] = msgspec.field(
        default_factory=dict
    )
    environment: Annotated[dict[Word, Any], said("Parameters of the environment, such as `relative`.")] = msgspec.field(
        default_factory=dict
    )


class Specification(Section, frozen=True, kw_only=True):
    """An environment."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}\Z"), said("What it is called.")]
    about: Annotated[str, said("A sentence on the task.")] = ""
    source: Annotated[str, said("Where the building and the task come from.")] = ""
    building: Annotated[Word, said("A building that comes along, or the path of an .epJSON or .idf file.")]
    steps_an_hour: Annotated[Annotated[int, Meta(ge=1, le=60)] | None, said("Time steps; null: as the building says.")] = None
    weather: Weather
    episode: Episode = Episode()
    sensors: Annotated[dict[Word, Sensor], Meta(min_length=1, max_length=500)]
    observations: Annotated[tuple[Observation, ...], Meta(min_length=1, max_length=500)]
    actions: Annotated[dict[Word, Action], Meta(min_length=1, max_length=100)]
    constraints: tuple[Constraint, ...] = ()
    reward: Annotated[dict[Word, Term], Meta(min_length=1, max_length=50)]
    energy: Energy
    comfort: Comfort
    forecast: Forecast = Forecast()
    relative: Annotated[bool, said("Rewards less those of the schedules on the same day: to train on, not to judge by.")] = False
    reach: Annotated[
        Reach | None,
        said("Actions correct the rules, by this share of each range at most; null: they are the set-points."),
    ] = None
    rules: Annotated[dict[Word, Rule], said("Action → rule, for all or none: the rule-based baseline.")] = msgspec.field(
        default_factory=dict
    )
    training: Annotated[dict[Word, Training], said("Algorithm → how it learns this building well.")] = msgspec.field(
        default_factory=dict
    )
