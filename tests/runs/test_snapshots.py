from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies
from safetensors.numpy import load_file

from optiscope.errors import UnknownName
from optiscope.runs.snapshot_file import load_tensors, read_header, write_snapshot
from optiscope.runs.snapshots import Snapshots


@pytest.fixture
def snapshots(tmp_path) -> Snapshots:
    (tmp_path / "snapshots").mkdir()
    for step in (0, 5, 100):
        tensors = {
            "b": np.full(2, step, dtype=np.float32),
            "a": np.arange(6, dtype=np.float32).reshape(2, 3) + step,
            "count": np.array(step),
        }
        write_snapshot(tmp_path / "snapshots" / f"{step}.safetensors", tensors, step=step, seconds=step / 2, dtypes={})
    (tmp_path / "snapshots" / "7.safetensors.123.tmp").write_text("half")
    (tmp_path / "snapshots" / "notes.txt").write_text("mine")
    return Snapshots(tmp_path)


def test_steps_are_ascending_and_half_written_files_are_not_among_them(snapshots):
    assert snapshots.steps == (0, 5, 100)
    assert len(snapshots) == 3
    assert list(snapshots) == [0, 5, 100]
    assert 5 in snapshots
    assert 7 not in snapshots
    assert snapshots.damaged() == {}


def test_tensors_are_mapped_and_cannot_be_changed(snapshots):
    tensors = snapshots.load(5)
    assert tensors["a"].tolist() == [[5, 6, 7], [8, 9, 10]]
    assert tensors["count"].shape == ()
    assert not tensors["a"].flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        tensors["a"][0, 0] = 1.0


def test_a_flat_vector_has_the_floating_tensors_by_name(snapshots):
    vector = snapshots.flat(5)
    assert vector.dtype == np.float32
    assert vector.tolist() == [5, 6, 7, 8, 9, 10, 5, 5]
    assert snapshots.flat(5, ("b", "count")).tolist() == [5, 5, 5]
    assert snapshots.matrix().shape == (3, 8)
    assert snapshots.matrix((0, 100), ("b",)).tolist() == [[0, 0], [100, 100]]
    with pytest.raises(UnknownName, match="tensor"):
        snapshots.flat(5, ("c",))


def test_complex_tensors_are_kept_and_their_vector_has_both_parts(tmp_path):
    (tmp_path / "snapshots").mkdir()
    for dtype in (np.complex64, np.complex128):
        tensor = np.array([[1 + 2j, 3 - 4j]], dtype=dtype)
        write_snapshot(tmp_path / "snapshots" / "1.safetensors", {"z": tensor}, step=1, seconds=0.0, dtypes={})
        snapshots = Snapshots(tmp_path)
        loaded = snapshots.load(1)["z"]
        assert loaded.dtype == dtype
        assert loaded.tolist() == tensor.tolist()
        assert snapshots.flat(1).tolist() == [1, 3, 2, -4]


def test_the_header_tells_the_frameworks_types_and_the_time(tmp_path):
    path = tmp_path / "3.safetensors"
    write_snapshot(path, {"w": np.zeros(3, np.float32)}, step=3, seconds=1.25, dtypes={"w": "bfloat16"})
    header = read_header(path)
    assert header.dtypes == {"w": "bfloat16"}
    assert header.seconds == 1.25
    assert header.tensors["w"].shape == (3,)


def test_arrays_of_any_layout_are_stored_as_they_look(tmp_path):
    base = np.arange(24, dtype=np.float64).reshape(4, 6)
    tensors = {
        "transposed": base.T, "strided": base[::2, ::3], "fortran": np.asfortranarray(base),
        "big-endian": base.astype(">f8"), "half": base.astype(np.float16), "flag": base > 3, "empty": np.zeros((0, 3)),
        "scalar": np.array(4.0), "unsigned": base.astype(np.uint8),
    }  # fmt: skip
    write_snapshot(tmp_path / "0.safetensors", tensors, step=0, seconds=0.0, dtypes={})
    loaded = load_tensors(tmp_path / "0.safetensors")
    assert set(loaded) == set(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(loaded[name], tensor)
        assert loaded[name].shape == tensor.shape
    elsewhere = load_file(tmp_path / "0.safetensors")
    np.testing.assert_array_equal(elsewhere["transposed"], base.T)


@given(
    tensor=numpy_strategies.arrays(
        st.sampled_from([np.float64, np.float32, np.float16, np.int64, np.uint8, np.bool_]),
        numpy_strategies.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    ),
    name=st.text(min_size=1, alphabet=st.characters(codec="utf-8")),
)
def test_every_tensor_comes_back_bit_for_bit(tmp_path_factory, tensor, name):
    path = tmp_path_factory.mktemp("one") / "0.safetensors"
    if name == "__metadata__":
        return
    write_snapshot(path, {name: tensor}, step=0, seconds=0.0, dtypes={})
    loaded = load_tensors(path)[name]
    assert loaded.dtype == tensor.dtype
    assert loaded.shape == tensor.shape
    assert loaded.tobytes() == tensor.tobytes()
