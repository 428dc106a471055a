from __future__ import annotations

from pathlib import Path

from tools import write_benchmarks

SCRIPT = """
import json, sys
print("a table", *sys.argv[1:])
bars = {"ratio": {"value": 1.2, "bar": "<= 1.1", "holds": False}}
print(json.dumps({"benchmark": "sample", "machine": {"cores": 2}, "figures": {}, "bars": bars}))
"""


def test_a_benchmarks_table_and_bars_come_to_the_page(tmp_path: Path):
    path = tmp_path / "sample.py"
    path.write_text(SCRIPT, encoding="utf-8")
    page = write_benchmarks.page([write_benchmarks.outcome(path, quick=True)], quick=True)
    assert "Machine: cores 2." in page
    assert "| ratio | 1.2 | <= 1.1 | **does not hold** |" in page
    assert "```\na table --quick\n```" in page


def test_a_benchmark_that_fails_is_named_as_failed(tmp_path: Path):
    path = tmp_path / "sample.py"
    path.write_text("raise SystemExit(3)", encoding="utf-8")
    outcome = write_benchmarks.outcome(path, quick=False)
    assert not outcome.result
    assert "Failed with exit status 3." in write_benchmarks.page([outcome], quick=False)
