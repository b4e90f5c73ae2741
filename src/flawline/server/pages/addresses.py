"""The colours of all pages, and a page that lists the addresses of the API."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from flawline.core.colours import PAGE
from flawline.server.page import PageViewer, render

router = APIRouter(include_in_schema=False)


@router.get("/palette.css")
def palette() -> Response:
    """Give the colours of pages and reports as variables of CSS."""
    light, dark = (
        "".join(f"--{name}:{colour};" for name, colour in PAGE[theme].items())
        for theme in ("light", "dark")
    )
    text = (
        f":root{{color-scheme:light dark;{light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f":root[data-theme=dark]{{color-scheme:dark;{dark}}}\n:root[data-theme=light]{{color-scheme:light}}\n"
    )
    return Response(text, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


@router.get("/docs", response_class=HTMLResponse)
def addresses(request: Request, visitor: PageViewer) -> HTMLResponse:
    """List the addresses of the API with what they take and give."""
    document: dict[str, Any] = request.app.openapi()
    operations = [
        {"method": method.upper(), "path": path, **operation}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    tags = sorted({tag for one in operations for tag in one.get("tags", ())})
    return render(request, "docs.html", visitor, tags=tags, operations=operations)
