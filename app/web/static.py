"""Static files: style, script and icon, named by their content so that browsers may keep them for good."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

FOLDER = Path(__file__).resolve().parents[2] / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
}

_GZIP = re.compile(r"\bgzip\b(?! *; *q=0(\.0*)? *(,|$))", re.IGNORECASE)  # accepted, and not by a weight of zero

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class File:
    """A static file in memory."""

    content: bytes
    compressed: bytes
    digest: str
    media_type: str


@cache
def files() -> dict[str, File]:
    """The files by name; read once."""
    found = {}
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in TYPES:
            content = path.read_bytes()
            digest = blake2b(content, digest_size=6).hexdigest()
            found[path.name] = File(content, gzip.compress(content, 9, mtime=0), digest, TYPES[path.suffix])
    return found


def url(name: str) -> str:
    """The address of a file; changes with its content."""
    return f"/static/{name}?v={files()[name].digest}"


@router.api_route("/static/{name}", methods=["GET", "HEAD"])
async def static_file(name: str, request: Request) -> Response:
    """A static file."""
    file = files().get(name)
    if file is None:
        raise HTTPException(404)
    is_named = request.query_params.get("v") == file.digest
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if is_named else "public, max-age=300",
        "Vary": "Accept-Encoding",
    }
    if _GZIP.search(request.headers.get("accept-encoding", "")):
        return Response(file.compressed, headers=headers | {"Content-Encoding": "gzip"}, media_type=file.media_type)
    return Response(file.content, headers=headers, media_type=file.media_type)
