"""`optiscope race`: the table, JSON, files, and what is refused."""

from __future__ import annotations

import json

import pytest

from optiscope.cli.race import race


def test_it_prints_a_table_with_ranks_and_the_settings_found(call):
    called = call("race", "booth", "--optimizers", "sgd,adam", "--start=-5,5", "--steps", "50")
    assert called.code == 0
    assert "Gradient descent" in called.out
    assert "learning_rate=" in called.out
    assert "24 trials" in called.out


def test_json_has_the_ends_of_all_paths_and_nothing_else_is_printed(call):
    called = call("race", "--preset", "saddle", "--json")
    assert called.code == 0
    ends = {one["rule"]: one for one in called.json["optimizers"]}
    assert ends["adam"]["ends"][0] == pytest.approx([-0.00186641, 0.0051925], abs=6e-9)
    assert ends["classical_momentum"]["diverged_at"] == [19]
    kinds = {one["kind"]: one["point"] for one in called.json["critical_points"]}
    assert kinds["saddle"] == pytest.approx([0.25, -0.5])
    assert kinds["minimum"] == pytest.approx([0.0, 0.0], abs=1e-12)


def test_several_starts_and_a_share_that_reach_the_target(call):
    starts = ["--start=-5,5", "--start=5,-5"]
    called = call("race", "booth", "--optimizers", "sgd", *starts, "--steps", "60", "--tune", "8", "--reach", "9")
    assert "2 starts" in called.out
    assert "reaches the target" in called.out


@pytest.mark.parametrize("suffix", [".html", ".json", ".svg"])
def test_it_writes_the_file_that_the_suffix_names(call, tmp_path, suffix):
    target = tmp_path / f"race{suffix}"
    called = call("race", "beale", "--start=-1.5,2", "--steps", "30", "--out", target)
    assert called.code == 0, called.err
    assert f"Wrote {target}" in called.out
    assert target.stat().st_size > 2000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["beal"], "Did you mean 'beale'"),
        (["beale", "--optimizers", "adm"], "Did you mean 'adam'"),
        (["beale", "--optimizers", "adam(learning_rate=0)"], "above 0"),
        (["beale", "--start=a,b"], "numbers with commas"),
        (["beale", "--start=1,2,3"], "2 coordinates"),
        (["beale", "--start=99,99"], "domain"),
        (["beale", "--out", "race.xyz"], "format"),
        (["beale", "--out", "nowhere/race.html"], "does not exist"),
        (["--preset", "sadle"], "Did you mean 'saddle'"),
        (["beale", "--preset", "saddle"], "Leave one away"),
        (["--preset", "sphere", "--steps", "3"], "Leave one away"),
        (["beale", "--view", "nope", "--out", "a.png"], "nope"),
        (["beale", "--theme", "blue", "--out", "a.png"], "theme"),
        (["rosenbrock(dimension=4)", "--out", "a.mp4"], "two coordinates"),
        (["beale", "--view", "curves", "--out", "a.gif"], "film"),
        ([], "Name a problem"),
    ],
)
def test_what_cannot_work_is_one_sentence_with_a_way_out(call, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    called = call("race", *arguments)
    assert called.code == 2
    assert words in called.err
    assert "Traceback" not in called.err
    assert not list(tmp_path.iterdir())


OWN = """
import optiscope as osc

@osc.register_optimizer("halving_for_a_test")
class Halving:
    def init(self, parameter):
        return {}

    def update(self, gradient, state, parameter):
        return -0.05 * gradient, state

def valley(x):
    return (x[0] - 1) ** 2 + 4 * x[1] ** 2
"""


@pytest.mark.slow
def test_own_optimizers_and_functions_come_from_a_file(call, tmp_path):
    from optiscope.optimizers.registered import forget

    file = tmp_path / "own.py"
    file.write_text(OWN)
    try:
        called = call("race", f"{file}:valley", "--load", file, "--optimizers", "halving_for_a_test", "--json")
        assert called.json["problem"] == "valley"
        assert called.json["optimizers"][0]["ends"][0] == pytest.approx([1.0, 0.0], abs=1e-3)
    finally:
        forget("halving_for_a_test")
    missing = call("race", f"{file}:vally")
    assert missing.code == 2
    assert "Did you mean 'valley'" in missing.err
    assert "cannot be read" in call("race", "beale", "--load", tmp_path / "no.py").err
    file.write_text("1 / 0")
    assert "ZeroDivisionError" in call("race", "beale", "--load", file).err


def test_a_file_that_cannot_be_written_is_refused_before_any_race(call, tmp_path, monkeypatch):
    monkeypatch.setattr("optiscope.experiments.race.race.race", lambda *_, **__: pytest.fail("it raced"))
    assert call("race", "beale", "--out", tmp_path / "no" / "race.html").code == 2


@pytest.mark.parametrize(
    ("command", "least", "keys"),
    [
        ("optimizers", 28, {"name", "reference", "paper", "settings", "search"}),
        ("problems", 45, {"name", "formula", "minima", "minimum", "source", "bounds"}),
        ("schedules", 15, {"name", "formula", "reference"}),
    ],
)
def test_the_lists_have_everything_with_its_source(call, command, least, keys):
    listed = call(command, "--json").json
    assert len(listed) >= least
    assert all(keys <= set(one) for one in listed)
    assert all(one["reference" if "reference" in keys else "source"] for one in listed)
    table = call(command).out
    assert all(one["name"] in table for one in listed)


@pytest.mark.slow
def test_no_framework_is_loaded(call_process, tmp_path):
    script = tmp_path / "loaded.py"
    script.write_text(
        "import sys\nsys.argv = ['optiscope', 'race', 'beale', '--steps', '20', '--out', 'race.html']\n"
        "from optiscope.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "import json\nprint(json.dumps([n for n in ('torch', 'keras', 'tensorflow', 'paddle') if n in sys.modules]))\n"
    )
    import subprocess
    import sys

    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_the_command_is_the_function():
    assert race.__doc__ is not None
