import uuid

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rewardloop.clock import ManualClock
from rewardloop.ids import MAX_TAG, EventIds, draws, draws_many, event_key, uniform


@given(tag=st.integers(0, MAX_TAG), key=st.integers(0, 2**64 - 1), start=st.integers(0, 2**48 - 1))
def test_an_id_is_a_version_7_uuid_that_names_its_experiment(tag: int, key: int, start: int) -> None:
    ids = EventIds(ManualClock(), key=key, start=start)
    made = ids.new(tag)
    assert (uuid.UUID(made).version, str(uuid.UUID(made)), ids.tag(made)) == (7, made, tag)


def test_ids_of_one_process_differ_and_sort_by_time() -> None:
    clock = ManualClock()
    ids = EventIds(clock, key=1, start=2**48 - 3)
    made = []
    for _ in range(5):
        made += [ids.new(1) for _ in range(3)]
        clock.advance(1_000)
    assert len(set(made)) == 15
    assert [each[:13] for each in made] == sorted(each[:13] for each in made)


STARTS = st.integers(0, 2**48 - 1) | st.integers(0, 300) | st.integers(2**48 - 300, 2**48 - 1)


@given(tag=st.integers(0, MAX_TAG), start=STARTS, sizes=st.lists(st.integers(0, 300), max_size=5))
def test_ids_made_together_are_those_made_one_by_one(tag: int, start: int, sizes: list[int]) -> None:
    together, apart = (EventIds(ManualClock(), key=1, start=start) for _ in range(2))
    assert [made for n in sizes for made in together.many(tag, n)] == [apart.new(tag) for _ in range(sum(sizes))]
    assert together.new(tag, 5_000) == apart.new(tag, 5_999)


def test_an_id_of_another_directory_or_with_a_typing_error_is_not_recognised() -> None:
    ours, theirs = EventIds(ManualClock(), key=1, start=0), EventIds(ManualClock(), key=2, start=0)
    foreign = sum(ours.tag(theirs.new(3)) is not None for _ in range(2_000))
    # 14 bits of check: a foreign id passes once in 16,384; three of 2,000 by chance has a probability of 3e-4.
    assert foreign < 3
    good = ours.new(3)
    mistyped = [good[:i] + ("0" if good[i] != "0" else "1") + good[i + 1 :] for i in range(36) if good[i] != "-"]
    assert sum(ours.tag(each) == 3 for each in mistyped) <= 1


@given(text=st.text(max_size=300))
def test_any_text_may_be_an_id(text: str) -> None:
    ids = EventIds(ManualClock(), key=1, start=0)
    assert ids.tag(text) is None
    assert event_key(text) == event_key(text)
    drawn = draws("offers", text)
    assert 0 <= drawn.seed < 2**64
    assert 0 <= drawn.sample_prob < 1
    assert 0 <= uniform(drawn.seed) < 1


@given(texts=st.lists(st.text(max_size=50)))
def test_drawn_for_many_is_drawn_for_each(texts: list[str]) -> None:
    seeds, sample_probs, uniforms = draws_many("offers", texts)
    assert list(zip(seeds, sample_probs, strict=True)) == [draws("offers", text) for text in texts]
    assert uniforms.tolist() == [uniform(seed) for seed in seeds]


def test_what_is_drawn_is_uniform_and_independent() -> None:
    """False alarm: once in a thousand seeds for each of the three; the ids are fixed."""
    drawn = [draws("offers", f"event-{i}") for i in range(20_000)]
    action = np.array([uniform(each.seed) for each in drawn])
    split = np.array([each.sample_prob for each in drawn])
    assert stats.kstest(action, "uniform").pvalue > 1e-3
    assert stats.kstest(split, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(action, split)[0, 1]) < 3.3 / np.sqrt(len(drawn))
