"""Where the dashboard listens, what it serves beside the data, and how it starts and ends."""

from __future__ import annotations

import json
import math
import socket
import struct
import threading
from pathlib import Path

import numpy as np
import plotly
import pytest

from optiscope.dashboard import server as server_module
from optiscope.dashboard.server import DashboardServer, serve
from optiscope.errors import ArgumentError, RunNotFound
from optiscope.runs import Position, RunWriter
from tests.dashboard.serving import ask, write_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_run(tmp_path / "runs" / "adam", config={"lr": 0.1})
    write_run(tmp_path / "runs" / "sgd", config={"lr": 1.0})
    return tmp_path / "runs"


def test_a_port_that_is_taken_is_followed_by_the_next_free_one(folder: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with DashboardServer(folder, port=port) as server:
            assert port < server.port < port + server_module.PORTS_TRIED
            assert ask(server, "/api/runs").status == 200


def test_when_all_ports_tried_are_taken_the_error_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server_module, "PORTS_TRIED", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ArgumentError, match=r"taken.*port=0"):
            DashboardServer(folder, port=taken.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", -1), ("127.0.0.1", 65536), ("192.0.2.1", 0), ("no such host", 0)]
)
def test_an_address_that_cannot_be_listened_at_is_refused_with_a_sentence(folder: Path, host: str, port: int):
    with pytest.raises(ArgumentError, match="Received: "):
        DashboardServer(folder, host=host, port=port)


def test_a_folder_that_is_not_there_is_named_at_the_start(tmp_path: Path):
    with pytest.raises(RunNotFound, match="nowhere"):
        DashboardServer(tmp_path / "nowhere")


def test_an_address_of_six_parts_is_served_where_there_is_one(folder: Path):
    try:
        server = DashboardServer(folder, host="::1")
    except ArgumentError:
        pytest.skip("this machine has no IPv6")
    assert server.url == f"http://[::1]:{server.port}/"
    assert server.token is None
    server.stop()


def test_serve_announces_the_address_opens_the_browser_and_ends_when_stopped(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    opened, made = [], []
    is_open = threading.Event()
    monkeypatch.setattr("webbrowser.open", lambda url: (opened.append(url), is_open.set()))
    original = DashboardServer.__init__

    def remembered(self: DashboardServer, *arguments: object, **settings: object) -> None:
        original(self, *arguments, **settings)
        made.append(self)

    monkeypatch.setattr(DashboardServer, "__init__", remembered)
    announced = []

    def announce(url: str) -> None:
        announced.append(url)

    thread = threading.Thread(target=serve, args=(folder,), kwargs={"open_browser": True, "announce": announce})
    thread.start()
    assert is_open.wait(20)
    assert opened == announced == [made[0].url]
    made[0].stop()
    thread.join(20)
    assert not thread.is_alive()


def test_stopping_twice_does_no_harm(folder: Path):
    with DashboardServer(folder) as server:
        server.stop()
    server.stop()


def test_plotly_is_that_of_the_installed_package_and_is_sent_once(folder: Path):
    with DashboardServer(folder) as server:
        first = ask(server, "/plotly.js")
        again = ask(server, "/plotly.js", headers={"If-None-Match": first.headers["ETag"]})
        other = ask(server, "/plotly.js", headers={"If-None-Match": '"other"'})
        head = ask(server, "/plotly.js", method="HEAD")
    assert first.status == other.status == head.status == 200
    assert first.body == (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes()
    assert first.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert (again.status, again.body, head.body) == (304, b"", b"")
    assert plotly.__version__ in first.headers["ETag"]


def test_runs_are_listed_filtered_and_asked_for_by_name(folder: Path):
    with DashboardServer(folder) as server:
        names = [
            [run["name"] for run in ask(server, f"/api/runs{query}").json["runs"]]
            for query in ("", "?query=lr%20%3C%200.5", "?run=sgd", "?run=sgd&query=adam")
        ]
        wrong = ask(server, "/api/runs?query=lr%20%3C%20(")
    assert names == [["adam", "sgd"], ["adam"], ["sgd"], []]
    assert wrong.status == 400
    assert isinstance(wrong.json["position"], int)


def test_numbers_that_are_not_finite_come_as_strict_json(tmp_path: Path):
    with RunWriter.create(tmp_path / "runs" / "adam") as writer:
        writer.log(Position(0, 0.0), {"loss": float("nan"), "gain": float("inf")})
    with DashboardServer(tmp_path / "runs") as server:
        last = ask(server, "/api/runs").json["runs"][0]["last"]
    assert last == {"loss": "NaN", "gain": "Infinity"}


def test_series_come_as_json_and_as_the_same_numbers_in_binary(tmp_path: Path):
    values = {"adam": [1.0, math.nan, math.inf, 0.25], "sgd": [3.0]}
    for name, numbers in values.items():
        with RunWriter.create(tmp_path / "runs" / name) as writer:
            for step, value in enumerate(numbers):
                writer.log(Position(step, step * 0.5), {"loss": value})
    path = "/api/series?run=adam&run=sgd&name=loss&name=missing"
    with DashboardServer(tmp_path / "runs") as server:
        told = ask(server, path).json["series"]
        binary = ask(server, path, headers={"Accept": "application/octet-stream"})
        part = ask(server, path + "&from=2&to=3").json["series"]
    assert [(each["run"], each["columns"]["value"]) for each in told] == [
        ("adam", [1.0, "NaN", "Infinity", 0.25]),
        ("sgd", [3.0]),
    ]
    assert told[0]["nonfinite"] == [[1, 1, 1, 0, 0], [2, 1, 0, 1, 0]]
    assert part[0]["columns"]["step"] == [2, 3]
    (length,) = struct.unpack_from("<I", binary.body)
    at = 4 + length
    for each, spelt in zip(json.loads(binary.body[4:at])["series"], told, strict=True):
        for name in each["columns"]:
            assert at % 8 == 0
            column = np.frombuffer(binary.body, "<f8", each["points"], at)
            at += column.nbytes
            np.testing.assert_array_equal(column, np.array(spelt["columns"][name], dtype=float))
    assert at == len(binary.body)


def test_the_session_tells_the_folders_name_and_not_its_path(folder: Path):
    with DashboardServer(folder) as server:
        answer = ask(server, "/api/session")
    assert answer.json["folder"] == "runs"
    assert str(folder).encode() not in answer.body
    assert answer.headers["Cache-Control"] == "no-store"
