from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from optiscope.runs import RunWriter

from .conftest import Call


def test_the_environment_is_described(call: Call) -> None:
    called = call("doctor")
    assert called.code == 0
    for word in ("optiscope", "python", "numpy", "plotly", "PyTorch", "PaddlePaddle", "scikit-learn"):
        assert word in called.out


def test_json_lists_what_is_found_with_versions(call_process: Call) -> None:
    found = call_process("doctor", "--json").json
    assert found["healthy"] is True
    assert found["run"] is None
    core = {part["name"]: part for part in found["core"]}
    assert core["numpy"]["found"]
    assert core["numpy"]["version"]


def test_frameworks_are_found_without_being_imported() -> None:
    code = (
        "import sys\n"
        "sys.argv = ['optiscope', 'doctor', '--json']\n"
        "from optiscope.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "assert not {'torch', 'keras', 'tensorflow', 'paddle', 'jax', 'sklearn'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_missing_package_says_how_to_install_it(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import util

    find = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name in {"torch", "numpy"} else find(name))
    called = call("doctor", "--json")
    assert called.code == 1
    parts = {part["name"]: part for part in called.json["core"] + called.json["frameworks"]}
    assert parts["PyTorch"]["install"] == "pip install 'optiscope[torch]'"
    assert not called.json["healthy"]
    assert "Missing, and needed: numpy" in call("doctor").out


def test_a_whole_run_is_called_whole(call: Call, runs: Path) -> None:
    called = call("doctor", runs / "adam")
    assert called.code == 0
    assert "Whole: every segment, event and snapshot reads." in called.out
    assert call("doctor", runs / "adam", "--json").json["run"]["whole"] is True


@pytest.fixture
def copy(runs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(runs / "adam", tmp_path / "adam"))


def test_a_torn_segment_is_found(call: Call, copy: Path) -> None:
    segment = next((copy / "series").glob("layers*.arrows"))
    segment.write_bytes(segment.read_bytes()[:-7])
    called = call("doctor", copy)
    assert called.code == 1
    assert segment.name in called.out


def test_a_truncated_snapshot_is_found(call: Call, copy: Path) -> None:
    snapshot = sorted((copy / "snapshots").glob("*.safetensors"))[-1]
    snapshot.write_bytes(snapshot.read_bytes()[:100])
    called = call("doctor", copy, "--json")
    assert called.code == 1
    assert any(snapshot.name in problem or "snapshot" in problem for problem in called.json["run"]["problems"])


def test_a_snapshot_that_does_not_fit_the_model_is_found(call: Call, copy: Path) -> None:
    import json

    content = json.loads((copy / "run.json").read_text())
    content["model"]["tensors"] = [{"name": "first.weight", "shape": [3, 3]}]
    (copy / "run.json").write_text(json.dumps(content))
    called = call("doctor", copy, "--json")
    assert called.code == 1
    assert "first.weight as [2, 12]; the model says [3, 3]" in called.json["run"]["problems"][0]


def test_a_run_with_complex_and_half_precision_parameters_is_whole(call: Call, tmp_path: Path) -> None:
    names = {"z": "complex64", "b": "bfloat16"}
    tensors = [{"name": name, "shape": [3], "dtype": dtype} for name, dtype in names.items()]
    with RunWriter.create(tmp_path / "run", model={"tensors": tensors}) as writer:
        stored = {"z": np.zeros((3, 2), np.float32), "b": np.zeros(3, np.float32)}
        writer.snapshot(0, lambda: stored, dtypes=names)
    assert call("doctor", tmp_path / "run").code == 0


def test_a_run_of_which_nothing_can_be_read_is_damaged(call: Call, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{")
    called = call("doctor", tmp_path)
    assert called.code == 1
    assert "unreadable" in called.out
