"""`/`: the web client, one page, and the files that it is made of.

All addresses in it are relative, so that it also works where a proxy serves it below a prefix.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web

_FOLDER = Path(__file__).with_name("web")
_INDEX = "index.html"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
}
# W3C CSP3. A `blob:` is a video file of the user's own; `connect-src 'self'` has the WebSocket.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_HEADERS = {
    hdrs.CACHE_CONTROL: "no-cache",
    "Content-Security-Policy": _POLICY,
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    content_type: str
    etag: str

    def answer(self, request: web.Request) -> web.Response:
        """See RFC 9110 section 13.1.2."""
        asked = request.if_none_match or ()
        known = any(tag.value in (self.etag, "*") for tag in asked)
        response = web.Response(status=304) if known else self._whole()
        response.etag = self.etag
        response.headers.update(_HEADERS)
        return response

    def _whole(self) -> web.Response:
        return web.Response(body=self.body, content_type=self.content_type, charset="utf-8")


def routes() -> list[web.RouteDef]:
    """Only what is in the folder now is ever served."""
    files = {
        path.relative_to(_FOLDER).as_posix(): _read(path)
        for path in sorted(_FOLDER.rglob("*"))
        if path.suffix in _TYPES
    }

    async def index(request: web.Request) -> web.Response:
        return files[_INDEX].answer(request)

    async def part(request: web.Request) -> web.Response:
        file = files.get(request.match_info["path"])
        if file is None:
            raise web.HTTPNotFound(text="there is no such file")
        return file.answer(request)

    return [web.get("/", index), web.get("/page/{path:.+}", part)]


def _read(path: Path) -> _File:
    body = path.read_bytes()
    return _File(body, _TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:32])
