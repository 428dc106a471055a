"""The web application: what each address answers. Everything is checked by `Guard` before it comes here."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
from collections.abc import AsyncIterator, Iterable
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

import optiscope
from optiscope.dashboard.containment import RunsFolder
from optiscope.dashboard.editing import RunEditor
from optiscope.dashboard.event_stream import event_stream
from optiscope.dashboard.filtering import parse_query
from optiscope.dashboard.live import Watcher
from optiscope.dashboard.query_tokens import QueryError
from optiscope.dashboard.requested import edit_request, series_request
from optiscope.dashboard.run_values import known_names
from optiscope.dashboard.runs_table import RunsTable
from optiscope.dashboard.sampling import Sampler
from optiscope.dashboard.security import LOOPBACK_HOSTS, Guard, error_response
from optiscope.dashboard.series_answer import BINARY_TYPE, as_binary, as_json
from optiscope.errors import ArgumentError, OptiscopeError, RunExists, RunInUse, RunNotFound
from optiscope.runs.json_form import to_json

MOST_STREAMS = 64
"""Pages that may listen for changes at once."""

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_log = logging.getLogger("optiscope.dashboard")


class Dashboard(Starlette):
    """The application of one folder of runs."""

    def __init__(self, folder: RunsFolder, *, token: str | None, allowed_hosts: Iterable[str]) -> None:
        """Use `create_application`."""
        self.folder = folder
        """What it shows."""
        self.watcher = Watcher(folder)
        """Sees what changes; closing it ends all event streams."""
        self.table = RunsTable(folder.path)
        """The rows of the runs list."""
        self.sampler = Sampler(folder.path)
        """The points of series."""
        self.editor = RunEditor(folder.path)
        """Makes changes to runs."""
        self.edit_token = secrets.token_urlsafe(32)
        """What a change needs; new with each start, and known to our own page alone."""
        self._hosts = tuple(allowed_hosts)
        self._token = token
        super().__init__(
            routes=[
                Route("/api/session", _session),
                Route("/api/runs", _runs),
                Route("/api/series", _series),
                Route("/api/events", _events),
                Route("/api/edit", _edit, methods=["POST"]),
                Route("/plotly.js", _plotly),
            ],
            exception_handlers={HTTPException: _http_error, OptiscopeError: _our_error, Exception: _any_error},
            lifespan=_lifespan,
        )
        # Built now, so that a token that is missing or too short is said to whoever starts the server.
        self.middleware_stack = self.build_middleware_stack()

    def build_middleware_stack(self) -> ASGIApp:
        """The guard stands before everything, the answers to our own failures too."""
        return Guard(
            super().build_middleware_stack(),
            allowed_hosts=self._hosts,
            access_token=self._token,
            edit_token=self.edit_token,
        )


def create_application(
    folder: str | os.PathLike[str], *, token: str | None = None, allowed_hosts: Iterable[str] = LOOPBACK_HOSTS
) -> Dashboard:
    """The dashboard of the runs in `folder`, as an ASGI application.

    Args:
        folder: The folder of runs. Nothing outside it is read.
        token: What a browser has to bring: once as `?token=…`, then by a cookie. Other machines need one.
        allowed_hosts: Names and addresses by which the server may be called.

    Raises:
        RunNotFound: There is no such folder.
        ArgumentError: Other machines may call the server and there is no token, or it is short.
    """
    return Dashboard(RunsFolder(folder), token=token, allowed_hosts=allowed_hosts)


async def _session(request: Request) -> Response:
    """What the page needs once: the token for changes, the version, and the name of the folder, not its path."""
    dashboard = _dashboard(request)
    return _answer(
        {
            "server": dashboard.watcher.identity,
            "version": optiscope.__version__,
            "folder": dashboard.folder.path.name,
            "token": dashboard.edit_token,
        }
    )


async def _runs(request: Request) -> Response:
    """Rows of the runs list: all, those that fulfil `?query=…`, or those named by `?run=…&run=…`."""
    dashboard = _dashboard(request)
    text, named = request.query_params.get("query", ""), set(request.query_params.getlist("run"))

    def read() -> bytes:
        rows = dashboard.table.rows()
        query = parse_query(text, known_names(rows))
        chosen = [row for row in rows if (not named or row["name"] in named) and query.matches(row)]
        for row in chosen:
            if row["fault"]:
                row["fault"] = dashboard.folder.without_paths(str(row["fault"]))
        return encode_json({"runs": chosen, "total": len(rows), "pending": dashboard.table.pending})

    return Response(await run_in_threadpool(read), media_type="application/json")


async def _series(request: Request) -> Response:
    """Points of series, by `?run=…&name=…&from=…&to=…&points=…`; binary when the Accept header asks for it."""
    dashboard = _dashboard(request)
    wanted = series_request(request.query_params)
    is_binary = BINARY_TYPE in request.headers.get("accept", "")

    def read() -> bytes:
        for name in wanted.runs:
            dashboard.folder.run(name)
        samples = dashboard.sampler.sample(wanted.runs, wanted.names, wanted.steps, wanted.points)
        return as_binary(samples) if is_binary else as_json(samples)

    return Response(await run_in_threadpool(read), media_type=BINARY_TYPE if is_binary else "application/json")


async def _edit(request: Request) -> Response:
    """Rename, tag, pin or delete a run, write its note, undo a deletion, empty the trash."""
    editor = _dashboard(request).editor
    action, given = edit_request(await request.body())

    def change() -> Any:
        run = given.get("run", "")
        match action:
            case "rename":
                editor.rename(run, given["name"])
            case "tag":
                return {"tags": editor.tag(run, given["tag"])}
            case "untag":
                return {"tags": editor.untag(run, given["tag"])}
            case "note":
                editor.note(run, given["text"])
            case "pin":
                editor.pin(run, given["pinned"])
            case "delete":
                return {"key": editor.delete(run).key}
            case "undo":
                return {"run": editor.undo(given["key"])}
            case "empty":
                return {"kept": editor.empty()}
        return {}

    return _answer(await run_in_threadpool(change))


async def _events(request: Request) -> Response:
    """Server-sent events; `Last-Event-ID` goes on from an event."""
    watcher = _dashboard(request).watcher
    if watcher.listeners >= MOST_STREAMS:
        raise HTTPException(503, f"{MOST_STREAMS} pages listen already. Close some.")
    stream = event_stream(watcher, request.headers.get("last-event-id", ""))
    return StreamingResponse(stream, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def _plotly(request: Request) -> Response:
    """plotly.js as the installed package has it; a browser that has it already is told so."""
    path, version = plotly_bundle()
    entity = f'"{version}-{path.stat().st_size}"'
    headers = {"etag": entity, "cache-control": "no-cache"}
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if entity in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return FileResponse(path, headers=headers, media_type="text/javascript; charset=utf-8")


@cache
def plotly_bundle() -> tuple[Path, str]:
    """The file of plotly.js in the installed package, and the version of the package."""
    import plotly

    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js", plotly.__version__


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    sentences = {404: "There is nothing at this address.", 405: f"{request.url.path} does not take {request.method}."}
    given = error.detail if isinstance(error, HTTPException) else ""
    is_plain = given == HTTPStatus(status).phrase
    headers = error.headers if isinstance(error, HTTPException) else None
    return error_response(status, sentences.get(status, given) if is_plain else given, headers=headers)


async def _our_error(request: Request, error: Exception) -> Response:
    statuses = ((ArgumentError, 400), (RunNotFound, 404), (RunInUse, 409), (RunExists, 409))
    status = next((status for kind, status in statuses if isinstance(error, kind)), 422)
    place = {"position": error.position} if isinstance(error, QueryError) else {}
    return error_response(status, _dashboard(request).folder.without_paths(str(error)), more=place)


async def _any_error(request: Request, error: Exception) -> Response:
    """A failure of ours: what it was is for the log, since the text may name files of the machine."""
    _log.error("%s failed", request.url.path, exc_info=error)
    return error_response(500, f"The server failed ({type(error).__name__}). Its log says where.")


@contextlib.asynccontextmanager
async def _lifespan(application: Starlette) -> AsyncIterator[None]:
    yield
    if isinstance(application, Dashboard):
        await run_in_threadpool(application.watcher.close)


def _dashboard(request: Request) -> Dashboard:
    application = request.app
    assert isinstance(application, Dashboard)
    return application


def _answer(content: Any) -> Response:
    return Response(encode_json(content), media_type="application/json")


def encode_json(content: Any) -> bytes:
    """`content` as strict JSON: numbers that are not finite as text, as in the run format; dates as ISO 8601."""
    try:
        return _encoder.encode(content).encode("utf-8", "replace")
    except ValueError:
        return _encoder.encode(to_json(content)).encode("utf-8", "replace")
