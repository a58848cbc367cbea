"""`rewardloop keys`: shown once, kept as a hash, revoked by name."""

from __future__ import annotations

import pytest

from rewardloop.registry.api_keys import is_of, token_of
from rewardloop.registry.catalog import Catalog


def test_a_key_is_shown_once_and_kept_as_a_hash(offers, tmp_path):
    made = offers("keys", "add", "shop", "--json", "--data", str(tmp_path / "data")).json
    token = token_of(made["key"])
    with Catalog(tmp_path / "data") as catalog:
        [kept] = catalog.api_keys()
    assert is_of(token, kept.digest)
    assert (kept.roles, kept.experiments, kept.signs) == (("decide", "reward"), (), False)
    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file() and token.secret.encode() in path.read_bytes()]
    listed = offers("keys", "list", "--data", str(tmp_path / "data"))
    assert "shop" in listed.out
    assert token.secret not in listed.out
    assert kept.digest not in offers("keys", "list", "--json", "--data", str(tmp_path / "data")).out


def test_with_aws_there_is_a_pair_whose_secret_is_nowhere(offers, tmp_path):
    data = tmp_path / "data"
    made = offers("keys", "add", "notebook", "--aws", "--json", "--data", str(data)).json
    assert made["aws_access_key_id"] == made["key_id"]
    secret = made["aws_secret_access_key"].encode()
    assert not [path for path in data.rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert ((data / "signing.root").stat().st_mode & 0o777) == 0o600


def test_revoking(offers, tmp_path):
    data = ("--data", str(tmp_path / "data"))
    offers("keys", "add", "shop", *data)
    assert "is revoked" in offers("keys", "revoke", "shop", *data).out
    again = offers("keys", "revoke", "shop", *data)
    assert (again.code, "that could be revoked" in again.err) == (1, True)
    assert offers("keys", "list", "--json", *data).json[0]["revoked_at"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "shop", "--role", "decider"], "decide"),
        (["add", "shop", "--experiment", "offerz"], "Unknown experiment"),
        (["add", ""], "1 to 64"),
        (["add", "a\nb"], "printable"),
        (["add", "x" * 65], "1 to 64"),
        (["ad", "shop"], "did you mean `add`"),
        (["revoke", "nobody"], "No key `nobody`"),
    ],
)
def test_mistakes_are_one_line(rewardloop, arguments, said):
    ran = rewardloop("keys", *arguments)
    assert ran.code in (1, 2)
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_no_keys_is_said_so(rewardloop):
    assert "may do everything" in rewardloop("keys", "list").out
    assert rewardloop("keys", "list", "--json").json == []
