"""The counts of all workers in Prometheus' text format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from rewardloop.serving.counts import BUCKETS, Counts, ExperimentCounts, Timing

_BY_EXPERIMENT: dict[str, tuple[str, Callable[[ExperimentCounts], int]]] = {
    "decisions": ("Decisions answered", lambda counts: counts.decisions),
    "rewards": ("Rewards accepted", lambda counts: counts.rewards),
    "activations": ("Activations accepted", lambda counts: counts.activations),
    "model_swaps": ("Models taken into service, summed over workers", lambda counts: counts.swaps),
    "models_refused": ("Models that a worker refused to serve", lambda counts: counts.refused_models),
    "trial_champion_scored": ("Decisions of the newest trial that the champion scored", lambda counts: counts.trial.champion.n),
    "trial_challenger_scored": ("Decisions that the challenger scored", lambda counts: counts.trial.challenger.n),
    "trial_challenger_errors": ("Decisions in which the challenger failed", lambda counts: counts.trial.errors),
    "failed_commits": ("Requests not acknowledged because the log could not be written", lambda counts: counts.failed_commits),
}


def render(workers: Mapping[str, Counts]) -> bytes:
    """The exposition; counters and histograms are summed over workers, what is hosted is shown for each."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(workers))
    return generate_latest(registry)


class _Collected(Collector):
    def __init__(self, workers: Mapping[str, Counts]) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        counts = self._workers.values()
        yield _requests(counts)
        yield _latencies(counts)
        for name, (documentation, value) in _BY_EXPERIMENT.items():
            yield _by_experiment(name, documentation, value, counts)
        yield from _hosted(self._workers)


def _requests(workers: Iterable[Counts]) -> Metric:
    family = CounterMetricFamily("rewardloop_requests", "HTTP requests answered", labels=("operation", "status"))
    total: Counter[str] = Counter()
    for counts in workers:
        total.update(counts.requests)
    for key, n in sorted(total.items()):
        family.add_metric(key.split(" "), n)
    return family


def _latencies(workers: Iterable[Counts]) -> Metric:
    family = HistogramMetricFamily("rewardloop_request_seconds", "From the body's arrival to the answer", labels=("operation",))
    merged: dict[str, list[Timing]] = {}
    for counts in workers:
        for operation, timing in counts.timings.items():
            merged.setdefault(operation, []).append(timing)
    bounds = [*map(str, BUCKETS), "+Inf"]
    for operation, timings in sorted(merged.items()):
        sums = accumulate(map(sum, zip(*(timing.buckets for timing in timings), strict=True)))
        family.add_metric([operation], list(zip(bounds, sums, strict=True)), sum(timing.seconds for timing in timings))
    return family


def _by_experiment(name: str, documentation: str, value: Callable[[ExperimentCounts], int], workers: Iterable[Counts]) -> Metric:
    family = CounterMetricFamily(f"rewardloop_{name}", documentation, labels=("experiment",))
    total: Counter[str] = Counter()
    for counts in workers:
        for experiment, counted in counts.experiments.items():
            total[experiment] += value(counted)
    for experiment, n in sorted(total.items()):
        family.add_metric([experiment], n)
    return family


def _hosted(workers: Mapping[str, Counts]) -> Iterator[Metric]:
    hosted = GaugeMetricFamily("rewardloop_hosted_model", "1 for the model hosted", labels=("experiment", "model_id", "worker"))
    ready = GaugeMetricFamily("rewardloop_ready", "1 where the experiment can be served", labels=("experiment", "worker"))
    for worker, counts in workers.items():
        for experiment, counted in sorted(counts.experiments.items()):
            hosted.add_metric([experiment, counted.model_id, worker], 1)
            ready.add_metric([experiment, worker], int(counted.ready))
    yield hosted
    yield ready
