"""Models out and in with the real SDK, and what is no model."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.ai.personalizer import PersonalizerAdministrationClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from hypothesis import given
from hypothesis import strategies as st

from learned_shop import SHOP, learn
from processes import eventually
from rewardloop import Experiment
from rewardloop.compat.personalizer.archives import MANIFEST, pack, unpack
from rewardloop.compat.personalizer.model_work import export, take_in
from rewardloop.errors import InvalidInput, RewardloopError
from rewardloop.settings import ExperimentSettings
from running_server import register, running


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("models")
    learn(made, 200)
    register(made, ExperimentSettings(experiment="arms", actions=2))
    return made


@pytest.fixture
def archive(data: Path) -> bytes:
    with Experiment.open(SHOP, data) as shop:
        return export(shop, signed=False)


def altered(archive: bytes, name: str, content: bytes) -> bytes:
    """With one member more, or another one."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            if info.filename != name:
                new.writestr(info.filename, old.read(info))
        new.writestr(name, content)
    return out.getvalue()


def admin(port: int, name: str = "shop") -> PersonalizerAdministrationClient:
    endpoint = f"http://127.0.0.1:{port}/experiments/{name}"
    return PersonalizerAdministrationClient(endpoint, AzureKeyCredential("key"), retry_total=0)


def test_out_reset_and_in_again(data: Path) -> None:
    with running(data) as server, admin(server.port) as client:
        hosted = server.get("/v1/experiments/shop").json()["model_id"]
        signed = b"".join(client.export_model(signed=True))
        assert b"".join(client.export_model()) != signed
        made = client.get_model_properties()
        assert datetime.fromisoformat(made["creationTime"]) <= datetime.fromisoformat(made["lastModifiedTime"])
        client.reset_model()
        assert eventually(lambda: server.get("/v1/experiments/shop").json()["model_id"] == "shop.0")
        with pytest.raises(ResourceNotFoundError) as missing:
            client.export_model()
        assert missing.value.response is not None
        missing.value.response.close()  # the SDK leaves it open
        assert "rewardloop run" in server.get("/experiments/shop/personalizer/v1.0/model").json()["error"]["message"]
        client.import_model(io.BytesIO(signed))
        assert eventually(lambda: server.get("/v1/experiments/shop").json()["model_id"] not in ("shop.0", hosted))
        question = {"context": {"age": "young"}, "actions": [{"id": "a", "features": {"kind": "book"}}, "b"], "explore": False}
        assert server.decide(question, "shop").json()["action"] in ("a", "b")
        with pytest.raises(HttpResponseError, match="something else") as caught:
            client.import_model(io.BytesIO(b"no archive"))
        assert caught.value.status_code == 400
        with admin(server.port, "arms") as other, pytest.raises(HttpResponseError, match="other fixed actions"):
            other.import_model(io.BytesIO(signed))
        span = client.get_log_properties()["dateRange"]
        assert datetime.fromisoformat(span["from"]) <= datetime.fromisoformat(span["to"]) <= datetime.now(UTC)
        client.delete_logs()
        assert client.get_log_properties()["dateRange"] == {}
        again = server.decide({**question, "event_id": "after"}, "shop").json()["event_id"]
        assert again == "after"
        span = client.get_log_properties()["dateRange"]
        assert span["from"] == span["to"]


def test_the_imported_model_answers_as_the_exported_one(data: Path, archive: bytes, tmp_path: Path) -> None:
    with Experiment.open(SHOP, data) as shop, Experiment.open(SHOP, tmp_path) as other:
        take_in(other, archive)
        theirs, ours = (each.catalog.hosted("shop") for each in (shop, other))
        assert theirs is not None
        assert ours is not None
        first, second = shop.catalog.model(theirs.model_id), other.catalog.model(ours.model_id)
        assert first.golden == second.golden != ()
        assert other.modelling.parent() is None


def test_a_signature_is_of_one_data_directory(data: Path, tmp_path: Path) -> None:
    with Experiment.open(SHOP, data) as shop, Experiment.open(SHOP, tmp_path) as other:
        with pytest.raises(InvalidInput, match="another data directory"):
            take_in(other, export(shop, signed=True))
        assert other.catalog.hosted("shop") is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("../evil", b"", "plain files"),
        ("/evil", b"", "plain files"),
        ("more", b"", "files that the manifest names"),
        ("policy.json", b"{}", "not the file that its manifest names"),
        (MANIFEST, b"{}", "manifest"),
        ("signature", b"0" * 64, "signature"),
    ],
)
def test_altered_archives_are_refused(data: Path, archive: bytes, name: str, content: bytes, message: str) -> None:
    with Experiment.open(SHOP, data) as shop:
        before = shop.catalog.hosted("shop")
        with pytest.raises(RewardloopError, match=message):
            take_in(shop, altered(archive, name, content))
        assert shop.catalog.hosted("shop") == before


@given(st.binary(max_size=200), st.integers(0, 10_000))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr(MANIFEST, b"{}")
    raw = archive.getvalue()
    cut = at % len(raw)
    for each in (noise, raw[:cut] + noise + raw[cut:]):
        with pytest.raises(RewardloopError):
            unpack(each, tmp_path_factory.getbasetemp(), 1)


def test_packing_is_deterministic(data: Path) -> None:
    with Experiment.open(SHOP, data) as shop:
        hosted = shop.catalog.hosted("shop")
        assert hosted is not None
        record, directory = shop.modelling.store.open(hosted.model_id)
        assert pack(record, directory, 7) == pack(record, directory, 7) != pack(record, directory, 8)
