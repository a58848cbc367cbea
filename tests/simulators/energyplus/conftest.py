from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("pyenergyplus", reason="EnergyPlus comes with the extra `energyplus`")

from rewardloop.simulators.energyplus import EnergyPlusEnv, Simulator, bundled


@pytest.fixture(scope="package")
def one_zone() -> Iterator[Simulator]:
    """One zygote for all tests of this folder: a first reset of a day takes a quarter of a second, a second one milliseconds."""
    with Simulator(bundled("DataCenter-1Zone"), "fork") as simulator:
        yield simulator


@pytest.fixture
def hall(one_zone: Simulator) -> Iterator[EnergyPlusEnv]:
    env = EnergyPlusEnv(one_zone.specification, simulator=one_zone)
    yield env
    env.close()
