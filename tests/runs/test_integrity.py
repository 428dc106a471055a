from __future__ import annotations

import numpy as np
import pytest

from optiscope.errors import RunNotFound
from optiscope.runs import RunWriter, open_run
from optiscope.runs.integrity import check, check_path


def described(name, shape, dtype):
    return {"name": name, "shape": shape, "dtype": dtype, "trainable": True, "in_optimizer": True}


TENSORS = [described("z", [3, 4], "complex64"), described("b", [5], "bfloat16"), described("h", [2], "complex32")]


def parts(shape, dtype):
    return np.arange(np.prod(shape)).astype(dtype).reshape(shape)


def write(path, tensors, dtypes, steps=(0,)):
    with RunWriter.create(path, model={"tensors": TENSORS}) as writer:
        for step in steps:
            assert writer.snapshot(step, lambda: tensors, dtypes=dtypes)
            writer.flush()
    return open_run(path)


def stored():
    return {"z": parts((3, 4, 2), "float32"), "b": parts(5, "float32"), "h": parts((2, 2), "float16")}


def test_tensors_of_types_that_numpy_lacks_come_back_in_the_shape_that_the_model_has(run_path):
    run = write(run_path, stored(), {"z": "complex64", "b": "bfloat16", "h": "complex32"})
    loaded = run.snapshots.load(0)
    assert loaded["z"].dtype == np.complex64
    assert loaded["z"].tolist() == (parts((3, 4, 2), "f8") @ [1, 1j]).tolist()
    assert loaded["b"].dtype == np.float32
    assert loaded["h"].tolist() == [1j, 2 + 3j]
    assert dict(run.snapshots.header(0).dtypes) == {"z": "complex64", "b": "bfloat16", "h": "complex32"}
    assert check(run).problems == ()


def test_a_complex_tensor_in_a_file_that_does_not_name_its_type_is_no_damage(run_path):
    assert check(write(run_path, stored(), None)).whole


def test_a_tensor_of_another_shape_or_none_at_all_is_said(run_path):
    run = write(run_path, {**stored(), "b": np.zeros(4)}, None)
    assert check(run).problems == ("The snapshot of step 0 holds b as [4]; the model says [5].",)
    run = write(run_path.with_name("other"), {"b": np.zeros(5)}, None)
    assert check(run).problems == ("The snapshot of step 0 lacks 2 tensors of the model, such as h.",)


def test_damage_to_one_snapshot_does_not_hide_a_fault_of_another_whose_number_ends_alike(run_path):
    write(run_path, {"b": np.zeros(5)}, None, steps=(5, 15))
    (run_path / "snapshots" / "15.safetensors").write_bytes(b"")
    problems = check_path(run_path).problems
    assert any("step 5 lacks" in problem for problem in problems)
    assert sum("15.safetensors" in problem for problem in problems) == 1


def test_a_run_that_cannot_be_opened_is_unreadable_and_one_that_is_not_there_is_refused(tmp_path):
    (tmp_path / "run.json").write_text("{")
    assert check_path(tmp_path).status == "unreadable"
    with pytest.raises(RunNotFound):
        check_path(tmp_path / "none")
