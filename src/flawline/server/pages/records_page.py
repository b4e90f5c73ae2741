"""The pages of records: a search, one inspection, and one part with everything that is known of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from flawline.errors import UsageError
from flawline.records.record import StoredRecord
from flawline.records.where import Where
from flawline.server.access import State
from flawline.server.errors import ServerError
from flawline.server.page import PageViewer, render
from flawline.server.routes.records import recipes_of, record_as_dict
from flawline.server.search import parse_search, search_of, word_for, words_of
from flawline.station.line_summary import line_summary
from flawline.station.part_summary import part_summary

router = APIRouter(include_in_schema=False)
COUNT = 60
MOST_OF_PART = 200


@router.get("/records", response_class=HTMLResponse)
def records(
    request: Request,
    state: State,
    visitor: PageViewer,
    q: Annotated[str, Query(max_length=500)] = "",
    after: Annotated[str | None, Query(max_length=200)] = None,
    view: str = "gallery",
) -> HTMLResponse:
    """Show the inspections that a search finds, the newest first, as pictures or as a table."""
    problem, where = "", Where()
    try:
        where = parse_search(q)
    except UsageError as error:
        problem = f"{error.message}: {error.hint}"
    page = state.store.page(where, after=after, count=COUNT)
    words = words_of(q)
    return render(
        request,
        "records.html",
        visitor,
        q=q,
        view="table" if view == "table" else "gallery",
        problem=problem,
        sentence=line_summary(page.items).sentence,
        chips=[
            {"word": word, "without": search_of([*words[:place], *words[place + 1 :]])}
            for place, word in enumerate(words)
        ],
        added=lambda word: search_of([*(one for one in words if not _same(one, word)), word]),
        records=[record_as_dict(kept) for kept in page.items],
        next=page.next,
        after=after,
    )


@router.get("/records/{number}", response_class=HTMLResponse)
def record(number: int, request: Request, state: State, visitor: PageViewer) -> HTMLResponse:
    """Show one inspection: picture, heat, reasons, measures, decisions, and the part's other pictures."""
    kept = state.store.get(number)
    others: tuple[StoredRecord, ...] = ()
    if kept.record.part:
        same = Where(names={"part": kept.record.part})
        others = tuple(one for one in state.store.page(same, count=24).items if one.id != number)
    return render(
        request,
        "record.html",
        visitor,
        record=record_as_dict(kept),
        others=[record_as_dict(one) for one in others],
        recipes=recipes_of(state, kept),
        word_for=word_for,
    )


@router.get("/part", response_class=HTMLResponse)
def part(
    request: Request,
    state: State,
    visitor: PageViewer,
    name: Annotated[str, Query(min_length=1, max_length=500)],
) -> HTMLResponse:
    """Show one part: all its pictures and steps in time, decisions, what each recipe says; a report to print."""
    page = state.store.page(Where(names={"part": name}), count=MOST_OF_PART, newest=False)
    if not page.items:
        raise ServerError(
            f"there is no inspection of the part {name[:80]!r}",
            hint="look for it on the page of records",
            code="not-found",
        )
    return render(
        request,
        "part.html",
        visitor,
        part=name,
        summary=part_summary(page.items),
        records=[record_as_dict(kept) for kept in page.items],
        recipes=recipes_of(state, page.items[-1]),
        more=page.next is not None,
        word_for=word_for,
    )


def _same(one: str, other: str) -> bool:
    """Whether two words of a search are about the same name."""
    return one.partition(":")[0] == other.partition(":")[0]
