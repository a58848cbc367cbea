"""SageMaker's own SDKs, versions 2 and 3, each in the environment that `make test` makes for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ENVIRONMENTS = Path(os.environ.get("REWARDLOOP_CLIENTS", sys.prefix))
"""Where the environments `sagemaker2` and `sagemaker3` are."""

VERSION_2 = """
import json
from botocore.exceptions import ClientError
from sagemaker import __version__
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer, JSONLinesDeserializer
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer, JSONLinesSerializer, JSONSerializer

def predictor(name, serializer=JSONSerializer(), deserializer=JSONDeserializer()):
    return Predictor(name, serializer=serializer, deserializer=deserializer)

arms, shop = predictor("arms"), predictor("shop")
decided = arms.predict({"request_type": "observation", "observation": [1, 3]})
found = {
    "version": __version__,
    "decided": decided,
    "model": arms.predict({"request_type": "model_id", "observation": None}),
    "rewarded": arms.predict({"request_type": "reward", "event_id": decided["event_id"], "reward": 1.0}),
    "ranked": shop.predict({"shared_context": None, "actions_context": [[1], [2]], "top_k": 1, "user_id": 0}),
    "lines": predictor("arms", JSONLinesSerializer(), JSONLinesDeserializer()).predict([[1, 2], [3, 4]]),
    "rows": predictor("arms", CSVSerializer(), CSVDeserializer()).predict([[1.5, 2], [3, 4]]),
}
try:
    arms.predict({"observation": "all"})
except ClientError as error:
    found["refused"] = error.response["Error"]
print(json.dumps(found))
"""

VERSION_3 = """
import json
from importlib.metadata import version
from botocore.exceptions import ClientError
from sagemaker.core.deserializers import JSONDeserializer
from sagemaker.core.resources import Endpoint
from sagemaker.core.serializers import JSONSerializer

def invoke(name, body):
    return json.loads(Endpoint(endpoint_name=name).invoke(
        body=json.dumps(body), content_type="application/json", accept="application/json").body.read())

decided = invoke("arms", {"request_type": "observation", "observation": [1, 3]})
whole = Endpoint(endpoint_name="arms", serializer=JSONSerializer(), deserializer=JSONDeserializer())
found = {
    "version": version("sagemaker"),
    "decided": decided,
    "model": whole.invoke(body={"request_type": "model_id", "observation": None}, content_type="application/json").body,
    "rewarded": invoke("arms", {"request_type": "reward", "event_id": decided["event_id"], "reward": 1.0}),
    "ranked": invoke("shop", {"shared_context": None, "actions_context": [[1], [2]], "top_k": 1, "user_id": 0}),
}
try:
    invoke("arms", {"observation": "all"})
except ClientError as error:
    found["refused"] = error.response["Error"]
print(json.dumps(found))
"""


def told_by(environment: str, script: str) -> Any:
    """What a script prints that runs in an environment of its own, pointed here by its environment alone."""
    python = ENVIRONMENTS / environment / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no environment {environment}: `make test` makes it")
    settings = {**os.environ, "SAGEMAKER_SUPPRESS_V2_WARNING": "1", "PYTHONWARNINGS": "ignore"}
    ran = subprocess.run([python, "-c", script], capture_output=True, text=True, timeout=600, env=settings, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(("environment", "script", "major"), [("sagemaker2", VERSION_2, "2."), ("sagemaker3", VERSION_3, "3.")])
def test_the_sdk_works_unchanged(environment: str, script: str, major: str) -> None:
    found = told_by(environment, script)
    assert found["version"].startswith(major)
    assert found["decided"]["action"] in (1, 2, 3)
    assert found["model"]["model_id"] == "arms.0"
    assert found["rewarded"] == {"status": "success"}
    assert found["ranked"]["actions"][0] in (0, 1)
    assert found["refused"]["Code"] == "ValidationError"
    assert "$.observation" in found["refused"]["Message"]
    assert len(found.get("lines", [1, 2])) == len(found.get("rows", [1, 2])) == 2
