"""The dashboard against another machine, another page, a name that climbs, and a request that is too large."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from optiscope.dashboard.application import create_application
from optiscope.dashboard.runs_table import RunsTable
from optiscope.dashboard.security import LARGEST_BODY, LONGEST_QUERY
from optiscope.dashboard.server import DashboardServer
from optiscope.errors import ArgumentError
from tests.dashboard.serving import ask, edit, own_headers, write_run

TOKEN = "a-token-of-twenty-four-ch"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dashboard") / "runs"
    write_run(folder / "adam", config={"lr": 0.1})
    write_run(folder / "<img onerror=alert(1)>", note="<script>alert(1)</script>")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[DashboardServer]:
    with DashboardServer(folder) as server:
        yield server


@pytest.fixture(scope="module")
def open_server(folder: Path) -> Iterator[DashboardServer]:
    """One that other machines can reach."""
    with DashboardServer(folder, host="0.0.0.0", token=TOKEN) as server:
        yield server


# ------------------------------------------------------------------------------------------------- address and token


def test_the_default_address_is_loopback_and_needs_no_token(server: DashboardServer):
    assert (server.host, server.token) == ("127.0.0.1", None)
    assert ask(server, "/api/runs").status == 200


def test_another_address_makes_a_token_by_itself(folder: Path):
    servers = [DashboardServer(folder, host="0.0.0.0") for _ in range(2)]
    tokens = [server.token or "" for server in servers]
    for server in servers:
        server.stop()
    assert all(len(token) >= 32 for token in tokens)
    assert tokens[0] != tokens[1]
    assert f"?token={tokens[0]}" in servers[0].url


@pytest.mark.parametrize("token", [None, "short", "sixteen or more but with spaces"])
def test_an_application_for_other_machines_is_not_made_without_a_good_token(folder: Path, token: str | None):
    with pytest.raises(ArgumentError, match="token"):
        create_application(folder, token=token, allowed_hosts=["runs.example"])


@pytest.mark.parametrize(
    "path", ["/", "/api/runs", "/api/session", "/api/events", "/api/series?run=adam&name=loss", "/plotly.js"]
)
def test_nothing_is_told_without_the_token(open_server: DashboardServer, path: str):
    answer = ask(open_server, path)
    assert answer.status == 401
    assert b"adam" not in answer.body


def test_the_token_in_the_address_is_exchanged_for_a_cookie_that_scripts_cannot_read(open_server: DashboardServer):
    answer = ask(open_server, f"/api/runs?query=adam&token={TOKEN}")
    assert (answer.status, answer.headers["Location"]) == (303, "/api/runs?query=adam")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert ask(open_server, "/api/runs", headers={"Cookie": cookie.partition(";")[0]}).status == 200


def test_the_exchange_never_leads_to_another_machine(open_server: DashboardServer):
    assert ask(open_server, f"//evil.example/?token={TOKEN}").headers["Location"] == "/evil.example/"
    assert ask(open_server, f"/%5Cevil.example/?token={TOKEN}").headers["Location"] == "/evil.example/"


@pytest.mark.parametrize(
    "headers", [{"Authorization": f"Bearer {TOKEN}x"}, {"Cookie": "optiscope-0=x"}, {"Cookie": "="}]
)
def test_a_wrong_token_opens_nothing(open_server: DashboardServer, headers: dict[str, str]):
    assert ask(open_server, "/api/runs", headers=headers).status == 401
    assert ask(open_server, "/api/runs?token=wrong", headers=headers).status == 403


def test_a_program_brings_the_token_in_a_header(open_server: DashboardServer):
    assert ask(open_server, "/api/runs", headers={"Authorization": f"Bearer {TOKEN}"}).status == 200


# -------------------------------------------------------------------------------------------------------- Host header


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:80", "[::1]:9", "127.0.0.1.", "localhost:65535"])
def test_our_own_names_are_served(server: DashboardServer, host: str):
    assert ask(server, "/api/runs", headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "192.168.0.5", "evil.example:127.0.0.1"],
)
def test_a_name_that_somebody_bound_to_our_address_is_refused(server: DashboardServer, host: str):
    answer = ask(server, "/api/runs", headers={"Host": host})
    assert answer.status in {400, 421}
    assert b"adam" not in answer.body


@pytest.mark.parametrize("host", ["", "127.0.0.1@evil.example", "a b", "localhost/x"])
def test_a_host_header_that_cannot_be_read_is_refused(server: DashboardServer, host: str):
    assert ask(server, "/api/runs", headers={"Host": host}).status == 400


def test_a_server_for_other_machines_is_called_by_number_but_not_by_a_foreign_name(open_server: DashboardServer):
    token = {"Authorization": f"Bearer {TOKEN}"}
    assert ask(open_server, "/api/runs", headers={**token, "Host": "192.168.0.5:8000"}).status == 200
    assert ask(open_server, "/api/runs", headers={**token, "Host": "evil.example"}).status == 421


# ------------------------------------------------------------------------------------------------- other pages, frames


@pytest.mark.parametrize("path", ["/api/runs", "/plotly.js", "/nothing", "/api/series"])
def test_every_answer_has_the_security_headers_and_none_opens_to_other_origins(server: DashboardServer, path: str):
    headers = ask(server, path, headers={"Origin": "https://evil.example"}).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not [name for name in headers if name.lower().startswith("access-control-")]
    assert "server" not in headers


def test_the_policy_allows_this_server_alone_and_nothing_inline_without_a_nonce(server: DashboardServer):
    policies = [ask(server, "/api/runs").headers["Content-Security-Policy"] for _ in range(2)]
    rules = dict(rule.strip().partition(" ")[::2] for rule in policies[0].split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == rules["frame-ancestors"] == "'none'"
    assert re.fullmatch(r"'self' 'nonce-[\w-]{20,}'", rules["script-src"])
    assert "unsafe" not in policies[0]
    assert "http" not in policies[0]
    assert policies[0] != policies[1]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_may_not_ask_even_from_another_port_of_this_machine(server: DashboardServer, site: str):
    assert ask(server, "/api/runs", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}).status == 403
    frame = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert ask(server, "/api/runs", headers=frame).status == 403


def test_a_link_from_another_page_may_be_followed(server: DashboardServer):
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert ask(server, "/api/runs", headers=link).status == 200


def test_preflights_and_other_methods_are_refused(server: DashboardServer):
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert ask(server, "/api/edit", method="OPTIONS", headers=preflight).status == 405
    assert ask(server, "/api/runs", method="DELETE").status == 405


def test_names_and_notes_are_sent_as_data_that_no_browser_takes_for_a_page(server: DashboardServer):
    answer = ask(server, "/api/runs")
    assert answer.headers["Content-Type"] == "application/json"
    assert "<img onerror=alert(1)>" in {run["name"] for run in answer.json["runs"]}


# ------------------------------------------------------------------------------------------------------------ changes


@pytest.mark.parametrize(
    "changed",
    [
        {"Origin": None},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"X_Optiscope_Token": None},
        {"X_Optiscope_Token": "wrong"},
        {"X_Optiscope_Token": ""},
    ],
)
def test_a_change_from_elsewhere_is_refused(server: DashboardServer, folder: Path, changed: dict[str, str | None]):
    body = json.dumps({"action": "delete", "run": "adam"})
    answer = ask(server, "/api/edit", method="POST", body=body, headers=own_headers(server, **changed))
    assert answer.status == 403
    assert answer.json["error"].endswith(".")
    assert (folder / "adam").is_dir()


def test_a_form_cannot_send_a_change(server: DashboardServer):
    headers = own_headers(server, Content_Type="text/plain")
    assert ask(server, "/api/edit", method="POST", body='{"action": "empty"}', headers=headers).status == 415


def test_the_token_for_changes_is_new_with_each_start(server: DashboardServer, folder: Path):
    with DashboardServer(folder) as other:
        headers = own_headers(server, Origin=f"http://127.0.0.1:{other.port}")
        body = json.dumps({"action": "delete", "run": "adam"})
        assert ask(other, "/api/edit", method="POST", body=body, headers=headers).status == 403


def test_our_own_page_may_change_and_undo(server: DashboardServer, folder: Path):
    assert edit(server, action="tag", run="adam", tag="good").json == {"tags": ["good"]}
    deleted = edit(server, action="delete", run="adam")
    assert deleted.status == 200
    assert not (folder / "adam").exists()
    assert edit(server, action="undo", key=deleted.json["key"]).json == {"run": "adam"}
    assert (folder / "adam").is_dir()


@pytest.mark.parametrize(
    "content",
    [{}, {"action": "rm"}, {"action": "delete"}, {"action": "delete", "run": 3}, {"action": "empty", "run": "adam"}],
)
def test_a_change_that_says_too_little_or_too_much_is_refused(server: DashboardServer, content: dict[str, object]):
    assert edit(server, **content).status == 400


# -------------------------------------------------------------------------------------------------- paths and messages


ESCAPES = [
    "../outside",
    "..",
    ".",
    "",
    "/etc",
    "adam/../../outside",
    "..\\outside",
    "adam\0",
    ".trash",
    "%2e%2e",
    "link",
]


@pytest.fixture
def leaky(tmp_path: Path) -> Iterator[tuple[DashboardServer, Path]]:
    """A folder with a link to a run outside, and a run whose segment is a link outside."""
    outside = write_run(tmp_path / "outside", note="secret")
    folder = tmp_path / "runs"
    write_run(folder / "adam")
    (folder / "link").symlink_to(outside, target_is_directory=True)
    inner = write_run(folder / "inner")
    segment = next((inner / "series").iterdir())
    segment.unlink()
    segment.symlink_to(next((outside / "series").iterdir()))
    with DashboardServer(folder) as server:
        yield server, outside


@pytest.mark.parametrize("name", [*ESCAPES, "inner"])
def test_no_name_and_no_link_leads_out_of_the_folder(leaky: tuple[DashboardServer, Path], name: str):
    server, _ = leaky
    answer = ask(server, f"/api/series?run={quote(name, safe='')}&name=loss")
    assert answer.status == 404
    assert b"columns" not in answer.body


@pytest.mark.parametrize("name", ESCAPES)
def test_no_name_and_no_link_is_deleted_out_of_the_folder(leaky: tuple[DashboardServer, Path], name: str):
    server, outside = leaky
    assert edit(server, action="delete", run=name).status in {400, 422}
    assert (outside / "run.json").is_file()


def test_a_link_out_of_the_folder_is_neither_listed_nor_deleted_through(leaky: tuple[DashboardServer, Path]):
    server, outside = leaky
    assert edit(server, action="delete", run="inner").status == 200
    assert edit(server, action="empty").status == 200
    assert list((outside / "series").iterdir())
    answer = ask(server, "/api/runs")
    assert "link" not in {run["name"] for run in answer.json["runs"]}
    assert b"secret" not in answer.body
    assert (outside / "run.json").is_file()


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/static/../../etc/passwd", "//etc/passwd"]
)
def test_paths_that_climb_find_nothing(server: DashboardServer, path: str):
    answer = ask(server, path)
    assert answer.status == 404
    assert b"root:" not in answer.body


def test_errors_are_sentences_without_paths_of_the_machine(tmp_path: Path):
    folder = write_run(tmp_path / "runs" / "adam").parent
    (folder / "adam" / "run.json").write_text("{")
    with DashboardServer(folder) as server:
        answers = [
            ask(server, path)
            for path in ("/api/runs", "/api/series?run=x&name=loss", "/api/series?run=adam", "/x", "/api/runs?query=(")
        ]
        assert [answer.status for answer in answers[1:]] == [404, 400, 404, 400]
        assert "not JSON" in answers[0].json["runs"][0]["fault"]
        for answer in answers:
            assert str(tmp_path).encode() not in answer.body
        for answer in answers[1:]:
            assert "error" in answer.json


def test_a_failure_of_ours_is_a_sentence_with_the_security_headers(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(self: RunsTable) -> None:
        raise ValueError(f"cannot do {folder}")

    monkeypatch.setattr(RunsTable, "rows", fail)
    with DashboardServer(folder) as server:
        answer = ask(server, "/api/runs")
    assert answer.status == 500
    assert "ValueError" in answer.json["error"]
    assert str(folder) not in answer.json["error"]
    assert "Content-Security-Policy" in answer.headers


# -------------------------------------------------------------------------------------------------------------- sizes


def test_an_address_that_is_too_long_is_refused(server: DashboardServer):
    assert ask(server, "/api/runs?query=" + "x" * LONGEST_QUERY).status == 414


def test_a_body_that_is_too_large_is_refused(server: DashboardServer):
    answer = ask(server, "/api/edit", method="POST", body=b" " * (LARGEST_BODY + 1), headers=own_headers(server))
    assert answer.status == 413


def test_a_body_that_does_not_tell_its_size_is_refused_as_it_grows(server: DashboardServer):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    chunks = (b" " * 1024 for _ in range(LARGEST_BODY // 1024 + 1))
    connection.request("POST", "/api/edit", body=chunks, headers=own_headers(server), encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize(
    "query",
    [
        "run=adam",
        "name=loss",
        "run=adam&name=loss&points=0",
        "run=adam&name=loss&points=1000000000",
        "run=adam&name=loss&from=x",
        "run=adam&name=loss&from=5&to=3",
        "run=adam&" + "&".join(f"name={k}" for k in range(2001)),
    ],
)
def test_a_request_for_too_much_or_for_nonsense_is_refused(server: DashboardServer, query: str):
    answer = ask(server, f"/api/series?{query}")
    assert answer.status == 400
    assert answer.json["error"]
