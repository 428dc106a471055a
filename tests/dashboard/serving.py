"""A dashboard that really listens, and a client that sends what it is told, however wrong."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optiscope.dashboard.server import DashboardServer
from optiscope.runs import Position, RunWriter


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    server: DashboardServer,
    path: str,
    *,
    method: str = "GET",
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request. The Host header is the server's own unless `headers` has another."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def own_headers(server: DashboardServer, **changed: str | None) -> dict[str, str]:
    """The headers that the dashboard's own page sends with a change; `changed` ones replaced, or left out for None."""
    token = ask(server, "/api/session").json["token"]
    headers: dict[str, str | None] = {
        "Origin": f"http://127.0.0.1:{server.port}",
        "Sec-Fetch-Site": "same-origin",
        "X-Optiscope-Token": token,
        "Content-Type": "application/json",
    }
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    return {name: value for name, value in headers.items() if value is not None}


def edit(server: DashboardServer, **content: Any) -> Answer:
    """A change as the dashboard's own page sends it."""
    return ask(server, "/api/edit", method="POST", body=json.dumps(content), headers=own_headers(server))


def write_run(path: Path, steps: int = 5, **arguments: Any) -> Path:
    """A finished run with a loss."""
    with RunWriter.create(path, **arguments) as writer:
        for step in range(steps):
            writer.log(Position(step, step * 0.1), {"loss": 1.0 / (step + 1)})
    return path


class Stream:
    """Server-sent events as they come."""

    def __init__(self, server: DashboardServer, headers: Mapping[str, str] | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        self._connection.request("GET", "/api/events", headers=dict(headers or {}))
        self.response = self._connection.getresponse()
        self.last_id = ""

    def lines(self) -> Iterator[str]:
        """Lines until the server ends the stream."""
        while line := self.response.readline():
            yield line.decode().rstrip("\n")

    def next(self) -> tuple[str, Any]:
        """The next event: its kind and its data."""
        kind = ""
        for line in self.lines():
            name, _, value = line.partition(": ")
            match name:
                case "id":
                    self.last_id = value
                case "event":
                    kind = value
                case "data":
                    return kind, json.loads(value)
        raise EOFError("the stream ended")

    def until(self, key: str, name: str) -> Any:
        """Read on until a "changes" event has `name` under `key`; what it says of it."""
        while True:
            kind, data = self.next()
            found = data.get(key, {}) if kind == "changes" else {}
            if name in found:
                return found[name] if isinstance(found, dict) else name

    def close(self) -> None:
        self.response.close()
        self._connection.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
