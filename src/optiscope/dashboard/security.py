"""Who may ask what of the dashboard: checked before anything else sees a request, and said in every answer.

A page of the internet that is open in the same browser can send requests to 127.0.0.1. It must neither read runs (by
binding its own name to 127.0.0.1, by a frame, or by loading our answers as a script) nor change them (by a form).
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from optiscope.errors import ArgumentError

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
"""Names under which this machine alone reaches the server."""
ANY_ADDRESS = "any address"
"""Among the allowed hosts: every numeric address. A page can bind its name to our address, but not a number."""
EDIT_HEADER = "x-optiscope-token"
"""The header that a change has to carry."""
LONGEST_QUERY = 32 * 1024
"""Bytes of path and query together."""
LARGEST_BODY = 64 * 1024
"""Bytes of a request's body."""
SHORTEST_TOKEN = 16
"""Characters of an access token."""

_HOST = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>\d{1,5}))?")
_METHODS = ("GET", "HEAD", "POST")

_STEADY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Refused(Exception):
    """A request that is not answered."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        """The HTTP status."""
        self.sentence = sentence
        """Why, for people."""


class Guard:
    """Stands before an application: refuses what must not come in, and puts the security headers on what goes out.

    The nonce of the content-security policy is in `request.state.nonce`, new for each request.
    """

    def __init__(
        self, application: ASGIApp, *, allowed_hosts: Iterable[str], access_token: str | None, edit_token: str
    ) -> None:
        """Guard `application`.

        Args:
            application: What answers the requests that pass.
            allowed_hosts: Names and addresses that a request may call this server by; `ANY_ADDRESS` may be among them.
            access_token: What a request needs to come in at all; None on the loopback address.
            edit_token: What a change needs besides.

        Raises:
            ArgumentError: Other machines may come in, and there is no access token, or a short one.
        """
        self._application = application
        self._hosts = frozenset(map(_canonical, allowed_hosts))
        if access_token is None and not all(map(is_loopback, self._hosts)):
            raise ArgumentError(
                "A dashboard that other machines can reach needs a token, so that not everybody reads and deletes "
                f"runs. Give token=…, or leave the address at 127.0.0.1. Received: allowed_hosts={sorted(self._hosts)}."
            )
        if access_token is not None and (len(access_token) < SHORTEST_TOKEN or not _is_visible(access_token)):
            raise ArgumentError(
                f"A token is at least {SHORTEST_TOKEN} characters long, of letters, digits and ASCII signs, so that "
                f"nobody guesses it: secrets.token_urlsafe() makes one. Received: {len(access_token)} characters."
            )
        self._access_token = access_token
        self._edit_token = edit_token
        digest = hashlib.sha256((access_token or "").encode()).hexdigest()
        # Cookies do not know ports: two dashboards on one machine must not overwrite each other's.
        self._cookie = f"optiscope-{digest[:12]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        nonce = secrets.token_urlsafe(18)
        scope.setdefault("state", {})["nonce"] = nonce
        guarded_send = _with_headers(send, nonce, no_store=scope["path"].startswith("/api/"))
        headers = Headers(scope=scope)
        try:
            _check_size(scope, headers)
            host = self._checked_host(headers)
            if scope["method"] not in _METHODS:
                raise Refused(405, f"This server knows {', '.join(_METHODS)}.")
            _check_sender(scope, headers)
            if self._access_token is not None and (entrance := self._entrance(scope, headers)) is not None:
                await entrance(scope, receive, guarded_send)
                return
            if scope["method"] == "POST":
                self._check_change(headers, host)
        except Refused as refusal:
            await error_response(refusal.status, refusal.sentence)(scope, receive, guarded_send)
            return
        await self._application(scope, _bounded(receive), guarded_send)

    def _checked_host(self, headers: Headers) -> str:
        """The Host header. Raises `Refused` for a name that is not ours: that is how DNS rebinding shows."""
        given = headers.getlist("host")
        match = _HOST.fullmatch(given[0]) if len(given) == 1 else None
        if match is None:
            raise Refused(400, "The request has no Host header that can be read.")
        name = _canonical(match["six"] or match["name"])
        if name not in self._hosts and not (ANY_ADDRESS in self._hosts and _is_address(name)):
            raise Refused(
                421, f"This server is not called {name[:100]!r}. Use the address that it printed when it started."
            )
        return given[0].lower()

    def _entrance(self, scope: Scope, headers: Headers) -> Response | None:
        """None for somebody who may come in; a redirect with a cookie for somebody who brings the token in the URL."""
        token = self._access_token or ""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=5000)
        brought = [value for key, value in query if key == "token"]
        if scope["method"] == "GET" and brought:
            if not _same(brought[0], token):
                raise Refused(403, "The token in the address is not that of this server. It prints the right one.")
            rest = urlencode([(key, value) for key, value in query if key != "token"])
            # "//host" would lead to another machine.
            path = "/" + scope["path"].replace("\\", "/").lstrip("/")
            response = RedirectResponse(path + (f"?{rest}" if rest else ""), status_code=303)
            response.set_cookie(self._cookie, token, httponly=True, samesite="lax", path="/")
            return response
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        if (kind.lower() == "bearer" and _same(bearer.strip(), token)) or _same(_cookie(headers, self._cookie), token):
            return None
        raise Refused(401, "This server asks for a token. Open the address that it printed when it started.")

    def _check_change(self, headers: Headers, host: str) -> None:
        """Raises `Refused` for a change that does not come from our own page."""
        origin = headers.get("origin", "")
        parts = urlsplit(origin) if origin.isascii() else None
        if parts is None or parts.scheme not in {"http", "https"} or parts.netloc.lower() != host:
            raise Refused(403, "Changes are only taken from the dashboard's own page (by the Origin header).")
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise Refused(403, "Changes are only taken from the dashboard's own page (by the Sec-Fetch-Site header).")
        if not _same(headers.get(EDIT_HEADER, ""), self._edit_token):
            raise Refused(403, "The change has no valid token: the server was started anew. Load the page again.")
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refused(415, "Changes are sent as application/json.")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens at `host`."""
    name = _canonical(host)
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name).is_loopback)


