"""`/` and the files that the page is made of, as a client of HTTP sees them."""

import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import roomcall_server.http.page as page

FOLDER = Path(page.__file__).with_name("web")
SUFFIXES = (".js", ".mjs", ".css", ".svg", ".html")
SERVED = sorted(path for path in FOLDER.rglob("*") if path.suffix in SUFFIXES)
IMPORT = re.compile(r'^(?:import|export)[^"\n]*from "(.*)";$', re.MULTILINE)
MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b")


@pytest.fixture
async def get(room_server: Any) -> Any:
    async with aiohttp.ClientSession() as session:

        async def get(path: str, **headers: str) -> tuple[aiohttp.ClientResponse, str]:
            async with session.get(room_server.url + path, headers=headers) as response:
                return response, await response.text()

        yield get


async def test_every_file_is_there_with_its_type_and_the_headers(get: Any) -> None:
    types = {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".css": "text/css",
        ".svg": "image/svg+xml",
        ".html": "text/html",
    }
    for path in SERVED:
        response, body = await get(f"/page/{path.relative_to(FOLDER).as_posix()}")
        assert response.status == 200
        assert response.headers["Content-Type"] == f"{types[path.suffix]}; charset=utf-8"
        assert body == path.read_text()
        _check_headers(response)


def _check_headers(response: aiohttp.ClientResponse) -> None:
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy
    assert "unsafe" not in policy and "http" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-cache"


async def test_the_page_has_nothing_inline_and_only_relative_addresses(get: Any) -> None:
    response, body = await get("/")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    _check_headers(response)
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", body)
    for address in re.findall(r'(?:src|href)="([^"]*)"', body):
        assert re.fullmatch(r"page/[\w./]+", address)
        assert (await get(f"/{address}"))[0].status == 200


async def test_modules_import_only_each_other() -> None:
    for path in SERVED:
        if path.suffix not in (".js", ".mjs"):
            continue
        for address in IMPORT.findall(path.read_text()):
            assert address.startswith("."), (path, address)
            assert (path.parent / address).resolve() in SERVED, (path, address)
        if path.parent.name != "vendor":
            assert not MARKUP.search(path.read_text()), path


async def test_what_has_not_changed_is_not_sent_again(get: Any) -> None:
    response, _ = await get("/page/main.js")
    tag = response.headers["ETag"]
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        response, body = await get("/page/main.js", **{"If-None-Match": known})
        assert (response.status, body) == (304, "")
        assert response.headers["ETag"] == tag
        _check_headers(response)
    assert (await get("/page/main.js", **{"If-None-Match": '"other"'}))[0].status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/page/",
        "/page/nothing.js",
        "/page/vendor/LICENSE.preact",
        "/page/core/protocol.d.ts",
        "/page/../page.py",
        "/page/%2e%2e/page.py",
        "/page/..%2Fpage.py",
        "/page//etc/passwd",
        "/index.html",
    ],
)
async def test_nothing_else_is_served(get: Any, path: str) -> None:
    assert (await get(path))[0].status == 404
