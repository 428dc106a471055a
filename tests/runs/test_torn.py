"""Segments cut or scratched anywhere: reading never raises, and what comes back was written."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optiscope.runs import Position, Run, RunWriter, open_run
from tests.runs.conftest import layer_row, submit

pytestmark = pytest.mark.slow

CONFIGURATION = settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    """A run whose segments have six batches each."""
    path = tmp_path_factory.mktemp("torn") / "run"
    with RunWriter.create(path) as writer:
        for step in range(24):
            writer.log(Position(step, step * 0.1), {"loss": float(step), "other": -float(step)})
            submit(writer, layer_row(step, [step, step + 0.5], ("conv", "fc")))
            if step % 4 == 3:
                writer.flush()
    return path


@pytest.fixture(scope="module")
def copy(original: Path, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("copy") / "run"
    shutil.copytree(original, path)
    return path


def read_all(run: Run) -> tuple[list[float], list[list[float]]]:
    """All rows of both segments, after asking the run for everything else."""
    assert isinstance(run.losses.sentences(), tuple)
    assert run.since(None).cursor == run.since(run.since(None).cursor).cursor
    losses = run["loss"].values.tolist() if "loss" in run else []
    norms = run["norm"].values.tolist() if "norm" in run else []
    return losses, norms


@pytest.mark.parametrize("name", ["metrics-0.arrows", "layers-0.arrows"])
def test_a_segment_cut_at_any_byte_gives_the_rows_before_the_cut(original, copy, name):
    content = (original / "series" / name).read_bytes()
    norms = [[step, step + 0.5] for step in range(24)]
    counts = set()
    for cut in [*range(0, len(content), 7), *range(len(content) - 20, len(content) + 1)]:
        (copy / "series" / name).write_bytes(content[:cut])
        run = open_run(copy)
        read_losses, read_norms = read_all(run)
        assert read_losses == list(map(float, range(24)))[: len(read_losses)]
        assert read_norms == norms[: len(read_norms)]
        counts.add((len(read_losses), len(read_norms)))
        assert bool(run.losses) == (run.losses.bytes_lost > 0 or cut == 0)
        if cut in {0, len(content)}:
            continue
        ends_cleanly = run.losses.bytes_lost == 0
        assert ends_cleanly or name in " ".join(run.losses.sentences())
    assert len(counts) == 7, "none, four, eight … twenty-four rows"
    (copy / "series" / name).write_bytes(content)


@CONFIGURATION
@given(data=st.data())
def test_a_segment_with_any_bytes_changed_never_raises(original, copy, data):
    name = data.draw(st.sampled_from(["metrics-0.arrows", "layers-0.arrows"]))
    content = bytearray((original / "series" / name).read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    noise = data.draw(st.binary(min_size=1, max_size=40))
    content[place : place + len(noise)] = noise
    (copy / "series" / name).write_bytes(content)
    try:
        read_losses, read_norms = read_all(open_run(copy))
        assert len(read_losses) <= 24
        assert len(read_norms) <= 24
    finally:
        shutil.copy(original / "series" / name, copy / "series" / name)


@CONFIGURATION
@given(content=st.binary(max_size=300))
def test_a_file_of_garbage_never_raises(copy, content):
    path = copy / "series" / "garbage-0.arrows"
    path.write_bytes(content)
    try:
        run = open_run(copy)
        assert len(run["loss"]) == 24
        assert "garbage-0.arrows" in " ".join(run.losses.sentences())
        assert run.losses.bytes_lost == len(content)
    finally:
        path.unlink()


@CONFIGURATION
@given(cut=st.integers(0, 10_000), noise=st.binary(max_size=30))
def test_a_damaged_snapshot_never_raises_anything_but_its_own_error(tmp_path_factory, cut, noise):
    from optiscope.errors import RunDamaged
    from optiscope.runs.snapshot_file import load_tensors, write_snapshot

    path = tmp_path_factory.mktemp("snapshot") / "3.safetensors"
    write_snapshot(path, {"w": np.arange(20.0), "b": np.zeros((2, 2), np.float32)}, step=3, seconds=0.5, dtypes={})
    content = path.read_bytes()
    place = cut % len(content)
    path.write_bytes(content[:place] + noise + (content[place + len(noise) :] if len(noise) % 2 else b""))
    try:
        tensors = load_tensors(path)
    except RunDamaged as error:
        said = str(error)
    else:
        said = path.name
        for tensor in tensors.values():
            tensor.sum()
    assert path.name in said
