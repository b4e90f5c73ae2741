"""Every page in a browser, light and dark, at a desk and on a phone: no fault of accessibility, no error.

FLAWLINE_PICTURES=FOLDER keeps a picture of each page, at a desk, on a phone and on a wall, light and dark.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from flawline.server.app import PAGES
from helpers.label_sets import labelled
from helpers.served_browser import SIZES, House, ServedPage


def _newest(house: House) -> int:
    return int(house.state.store.page(count=1).items[0].id)


EXAMPLES: dict[str, Callable[[House], str]] = {
    "/part": lambda house: "/part?name=0006",
    "/studies/new": lambda house: "/studies/new?study=capability",
    "/control/chart": lambda house: "/control/chart?measure=score",
    "/records/{number}": lambda house: f"/records/{_newest(house)}",
    "/label/{number}": lambda house: f"/label/{labelled(house)}",
    "/recipes/{product}": lambda house: "/recipes/disc",
    "/recipes/{product}/spec": lambda house: "/recipes/disc/spec",
}
"""For pages with a name in their address: one that the full house has."""
LATER = {"/rank/{number}", "/train/{number}", "/compare/{number}", "/studies/{number}"}
"""Pages of jobs, which have tests of their own."""


def pages() -> list[str]:
    """List the addresses of all pages."""
    found = [
        route.path
        for module in PAGES
        for route in module.router.routes
        if isinstance(route, APIRoute) and route.response_class is HTMLResponse
    ]
    assert len(found) > 10
    return [path for path in found if path not in LATER]


@pytest.mark.parametrize("path", pages())
def test_every_page_is_without_fault(page: ServedPage, house: House, path: str) -> None:
    if "{" in path:
        assert path in EXAMPLES, f"name an example of {path} in EXAMPLES"
    address = EXAMPLES[path](house) if path in EXAMPLES else path
    page.open(address)
    for dark in (False, True):
        page.look("desk", dark=dark)
        assert page.faults() == []
        assert not page.scrolls_sideways()
        _keep(page, path, dark)
    page.look("phone").settle()
    assert not page.scrolls_sideways()


def _keep(page: ServedPage, path: str, dark: bool) -> None:
    folder: Any = os.environ.get("FLAWLINE_PICTURES")
    if not folder:
        return
    name = path.strip("/").replace("/", "_").replace("{", "").replace("}", "") or "line"
    for size in SIZES:
        page.look(size, dark=dark).settle()
        page.shoot(Path(folder) / f"{name}-{size}-{'dark' if dark else 'light'}.png")
    page.look("desk", dark=dark)


def test_faults_errors_and_requests_elsewhere_are_noticed(chromium: Any, house: House) -> None:
    page = ServedPage(chromium, house)
    page.open("/sign-in").gather()
    page.check()
    page.script("document.querySelector('main').append(document.createElement('button'))")
    assert any("button-name" in fault for fault in page.faults())
    page.script("console.error('a fault')")
    with pytest.raises(AssertionError, match="a fault"):
        page.check()
    page.expected = ("a fault",)
    page.check()
    page.asked.append("http://elsewhere.example/")
    with pytest.raises(AssertionError, match="elsewhere"):
        page.check()
