"""The laws of the catalog, as tests. Subclass `CatalogContract` for a catalog on another database."""

from __future__ import annotations

import msgspec
import pytest

from rewardloop.errors import Conflict, InvalidInput, InvalidSettings, UnknownExperiment, UnknownKey, UnknownModel
from rewardloop.registry import Catalog, Deployment, GoldenRequest, ModelRecord
from rewardloop.registry.api_keys import ApiKey
from rewardloop.settings import ExperimentSettings, PolicySettings

OFFERS = ExperimentSettings(experiment="offers", actions=("none", "free_shipping"))
PRICES = ExperimentSettings(experiment="prices")
HOSTILE = ["", "OFFERS", "offers' OR '1'='1", "offers; DROP TABLE models", "%", "\x00", "\udc80", "offers\n", "é", "a" * 10_000]


def model_record(n: int = 1, settings: ExperimentSettings = OFFERS) -> ModelRecord:
    """A manifest such as a trainer writes."""
    return ModelRecord(
        model_id=f"{settings.experiment}.{n}",
        experiment=settings.experiment,
        parent=f"{settings.experiment}.{n - 1}" if n > 1 else None,
        created_at=1_000 + n,
        watermark=900 + n,
        dataset="5f" * 16,
        n_trained=500,
        settings=settings,
        metrics={"loss": 0.1},
        golden=(GoldenRequest(context='{"age":31}', actions='["none","free_shipping"]', pmf=(0.1, 0.9)),),
        files={"weights": "00" * 32},
    )


def api_key(name: str = "shop", key_id: str = "00ff", experiments: tuple[str, ...] = ()) -> ApiKey:
    """What is kept of a key."""
    return ApiKey(
        key_id=key_id, name=name, digest="5f" * 32, roles=("decide", "reward"), experiments=experiments, signs=True, created_at=5
    )


def host(catalog: Catalog, *model_ids: str, reason: str = "gate") -> None:
    for model_id in model_ids:
        experiment = model_id.partition(".")[0]
        at = len(catalog.deployments(experiment))
        catalog.record_deployment(Deployment(experiment=experiment, model_id=model_id, deployed_at=at, reason=reason))


def roll_back(catalog: Catalog) -> str | None:
    """What `rewardloop rollback` does to the catalog."""
    previous = catalog.previous_hosted("offers")
    if previous is not None:
        host(catalog, previous, reason="roll back")
    return previous


