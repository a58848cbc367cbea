"""The section of an evaluation on whole rankings: what it says, what was left out, the estimates as a table."""

from __future__ import annotations

from collections.abc import Iterator

from rewardloop.charts import Section, Table
from rewardloop.evaluation import Estimate, RankedEstimates, RankedReport

_READ = {
    "ranking": (
        "Read from the top: cascade_ips and cascade_dr take a position to depend on what stands there and above, joint_ips on "
        "everything shown, independent_ips (where each position's own probability is known) on what stands there alone."
    ),
    "slots": "Slots are filled one after another, but nothing says in which order they are read: joint_ips alone takes no order.",
    "slate": (
        "Slots are filled independently: joint_ips takes a reward to depend on everything shown, independent_ips on its own slot "
        "alone, pseudo_inverse takes the reward of the whole to be a sum of what each slot adds."
    ),
}
_HEADER = ("of", "policy", "estimator", ">value")


def ranked_sections(found: RankedReport | None) -> list[Section]:
    """None or one."""
    if found is None:
        return []
    about = [_READ[kind.kind] for kind in found.kinds]
    return [Section("Whole rankings", [_used(found), *about, *([ranked_table(found)] if found.kinds else [])])]


def ranked_table(found: RankedReport) -> Table:
    """Every estimate as numbers."""
    level = next((each.level for kind in found.kinds for _, _, each in ranked_rows(kind)), 0.95)
    rows = [
        (kind.kind, policy, name, f"{each.value:.4f}", f"{each.lower:.4f} … {each.upper:.4f}", f"{each.n:,}", f"{each.ess:,.0f}")
        for kind in found.kinds
        for policy, name, each in ranked_rows(kind)
    ]
    return Table((*_HEADER, f">{level:.0%} interval", ">decisions", ">effective"), rows)


def ranked_rows(kind: RankedEstimates) -> Iterator[tuple[str, str, Estimate]]:
    """Policy, estimator and estimate; the differences last."""
    yield from ((policy, name, each) for policy, named in kind.estimates.items() for name, each in named.items())
    against = "hosted" if "hosted" in kind.estimates else "logged"
    yield from ((f"candidate − {against}", name, each) for name, each in kind.difference.items())


def _used(found: RankedReport) -> str:
    kinds = " and ".join(f"{kind.n:,} ({kind.kind}, up to {kind.most_slots} slots)" for kind in found.kinds) or "none"
    return (
        f"What a whole decision earns, the sum over its slots; above, each slot counts for itself. Complete held-out decisions: "
        f"{kinds}; not used, as a slot is missing: {found.n_incomplete:,}. The verdict does not rest on these numbers."
    )