def error_response(
    status: int, sentence: str, *, headers: Mapping[str, str] | None = None, more: Mapping[str, object] | None = None
) -> Response:
    """An error as the API tells it: a sentence for people, and `more` for the page."""
    content = json.dumps({"error": sentence, **(more or {})}, ensure_ascii=False).encode("utf-8", "replace")
    return Response(content, status, headers=headers, media_type="application/json")


def content_security_policy(nonce: str) -> str:
    """Scripts, styles and data from this server alone; nothing inline without the nonce; no frame around the page."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _check_size(scope: Scope, headers: Headers) -> None:
    if len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"]) > LONGEST_QUERY:
        raise Refused(414, f"An address has at most {LONGEST_QUERY} bytes. Ask for fewer runs or series at once.")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > 18 or int(length) > LARGEST_BODY:
        raise Refused(413, f"A request has at most {LARGEST_BODY} bytes.")


def _check_sender(scope: Scope, headers: Headers) -> None:
    """Raises `Refused` for what another page asks for, unless somebody follows a link to us."""
    if headers.get("sec-fetch-site", "none") in {"none", "same-origin"}:
        return
    is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest", "document") == "document"
    if scope["method"] != "GET" or not is_link:
        raise Refused(403, "Only the dashboard's own page may ask (by the Sec-Fetch-Site header).")


def _bounded(receive: Receive) -> Receive:
    """`receive`, which ends with an error when the body grows beyond its limit, whatever its header said."""
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > LARGEST_BODY:
            raise HTTPException(413, f"A request has at most {LARGEST_BODY} bytes.")
        return message

    return counted


def _with_headers(send: Send, nonce: str, *, no_store: bool) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["content-security-policy"] = content_security_policy(nonce)
            for name, value in _STEADY_HEADERS.items():
                headers[name] = value
            if no_store:
                headers["cache-control"] = "no-store"
        await send(message)

    return guarded


def _canonical(host: str) -> str:
    name = host.strip("[]").lower().removesuffix(".")
    return str(ipaddress.ip_address(name)) if _is_address(name) else name


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_visible(token: str) -> bool:
    return token.isascii() and token.isprintable() and not any(each in token for each in ' ",;\\')


def _cookie(headers: Headers, name: str) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""


def _same(given: str, expected: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "replace"), expected.encode())