class CatalogContract:
    """Define a fixture `catalog` that gives an empty catalog, and inherit the laws."""

    def test_an_experiment_keeps_its_tag_and_its_first_instant(self, catalog: Catalog) -> None:
        first = catalog.register(OFFERS, 5)
        assert catalog.register(OFFERS, 9) == first == catalog.experiment("offers")
        assert (first.tag, first.created_at, first.settings) == (1, 5, OFFERS)

    def test_tags_are_never_shared(self, catalog: Catalog) -> None:
        entries = [catalog.register(ExperimentSettings(experiment=f"e{i}"), i) for i in range(5)]
        assert [entry.tag for entry in entries] == [1, 2, 3, 4, 5]
        assert catalog.experiments() == entries

    def test_new_settings_take_the_place_of_old_ones(self, catalog: Catalog) -> None:
        catalog.register(OFFERS, 5)
        changed = msgspec.structs.replace(OFFERS, policy=PolicySettings(floor=0.5))
        assert catalog.register(changed, 6) == catalog.experiment("offers")
        assert catalog.experiment("offers").settings == changed

    @pytest.mark.parametrize("actions", [None, 2, ("none",), ("free_shipping", "none"), ("none", "free_shipping", "ten_percent")])
    def test_other_actions_are_a_conflict_and_change_nothing(self, catalog: Catalog, actions: int | tuple[str, ...] | None) -> None:
        catalog.register(OFFERS, 5)
        with pytest.raises(Conflict, match="with the 2 actions none, free_shipping, now has"):
            catalog.register(msgspec.structs.replace(OFFERS, actions=actions), 6)
        assert catalog.experiment("offers").settings == OFFERS

    def test_a_number_of_actions_is_the_same_as_their_names(self, catalog: Catalog) -> None:
        catalog.register(ExperimentSettings(experiment="offers", actions=2), 5)
        named = ExperimentSettings(experiment="offers", actions=("1", "2"))
        assert catalog.register(named, 6).settings == named

    def test_settings_that_no_file_could_hold_are_refused(self, catalog: Catalog) -> None:
        with pytest.raises(InvalidSettings):
            catalog.register(ExperimentSettings(experiment="../offers"), 5)
        assert catalog.experiments() == []

    def test_an_unknown_experiment_is_told_the_nearest(self, catalog: Catalog) -> None:
        catalog.register(OFFERS, 5)
        with pytest.raises(UnknownExperiment, match="Unknown experiment `ofers`; did you mean `offers`"):
            catalog.experiment("ofers")
        with pytest.raises(UnknownExperiment):
            catalog.next_model_number("ofers")
        with pytest.raises(UnknownExperiment):
            catalog.add_model(model_record(1, PRICES))
        with pytest.raises(UnknownExperiment):
            host(catalog, "prices.1")
        with pytest.raises(UnknownExperiment):
            catalog.record_evaluation("prices", "prices.1", None, 1, "promote", "{}")

    @pytest.mark.parametrize("name", HOSTILE)
    def test_a_hostile_name_is_unknown_and_harmless(self, catalog: Catalog, name: str) -> None:
        catalog.register(OFFERS, 5)
        for ask in (catalog.experiment, catalog.next_model_number):
            with pytest.raises(UnknownExperiment) as caught:
                ask(name)
            assert str(caught.value).isascii()
        with pytest.raises(UnknownModel):
            catalog.model(name)
        assert not catalog.models(name)
        assert not catalog.deployments(name)
        assert not catalog.evaluations(name)
        assert catalog.hosted(name) is None
        assert catalog.previous_hosted(name) is None
        assert [entry.name for entry in catalog.experiments()] == ["offers"]

    def test_model_numbers_count_from_one_for_each_experiment(self, catalog: Catalog) -> None:
        catalog.register(OFFERS, 5)
        catalog.register(PRICES, 5)
        assert [catalog.next_model_number("offers") for _ in range(3)] == [1, 2, 3]
        assert catalog.next_model_number("prices") == 1

    def test_models_come_back_as_they_were_oldest_first(self, catalog: Catalog) -> None:
        catalog.register(OFFERS, 5)
        catalog.register(PRICES, 5)
        records = [model_record(n) for n in (1, 2, 10)]
        for record in [records[2], records[0], model_record(99, PRICES), records[1]]:
            catalog.add_model(record)
        assert catalog.models("offers") == records
        assert catalog.models("offers", limit=2) == records[1:]
        assert catalog.model("offers.2") == records[1]
        assert catalog.newest_model("offers") == records[2]

    def test_the_same_model_twice_is_once_and_another_under_its_id_a_conflict(self, catalog: Catalog) -> None:
        catalog.register(OFFERS, 5)
        catalog.add_model(model_record(1))
        catalog.add_model(model_record(1))
        with pytest.raises(Conflict, match="never changed"):
            catalog.add_model(msgspec.structs.replace(model_record(1), n_trained=7))
        assert catalog.models("offers") == [model_record(1)]

    @pytest.mark.parametrize("model_id", ["prices.1", "offers.0", "offers.1+2"])
    def test_only_trained_models_of_the_experiment_are_entered(self, catalog: Catalog, model_id: str) -> None:
        catalog.register(OFFERS, 5)
        with pytest.raises(InvalidInput, match="Expected a trained model of experiment `offers`"):
            catalog.add_model(msgspec.structs.replace(model_record(1), model_id=model_id))

    def test_an_unknown_model_is_told_the_nearest(self, catalog: Catalog) -> None:
        catalog.register(OFFERS, 5)
        assert catalog.newest_model("offers") is None
        catalog.add_model(model_record(12))
        with pytest.raises(UnknownModel, match=r"Unknown model `offers\.13`; did you mean `offers\.12`"):
            catalog.model("offers.13")

    def test_the_newest_deployment_is_hosted(self, catalog: Catalog) -> None:
        catalog.register(OFFERS, 5)
        assert catalog.hosted("offers") is None
        host(catalog, "offers.1", "offers.2")
        assert catalog.hosted("offers") == Deployment(experiment="offers", model_id="offers.2", deployed_at=1, reason="gate")
        assert [d.model_id for d in catalog.deployments("offers")] == ["offers.1", "offers.2"]
        assert [d.model_id for d in catalog.deployments("offers", limit=1)] == ["offers.2"]

    def test_rolling_back_again_and_again_walks_back_to_the_first(self, catalog: Catalog) -> None:
        catalog.register(OFFERS, 5)
        assert roll_back(catalog) is None
        host(catalog, "offers.1", "offers.2", "offers.3")
        assert [roll_back(catalog) for _ in range(3)] == ["offers.2", "offers.1", None]

    def test_a_deployment_after_a_roll_back_stands_on_what_was_rolled_back_to(self, catalog: Catalog) -> None:
        catalog.register(OFFERS, 5)
        host(catalog, "offers.1", "offers.2", "offers.3")
        roll_back(catalog)
        host(catalog, "offers.4")
        assert [roll_back(catalog) for _ in range(3)] == ["offers.2", "offers.1", None]

    def test_hosting_an_old_model_by_hand_is_a_step_that_a_roll_back_undoes(self, catalog: Catalog) -> None:
        catalog.register(OFFERS, 5)
        host(catalog, "offers.1", "offers.2", "offers.3", "offers.1")
        assert [roll_back(catalog) for _ in range(4)] == ["offers.3", "offers.2", "offers.1", None]

    def test_the_same_model_hosted_twice_is_one_step(self, catalog: Catalog) -> None:
        catalog.register(OFFERS, 5)
        host(catalog, "offers.1", "offers.2", "offers.2")
        assert [roll_back(catalog) for _ in range(2)] == ["offers.1", None]

    def test_a_roll_back_over_several_steps_forgets_those_between(self, catalog: Catalog) -> None:
        catalog.register(OFFERS, 5)
        host(catalog, "offers.1", "offers.2", "offers.3", "offers.4")
        host(catalog, "offers.2", reason="roll back")
        assert [roll_back(catalog) for _ in range(2)] == ["offers.1", None]

    def test_deployments_of_one_experiment_are_none_of_anothers(self, catalog: Catalog) -> None:
        catalog.register(OFFERS, 5)
        catalog.register(PRICES, 5)
        host(catalog, "offers.1", "prices.1", "offers.2")
        assert catalog.previous_hosted("prices") is None
        assert catalog.previous_hosted("offers") == "offers.1"

    def test_evaluations_come_back_as_they_were_oldest_first(self, catalog: Catalog) -> None:
        catalog.register(OFFERS, 5)
        catalog.record_evaluation("offers", "offers.1", None, 7, "promote", b'{"n": 3}')
        catalog.record_evaluation("offers", "offers.2", "offers.1", 8, "refuse", '{"n": 4, "name": "\u00e9"}')
        first, second = catalog.evaluations("offers")
        assert (first.candidate, first.hosted, first.evaluated_at, first.verdict) == ("offers.1", None, 7, "promote")
        assert msgspec.json.decode(second.report) == {"n": 4, "name": "é"}
        assert catalog.evaluations("offers", limit=1) == [second]

    def test_keys_are_kept_and_revoked_by_name_or_id(self, catalog: Catalog) -> None:
        shop, page = api_key(), api_key("page", "11ee")
        catalog.add_key(shop)
        catalog.add_key(page)
        assert catalog.api_keys() == [shop, page]
        assert catalog.revoke_key("shop", 9) == msgspec.structs.replace(shop, revoked_at=9)
        assert catalog.revoke_key("11ee", 9).name == "page"
        assert [key.revoked_at for key in catalog.api_keys()] == [9, 9]

    def test_a_key_is_revoked_once_and_its_name_is_free_again(self, catalog: Catalog) -> None:
        catalog.add_key(api_key())
        with pytest.raises(Conflict, match="named `shop`"):
            catalog.add_key(api_key(key_id="11ee"))
        catalog.revoke_key("shop", 9)
        with pytest.raises(UnknownKey):
            catalog.revoke_key("shop", 10)
        catalog.add_key(api_key(key_id="11ee"))
        with pytest.raises(UnknownKey, match="did you mean `shop`"):
            catalog.revoke_key("shpo", 9)

    def test_a_key_is_for_experiments_that_there_are(self, catalog: Catalog) -> None:
        catalog.register(OFFERS, 1)
        with pytest.raises(UnknownExperiment, match="did you mean `offers`"):
            catalog.add_key(api_key(experiments=("offer",)))
        catalog.add_key(api_key(experiments=("offers",)))
        assert [key.experiments for key in catalog.api_keys()] == [("offers",)]
