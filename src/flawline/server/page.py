"""Render pages: the frame around them, who looks, and what a failure looks like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from flawline.errors import FlawlineError
from flawline.records.accounts import Role
from flawline.records.where import Where
from flawline.server.access import Visitor, visitor_of
from flawline.server.errors import ServerError
from flawline.server.state import state_of
from flawline.version import __version__


@dataclass(frozen=True, slots=True)
class Place:
    """A page in the frame; `making` is that of recipes, at the right, and `role` the least that sees it."""

    address: str
    title: str
    role: Role
    making: bool = False


PLACES = (
    Place("/", "Line", "viewer"),
    Place("/review", "Review", "operator"),
    Place("/records", "Records", "viewer"),
    Place("/control", "Control", "viewer"),
    Place("/studies", "Studies", "viewer"),
    Place("/rank", "Rank", "operator", making=True),
    Place("/label", "Label", "viewer", making=True),
    Place("/recipes", "Recipes", "viewer", making=True),
)
"""The pages of the frame: left those that run the line, right those that make recipes."""
MOST_COUNTED = 100
UNDECIDED = Where(verdict=("review",), decided=False)


def page_for(role: Role) -> Callable[[Request], Visitor]:
    """Make a dependency of a page: strangers are sent to the page to sign in.

    It raises ServerError ("rights") for a role that is too low.
    """

    def check(request: Request) -> Visitor:
        visitor = visitor_of(request)
        if visitor is None:
            back = quote(request.url.path)
            raise HTTPException(303, headers={"Location": f"/sign-in?to={back}"})
        if not visitor.may(role):
            raise ServerError(
                f"this page takes the rights of {role}, and {visitor.account.name} has those of {visitor.role}",
                hint="an admin can change the role",
                code="rights",
            )
        return visitor

    check.__name__ = f"page_for_{role}"
    return check


PageViewer = Annotated[Visitor, Depends(page_for("viewer"))]
PageOperator = Annotated[Visitor, Depends(page_for("operator"))]
PageEngineer = Annotated[Visitor, Depends(page_for("engineer"))]
PageAdmin = Annotated[Visitor, Depends(page_for("admin"))]


def places_of(request: Request, visitor: Visitor | None) -> list[Place]:
    """List the pages of the frame that a visitor sees."""
    if visitor is None:
        return []
    served: set[str] = request.app.state.pages
    return [one for one in PLACES if one.address in served and visitor.may(one.role)]


def render(
    request: Request, name: str, visitor: Visitor | None, *, status: int = 200, **context: Any
) -> HTMLResponse:
    """Render a template inside the frame."""
    waiting = 0
    if visitor is not None:
        state = state_of(request)
        waiting = state.store.count_upto(UNDECIDED, MOST_COUNTED)
    html = (
        _environment()
        .get_template(name)
        .render(
            path=request.url.path,
            visitor=visitor,
            places=places_of(request, visitor),
            waiting=f"{MOST_COUNTED - 1}+" if waiting == MOST_COUNTED else waiting,
            version=__version__,
            **context,
        )
    )
    return HTMLResponse(html, status)


def error_page(request: Request, error: FlawlineError, status: int) -> HTMLResponse:
    """Show a failure: what was expected, what came, and the way out."""
    try:
        visitor = visitor_of(request)
    except FlawlineError:
        visitor = None
    if visitor is None:
        html = _environment().get_template("error.html")
        shown = html.render(
            path="", visitor=None, places=[], waiting=0, version=__version__, error=error
        )
        return HTMLResponse(shown, status)
    return render(request, "error.html", visitor, status=status, error=error)


@cache
def _environment() -> Any:
    """Make the templates of this package; text is escaped, and undefined names are errors."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("flawline.server"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["sum_values"] = lambda counts: sum(counts.values())
    return made
