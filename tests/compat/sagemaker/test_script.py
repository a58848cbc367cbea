"""A training script of SageMaker's script mode runs as it is, with a `vw` that reads standard input."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rewardloop.compat.sagemaker.joined import folder
from rewardloop.compat.sagemaker.script import Job, ScriptFailed, hyperparameter, run_script
from rewardloop.compat.sagemaker.vw_executable import driver_arguments
from rewardloop.errors import InvalidInput, NotFound
from rewardloop.registry.layout import DataDirectory

TRAIN = """
import argparse, json, os, shutil, subprocess
parser = argparse.ArgumentParser()
parser.add_argument("--epsilon", type=float)
parser.add_argument("--policy")
options = parser.parse_args()
assert json.loads(os.environ["SM_HPS"]) == {"epsilon": 0.1, "policy": "egreedy"}
assert json.loads(os.environ["SM_CHANNELS"]) == ["training"]
assert (options.epsilon, options.policy, os.environ["SM_HP_POLICY"]) == (0.1, "egreedy", "egreedy")
assert os.getcwd() == os.path.dirname(os.path.abspath(__file__))
model = os.path.join(os.environ["SM_MODEL_DIR"], "vw.model")
learning = subprocess.Popen(
    ["vw", "--cb_explore", "2", "--epsilon", str(options.epsilon), "-f", model, "--save_resume"],
    stdin=subprocess.PIPE, stderr=subprocess.PIPE)
with open(os.path.join(os.environ["SM_CHANNEL_TRAINING"], "rows.txt"), "rb") as rows:
    _, told = learning.communicate(rows.read())
assert learning.returncode == 0, told
assert b"number of examples = 40" in told
asking = subprocess.Popen(["vw", "-t", "--quiet", "-i", model, "-p", "/dev/stdout"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
asking.stdin.write(b"| x1:1\\n"); asking.stdin.flush()
answer = asking.stdout.readline()   # line by line, as an evaluation script asks
asking.stdin.close(); asking.wait(); asking.stdout.close()
with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "answer.txt"), "wb") as file:
    file.write(answer)
"""


def job(folder: Path, script: str = TRAIN, name: str = "train.py") -> Job:
    (folder / name).write_text(script)
    (folder / "rows.txt").write_text("1:-1.0:0.5 | x1:1\n2:0.0:0.5 | x1:1\n" * 20)
    wanted = dict(map(hyperparameter, ("epsilon=0.1", "policy=egreedy")))
    return Job(folder / name, {"training": folder}, wanted, folder / "model", folder / "output")


def test_a_training_script_runs(tmp_path: Path) -> None:
    run_script(job(tmp_path), os.environ)
    assert (tmp_path / "model" / "vw.model").stat().st_size > 0
    first, second = (float(part.split(":")[-1]) for part in (tmp_path / "output" / "answer.txt").read_text().split(","))
    assert first > second


def test_a_shell_script_runs_vw_on_a_file_and_in_a_pipe(tmp_path: Path) -> None:
    learn = "vw --quiet --cb 2 rows.txt -f a.vw && cat rows.txt | vw --quiet --cb 2 -f b.vw"
    ask = "for m in a b; do vw --quiet -t -i $m.vw rows.txt -p $m.txt || exit 1; done; test -s a.txt && cmp a.txt b.txt"
    run_script(job(tmp_path, f'cd "$SM_CHANNEL_TRAINING"; {learn} && {ask}', "train.sh"), os.environ)
    assert (tmp_path / "b.vw").exists()


def test_its_exit_code_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScriptFailed, match="exit code 3"):
        run_script(job(tmp_path, "raise SystemExit(3)"), os.environ)


def test_vw_fails_as_vw_does(tmp_path: Path) -> None:
    with pytest.raises(ScriptFailed, match="exit code 7"):
        run_script(job(tmp_path, "echo '1 | a' | vw --nonsense 2>/dev/null || exit 7", "train.sh"), os.environ)


@pytest.mark.parametrize(
    ("arguments", "reads_stdin"),
    [
        ([], True),
        (["-t", "-i", "model.vw", "-p", "out.txt"], True),
        (["--data=train.txt"], False),
        (["-dtrain.txt"], False),
        (["--version"], False),
    ],
)
def test_standard_input_is_read_where_vw_reads_it(arguments: list[str], reads_stdin: bool) -> None:
    assert (driver_arguments(arguments)[-2:] == ["-d", "/dev/stdin"]) is reads_stdin


def test_mistakes_say_what_to_change(tmp_path: Path) -> None:
    good = job(tmp_path)
    with pytest.raises(NotFound, match=r"nowhere"):
        run_script(good._replace(channels={"training": tmp_path / "nowhere"}), os.environ)
    with pytest.raises(NotFound, match=r"other\.py"):
        run_script(good._replace(script=tmp_path / "other.py"), os.environ)
    with pytest.raises(InvalidInput, match="channel's name"):
        run_script(good._replace(channels={"a b": tmp_path}), os.environ)
    with pytest.raises(InvalidInput, match=r"\.py or \.sh"):
        run_script(good._replace(script=tmp_path / "rows.txt"), os.environ)
    with pytest.raises(InvalidInput, match="NAME=VALUE"):
        hyperparameter("epsilon")
    with pytest.raises(InvalidInput, match="s3://rewardloop/EXPERIMENT"):
        folder("s3://elsewhere/data", DataDirectory(tmp_path))


def test_joined_data_is_a_channel(tmp_path: Path) -> None:
    where = folder("s3://rewardloop/offers/joined/offers-join-1/train", DataDirectory(tmp_path))
    assert where == tmp_path / "experiments" / "offers" / "joined" / "offers-join-1" / "train"
