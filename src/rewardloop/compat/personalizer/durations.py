"""ISO 8601 durations, as Personalizer writes them."""

from __future__ import annotations

import re
from decimal import Decimal

from rewardloop.clock import SECOND
from rewardloop.errors import InvalidInput
from rewardloop.settings import Duration
from rewardloop.settings.durations import LONGEST

_TEXT = re.compile(
    r"P(?:(?P<W>\d{1,6})W)?(?:(?P<D>\d{1,6})D)?(?:T(?=\d)(?:(?P<H>\d{1,9})H)?(?:(?P<M>\d{1,9})M)?(?:(?P<S>\d{1,9}(?:\.\d{1,6})?)S)?)?",
    re.ASCII,
)
_SECONDS = {"W": 604_800, "D": 86_400, "H": 3_600, "M": 60, "S": 1}


def parse(text: str, at: str) -> Duration:
    """Raises `InvalidInput`; months and years, whose length varies, are none.

    >>> parse("PT10M", "$"), parse("P1DT0.5S", "$")
    (600000000, 86400500000)
    """
    found = _TEXT.fullmatch(text)
    if found is None or not any(found.groupdict().values()):
        raise InvalidInput(f"Expected an ISO 8601 duration such as `PT10M` or `P1D`, got `{text[:40]}`", at=at)
    seconds = sum((Decimal(n) * _SECONDS[unit] for unit, n in found.groupdict().items() if n), Decimal(0))
    if not 0 < seconds * SECOND <= LONGEST:
        raise InvalidInput(f"Expected a duration over 0 and of at most ten years, got `{text[:40]}`", at=at)
    return Duration(int(seconds * SECOND))


def render(duration: int) -> str:
    """
    >>> render(600_000_000), render(86_400_500_000), render(172_800_000_000)
    ('PT10M', 'P1DT0.5S', 'P2D')
    """
    seconds, micros = divmod(duration, SECOND)
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    parts = [f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M")) if n]
    if seconds or micros:
        parts.append(f"{seconds}.{micros:06d}".rstrip("0").rstrip(".") + "S")
    return f"P{f'{days}D' if days else ''}{'T' + ''.join(parts) if parts else ''}" if days or parts else "PT0S"
