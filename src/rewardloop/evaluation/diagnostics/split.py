"""Sample-ratio mismatch: is the draw that sends events to training or evaluation uniform, and the share as it should be?"""

from __future__ import annotations

from rewardloop.evaluation.diagnostics.finding import ALPHA, Finding
from rewardloop.lake.observed import Observed


def sample_ratio(log: Observed) -> Finding:
    """Kolmogorov–Smirnov of `sample_prob` against uniform, and a binomial test of the training share. Level `ALPHA`."""
    draws = log.interactions.sample_prob
    if not log.has_sample_prob or not len(draws):
        return Finding("sample_ratio", "note", "Not checked: no `sample_prob` says which events train and which evaluate.")
    from scipy.stats import binomtest, kstest  # noqa: PLC0415 - half a second, which no command that looks at no log should pay

    p = float(kstest(draws, "uniform").pvalue)
    numbers = {"p_uniform": p}
    told = f"the draws are not uniform (p = {p:.1g})" if 2 * p < ALPHA else ""
    if log.train_ratio is not None:
        train = int((draws <= log.train_ratio).sum())
        share = float(binomtest(train, len(draws), log.train_ratio).pvalue)
        numbers |= {"p_share": share, "train_share": train / len(draws), "train_ratio": log.train_ratio}
        if 2 * share < ALPHA:
            told = f"{train / len(draws):.1%} of events train, and {log.train_ratio:.1%} should (p = {share:.1g})"
    if not told:
        return Finding("sample_ratio", "ok", f"Training and evaluation are drawn as they should be (p = {p:.2g}).", numbers)
    return Finding(
        "sample_ratio",
        "error",
        f"Training and evaluation are not drawn at random: {told}.",
        numbers,
        "The held-out events differ from the traffic: what is estimated on them is not what will be earned.",
        "Find what drops events after the decision (a filter, a client that loses some rewards), or what sets `sample_prob`.",
    )
