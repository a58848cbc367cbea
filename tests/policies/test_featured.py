"""Thompson sampling and LinUCB over actions with features: what is shared, what is looked at, what stays bounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.errors import CorruptModel, InvalidInput, InvalidSettings
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions, Ints
from rewardloop.policies import new_policy
from rewardloop.policies.design.beginning import SETTLED, Beginning, Events
from rewardloop.policies.design.joint_terms import CANDIDATES
from rewardloop.policies.design.term_rows import TermRows
from rewardloop.policies.design.terms import Seen, SeenState, Terms, Units, of_action
from rewardloop.policies.model_files import write_model
from rewardloop.policies.native.featured import FeaturedPolicy
from rewardloop.policies.regressions.bilinear import Bilinear
from rewardloop.policies.regressions.memory import Past
from rewardloop.policies.regressions.moments import Moments
from rewardloop.policies.regressions.roots import Roots
from rewardloop.policies.regressions.sums_files import written_sums
from rewardloop.policies.scaling import Scaler
from rewardloop.settings import ExperimentSettings, LearnerSettings, PolicySettings, RewardSettings
from rewardloop.settings.schema import Exploration

GENRES = ("crime", "horror", "romance")


def settings(exploration: Exploration = "lints", max_columns: int = 256) -> ExperimentSettings:
    policy = PolicySettings(exploration=exploration, learner=LearnerSettings(max_columns=max_columns))
    return ExperimentSettings(experiment="films", policy=policy, reward=RewardSettings(range=(0.0, 1.0)))


def films(rng: np.random.Generator, n: int = 6) -> ActionSet:
    """Never the same ones again."""
    made = [
        {
            "id": f"film {rng.integers(1 << 40)}",
            "features": {"genre": str(rng.choice(GENRES)), "length": float(rng.normal(100, 20))},
        }
        for _ in range(n)
    ]
    return parse_actions(msgspec.json.encode(made))


def uniform_events(rng: np.random.Generator, n: int, offered: Sequence[ActionSet] | None = None) -> Interactions:
    """Who has a taste clicks the films of that genre."""
    sets = list(offered or [films(rng) for _ in range(n)])
    sizes = [len(actions) for actions in sets]
    contexts: list[Features] = [{"taste": str(rng.choice(GENRES)), "age": float(rng.normal(40, 10))} for _ in range(n)]
    chosen = np.array([rng.integers(size) for size in sizes])
    own = [of_action(actions, int(action)) for actions, action in zip(sets, chosen, strict=True)]
    return Interactions(
        [str(i) for i in range(n)],
        contexts,
        sets,
        chosen,
        np.array([1 / size for size in sizes]),
        np.array([float(action["genre"] == context["taste"]) for action, context in zip(own, contexts, strict=True)]),
        np.concatenate([np.full(size, 1 / size) for size in sizes]),
        np.concatenate([[0], np.cumsum(sizes)]),
        np.zeros(n),
        np.arange(n),
    )


@pytest.mark.parametrize("exploration", ["lints", "linucb"])
def test_films_that_nobody_has_seen_are_chosen_by_what_they_are(exploration: Exploration) -> None:
    policy, rng = new_policy(settings(exploration), 1), np.random.default_rng(1)
    policy.learn(uniform_events(rng, 400))
    right = 0.0
    for _ in range(50):
        offered, taste = films(rng), str(rng.choice(GENRES))
        pmf = policy.pmf({"taste": taste, "age": 40.0}, offered)
        suits = [of_action(offered, i)["genre"] == taste for i in range(len(offered))]
        right += sum(p for p, suit in zip(pmf, suits, strict=True) if suit) if any(suits) else 1.0
    assert right / 50 > 0.9


def test_a_film_that_is_better_than_its_genre_is_found_among_others_that_come_and_go() -> None:
    rng = np.random.default_rng(2)
    star = msgspec.json.encode({"id": "star", "features": {"genre": "horror", "length": 100.0}})
    sets = [parse_actions(b"[" + star + b"," + bytes(films(rng, 3).raw[1:])) for _ in range(600)]
    events = uniform_events(rng, 600, sets)
    policy = new_policy(settings(), 1)
    policy.learn(replace(events, reward=np.array([float(action == 0) for action in events.action])))
    pmf = policy.pmf({"taste": "crime", "age": 30.0}, parse_actions(films(rng, 3).raw[:-1] + b"," + star + b"]"))
    assert pmf[-1] > 0.9


def test_the_posterior_is_that_of_ridge_regression_on_all_products() -> None:
    rng = np.random.default_rng(3)
    events = uniform_events(rng, 300)
    pairs = [
        (c, of_action(offered, a)) for c, offered, a in zip(events.contexts, events.actions, events.action.tolist(), strict=True)
    ]
    seen = Seen(SeenState())
    seen.look(events.contexts, events.actions)
    terms = Terms.of(seen, Units(0.5, 0.7), 40)
    made = Bilinear.of(Events(pairs, events.reward), terms, 41, (0.0, 1.0), "none")
    scalers = Scaler(), Scaler()
    for scaler, rows in zip(scalers, zip(*pairs, strict=True), strict=True):
        scaler.update(rows)
    design = TermRows(terms, *scalers)
    X = design.events(pairs)
    inverse = np.linalg.inv(X.T @ X + np.eye(design.width))
    offered, context = films(rng), pairs[0][0]
    rows = design.events([(context, of_action(offered, i)) for i in range(len(offered))])
    mean, sd = made.believed().of(context, made.rows.offered(offered))
    np.testing.assert_allclose(mean, rows @ inverse @ X.T @ events.reward, atol=1e-9)
    np.testing.assert_allclose(sd, np.sqrt(np.einsum("kd,de,ke->k", rows, inverse, rows)), atol=1e-9)
    draws = made.drawn(np.random.default_rng(0).normal(size=(4_000, made.width)))
    drawn = made.rows.scores(draws.folded(made.rows.context(context)), made.rows.offered(offered)).T
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=0.1)
    np.testing.assert_allclose(drawn.std(axis=0), sd, rtol=0.1)


def test_actions_that_lack_a_number_are_scored_like_ones_that_have_its_mean() -> None:
    policy, rng = new_policy(settings("linucb"), 1), np.random.default_rng(4)
    events = uniform_events(rng, 100)
    policy.learn(events)
    lengths = [of_action(offered, int(action))["length"] for offered, action in zip(events.actions, events.action, strict=True)]
    mean = float(np.mean(np.array(lengths, float)))
    with_mean, without = (
        parse_actions(b'[{"id": "a", "features": {"genre": "crime"%b}}, {"id": "b", "features": {"length": 90}}]' % more)
        for more in (b', "length": %r' % mean, b"")
    )
    assert isinstance(policy, FeaturedPolicy)
    made = policy._regression
    assert made is not None
    found, expected = (made.believed().of({"taste": "crime"}, made.rows.offered(offered)) for offered in (without, with_mean))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_feature_named_id_stands_for_the_actions_own() -> None:
    offered = parse_actions(b'[{"id": "a", "features": {"id": "series 1"}}, {"id": "b", "features": {"id": 5}}, "c"]')
    assert [of_action(offered, row)["id"] for row in range(3)] == ["series 1", 5.0, "c"]
    policy = new_policy(settings(), 1)
    ones = np.ones(60)
    policy.learn(
        Interactions(
            [str(i) for i in range(60)], [{}] * 60, [offered] * 60, np.arange(60) % 3, ones / 3, (np.arange(60) % 3 == 0) * 1.0,
            np.full(180, 1 / 3), np.arange(0, 181, 3), ones, np.arange(60),
        )
    )  # fmt: skip
    other = parse_actions(b'[{"id": "x", "features": {"id": "series 1"}}, "y", "c"]')
    assert policy.pmf({}, other)[0] > 0.9


def test_what_is_looked_at_is_what_is_often_on_offer_and_products_before_contexts_alone() -> None:
    rng = np.random.default_rng(5)
    seen, events = Seen(SeenState()), uniform_events(rng, 200)
    users: list[Features] = [{**context, "user": f"u{i}"} for i, context in enumerate(events.contexts)]
    seen.look(users, events.actions)
    terms = Terms.of(seen, Units(1.0, 1.0), 256)
    named = [column.value or column.name for column in terms.context.columns]
    products = {(named[i - 1], terms.action.columns[j - 1].name) for i, j in terms.terms if i and j}
    assert {("crime", "genre"), ("age", "length"), ("romance", "length")} <= products
    assert not any(user.startswith("u") and user != "user" for user, _ in products)
    assert not any(column.name == "id" for column in terms.action.columns), "each of them was on offer once"


def test_terms_and_counts_stay_within_their_bounds_whatever_clients_invent() -> None:
    policy, rng = new_policy(settings(max_columns=20), 1), np.random.default_rng(6)
    assert isinstance(policy, FeaturedPolicy)
    for part in range(8):
        events = uniform_events(rng, 100)
        contexts: list[Features] = [{f"made up {part} {i} {j}": 1.0 for j in range(200)} for i in range(100)]
        policy.learn(replace(events, contexts=contexts))
    assert policy._regression is not None
    assert policy._regression.moments.joint <= 21
    assert policy._regression.width <= CANDIDATES + 1
    seen = Seen(SeenState())
    for part in range(3):
        seen.look([{f"name {part} {i} {j}": 1.0 for j in range(100)} for i in range(100)], [films(rng)] * 100)
    assert len(seen.state().context) <= 10_000


def test_terms_are_chosen_again_while_events_are_few_and_then_stay() -> None:
    rng, beginning, chosen = np.random.default_rng(7), Beginning.new(), []
    for n in range(SETTLED):
        events = uniform_events(rng, 1)
        pair = (events.contexts[0], of_action(events.actions[0], int(events.action[0])))
        beginning.add(Events([pair], events.reward), events.actions)
        if beginning.choose(64) is not None:
            chosen.append(n + 1)
    assert chosen[:5] == [1, 2, 3, 4, 5]
    assert len(chosen) < 40
    assert chosen[-1] == SETTLED
    assert beginning.over


def test_a_model_saved_at_its_beginning_learns_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    first, second = uniform_events(rng, 450), uniform_events(rng, 100)
    whole, saved = new_policy(settings(), 1), new_policy(settings(), 1)
    whole.learn(first)
    saved.learn(first)
    saved.save(tmp_path)
    loaded = FeaturedPolicy.load(tmp_path)
    whole.learn(second)
    loaded.learn(second)
    offered = films(rng)
    assert list(whole.pmf({"taste": "crime"}, offered)) == list(loaded.pmf({"taste": "crime"}, offered))


NAMED = parse_actions(b'["red", "green", "blue"]')


def events_of_ages(rng: np.random.Generator, n: int) -> Interactions:
    """Three actions by name, of which the middle-aged want green."""
    base, ages = uniform_events(rng, n, [films(rng, 3) for _ in range(n)]), rng.uniform(18, 80, n)
    contexts: list[Features] = [{"age": float(age)} for age in ages]
    return replace(base, contexts=contexts, actions=[NAMED] * n, reward=(base.action == wanted(ages)).astype(float))


def wanted(ages: Floats) -> Ints:
    return np.digitize(ages, [40, 60])


def test_a_rule_that_turns_twice_along_a_number_is_learned_of_actions_by_name() -> None:
    """No weight of the age says what is in its middle; its square does."""
    policy, rng = new_policy(settings(), 1), np.random.default_rng(1)
    policy.learn(events_of_ages(rng, 1_200))
    ages = np.arange(18.0, 80.0, 0.5)
    pmf = policy.pmf_many([{"age": age} for age in ages.tolist()], [NAMED] * len(ages)).reshape(-1, 3)
    assert np.mean(pmf.argmax(axis=1) == wanted(ages)) > 0.9


def test_contexts_are_multiplied_with_themselves_where_there_is_room_for_all_of_it() -> None:
    seen = Seen(SeenState())
    seen.look([{"age": 31.0, "os": "ios"}, {"age": 40.0, "os": "linux"}], [parse_actions(b'["a", "b"]')] * 2)
    alone = Terms.of(seen, Units(1.0, 1.0), limit=256)
    crossed = Terms.of(seen, Units(1.0, 1.0), limit=256)
    crossed.cross(256)
    places = crossed.context
    age, ios, linux = places.numbers["age"], places.words["os"]["ios"], places.words["os"]["linux"]
    assert set(places.products) == {(age, age), (min(age, ios), max(age, ios)), (min(age, linux), max(age, linux))}
    assert len(crossed.terms) == len(alone.terms) + 3 * 3
    row = TermRows(crossed, Scaler(), Scaler()).context({"age": 2.0, "os": "ios"})
    assert row[places.products[age, age]] == row[age] ** 2
    assert row[places.products[min(age, linux), max(age, linux)]] == 0.0
    narrow = Terms.of(seen, Units(1.0, 1.0), limit=256)
    narrow.cross(len(crossed.terms) - 2)
    assert narrow.terms == alone.terms


def test_a_model_with_products_of_contexts_is_the_same_again_from_its_files(tmp_path: Path) -> None:
    policy, events = new_policy(settings(), 1), events_of_ages(np.random.default_rng(1), 300)
    policy.learn(events)
    policy.save(tmp_path)
    loaded = FeaturedPolicy.load(tmp_path)
    policy.learn(events)
    loaded.learn(events)
    assert list(loaded.pmf({"age": 30.0}, NAMED)) == list(policy.pmf({"age": 30.0}, NAMED))
    state, sums = ((tmp_path / name).read_bytes() for name in ("featured.json", "featured.npz"))
    broken = state.replace(b'"product","","",[1,', b'"product","","",[99,')
    assert broken != state
    write_model(tmp_path, "featured", {"featured.json": broken, "featured.npz": sums})
    with pytest.raises(CorruptModel, match="a product of columns that are not there"):
        FeaturedPolicy.load(tmp_path)


def test_a_model_with_terms_apart_is_the_same_again_from_its_files(tmp_path: Path) -> None:
    rng, policy = np.random.default_rng(12), new_policy(settings(max_columns=6), 1)
    for part in (uniform_events(rng, 1_100), uniform_events(rng, 5)):
        policy.learn(part)
    policy.save(tmp_path)
    loaded, more, offered = FeaturedPolicy.load(tmp_path), uniform_events(rng, 50), films(rng)
    assert isinstance(policy, FeaturedPolicy)
    assert policy._regression is not None
    assert len(policy._regression._apart) > 10
    for event in range(50):
        for one in (policy, loaded):
            one.learn(from_one(more, event))
    assert list(loaded.pmf({"taste": "crime"}, offered)) == list(policy.pmf({"taste": "crime"}, offered))


def test_a_model_of_an_earlier_version_is_read_and_learns_on(tmp_path: Path) -> None:
    """It held sums: of products of rows, and of rewards with rows, whole and recent."""
    rng, policy = np.random.default_rng(13), new_policy(settings(), 1)
    policy.learn(uniform_events(rng, 300))
    assert isinstance(policy, FeaturedPolicy)
    made = policy._regression
    assert made is not None
    policy.save(tmp_path)
    sums, recent = (moments_of(roots) for roots in made.past if roots is not None)
    archive = written_sums(Past(sums, recent))
    state = (tmp_path / "featured.json").read_bytes().replace(b',"sums":"roots"', b"")
    write_model(tmp_path, "featured", {"featured.json": state, "featured.npz": archive})
    loaded, offered = FeaturedPolicy.load(tmp_path), films(rng)
    context: Features = {"taste": "crime", "age": 30.0}
    assert loaded._regression is not None
    rows = made.rows.offered(offered)
    found, expected = (one.believed().of(context, rows) for one in (loaded._regression, made))
    np.testing.assert_allclose(np.array(found), np.array(expected), atol=1e-9)
    loaded.learn(uniform_events(rng, 40))
    assert np.sum(loaded.pmf(context, offered)) == pytest.approx(1.0)
    sums.inverse[0] = -sums.inverse[0]
    write_model(tmp_path, "featured", {"featured.json": state, "featured.npz": written_sums(Past(sums, recent))})
    with pytest.raises(CorruptModel, match="the sums of a ridge regression"):
        FeaturedPolicy.load(tmp_path)


def from_one(events: Interactions, at: int) -> Interactions:
    """The same without the first."""
    return replace(
        events, contexts=events.contexts[at:], actions=events.actions[at:], action=events.action[at:], reward=events.reward[at:]
    )


def moments_of(roots: Roots) -> Moments:
    S, made = roots.whole_root(), Moments(1, roots.width)
    made.inverse[0] = S @ S.T
    A = np.linalg.inv(made.inverse[0])
    made.gram[0], made.rewarded[0] = A - np.eye(roots.width), A @ roots.learned[0]
    return made


def test_what_it_cannot_do_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="Expected `lints` or `linucb`"):
        FeaturedPolicy.new(ExperimentSettings(experiment="films", actions=2, policy=PolicySettings(exploration="lints")), 0)
    named = LearnerSettings(interactions=(("user", "item"),))
    with pytest.raises(InvalidSettings, match="`regcbopt` takes them by name"):
        FeaturedPolicy.new(ExperimentSettings(experiment="films", policy=PolicySettings(exploration="lints", learner=named)), 0)
    policy, events = new_policy(settings(), 1), uniform_events(np.random.default_rng(9), 2)
    with pytest.raises(InvalidInput, match="finite rewards"):
        policy.learn(replace(events, reward=np.array([1.0, np.nan])))
    assert policy.pmf({}, films(np.random.default_rng(9), 4)) == [0.25] * 4
