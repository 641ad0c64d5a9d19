"""The page and its files."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from probes import languages
from service.context import Context
from service.http.openapi import gives
from service.http.routing import Route, Table

PAGE = Path(__file__).parent.parent / "page"
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_FILES = [path for path in sorted(PAGE.iterdir()) if path.suffix in _KINDS and path.name != "index.html"]


class Page:
    """What a browser asks for."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> Table:
        demo = Route(self._demo, gives("The demo sentences"), "nothing")
        known = Route(self._languages, gives("Every language there are probes for"), "nothing")
        files = {f"/static/{path.name}": {"GET": _file(path, "A file of the page")} for path in _FILES}
        return {
            "/": {"GET": _file(PAGE / "index.html", "The page")},
            "/demo.json": {"GET": demo},
            "/languages.json": {"GET": known},
            **files,
        }

    def close(self) -> None:
        """Nothing runs."""

    async def _demo(self, request: Request) -> Response:
        return JSONResponse(self._sentences)

    async def _languages(self, request: Request) -> Response:
        known = map(languages.get, languages.codes())
        return JSONResponse([{"code": one.code, "name": one.name, "scripts": one.scripts} for one in known])

    @functools.cached_property
    def _sentences(self) -> list[dict[str, str]]:
        """The demo sentences; none where the file is missing."""
        demo = self._context.settings.demo
        if not demo.is_file():
            return []
        rows = [json.loads(line) for line in demo.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [row | {"name": languages.get(row["lang"]).name} for row in rows]


def _file(path: Path, summary: str) -> Route:
    kind = _KINDS[path.suffix]

    async def send(request: Request) -> Response:
        return FileResponse(path, media_type=kind, headers={"Cache-Control": "no-cache"})

    return Route(send, gives(summary, kind), "nothing")
