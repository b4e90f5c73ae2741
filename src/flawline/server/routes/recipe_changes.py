"""Change how a recipe judges: thresholds and specification, tried on the records first, saved as a new version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from flawline.data.toml_file import read_toml
from flawline.errors import ModelError, SpecError
from flawline.recipe import Recipe, recipe_with, threshold_settings
from flawline.recipe.settings_text import spec_text
from flawline.records.record import StoredRecord
from flawline.records.where import Where
from flawline.server.access import Engineer, State, Viewer, Visitor, note
from flawline.server.errors import ServerError
from flawline.server.recipe_facts import score_document, spec_document
from flawline.server.routes.recipes import Version, known, version_of
from flawline.server.spec_problem import spec_problem
from flawline.server.state import ServerState
from flawline.specification.parse import parse_spec
from flawline.station.stored_recipe import stored_recipe
from flawline.station.what_if import WhatIf, same_measures, what_if

router = APIRouter(prefix="/api/recipes", tags=["recipes"])
MOST_LOOKED, MOST_SHOWN, MOST_TEXT = 5_000, 200, 100_000
_PAGE = 500


class Change(BaseModel):
    """Other thresholds (raw scores) or specification (TOML) for a version of a recipe; what is left out stays."""

    recipe: str = Field(pattern="^[0-9a-f]{64}$")
    review: float | None = Field(default=None, allow_inf_nan=False)
    reject: float | None = Field(default=None, allow_inf_nan=False)
    spec: str | None = Field(default=None, max_length=MOST_TEXT)


class Trial(Change):
    """A change to try on the records of the last `days`."""

    days: float = Field(default=7.0, gt=0, le=3650)


class SpecText(BaseModel):
    """A specification: TOML."""

    text: str = Field(max_length=MOST_TEXT)


class SpecTable(BaseModel):
    """A specification: its entries."""

    table: dict[str, Any]


@router.get("/{product}/scores")
def scores(product: str, state: State, _visitor: Viewer, recipe: Version = "") -> dict[str, Any]:
    """Give the scores of good and known bad parts that thresholds are set on."""
    return score_document(state, version_of(state, product, recipe))


@router.get("/{product}/spec")
def specification(
    product: str, state: State, _visitor: Viewer, recipe: Version = ""
) -> dict[str, Any]:
    """Give the specification of a recipe as TOML, and the classes that it may be about."""
    return spec_document(version_of(state, product, recipe))


@router.post("/{product}/spec/check")
def check_specification(
    product: str, body: SpecText, state: State, _visitor: Viewer
) -> dict[str, Any]:
    """Check a specification: its clauses in words and as entries, or what is wrong, with the line and field."""
    facts = spec_document(version_of(state, product, ""))
    try:
        data = read_toml(body.text)
    except ValueError:
        data = {}
    table = data.get("spec", data)
    shown = {"table": table if isinstance(table, dict) else {}}
    if not body.text.strip():
        return {"ok": True, "clauses": [], **shown}
    try:
        found = parse_spec(body.text, classes=facts["classes"], has_scale=facts["has_scale"])
    except SpecError as error:
        return {"ok": False, "problem": spec_problem(error, body.text), **shown}
    clauses = [{"text": limit.text, "line": limit.line} for limit in found.limits]
    return {"ok": True, "clauses": clauses, "guard": found.guard_text, **shown}


@router.post("/{product}/spec/text")
def write_specification(
    product: str, body: SpecTable, state: State, _visitor: Viewer
) -> dict[str, str]:
    """Write the entries of a specification as TOML."""
    known(state, product)
    try:
        return {"text": spec_text(body.table)}
    except (ValueError, RecursionError) as error:
        raise ServerError(
            str(error), hint="entries are texts, numbers and lists", code="usage"
        ) from error


@router.post("/{product}/what-if")
def try_change(product: str, body: Trial, state: State, _visitor: Viewer) -> dict[str, Any]:
    """Say which verdicts of the last days a change would change, from what the records hold."""
    old = version_of(state, product, body.recipe)
    new = changed(old, body)
    found, more = _tried(state, product, old, new, body.days)
    return {
        "looked": found.looked,
        "more": more,
        "days": body.days,
        "untold": found.untold,
        "count": len(found.changed),
        "changed": [
            {
                "id": one.kept.id,
                "name": one.kept.record.part or one.kept.record.image,
                "before": one.before,
                "after": one.after,
                "reason": one.reason,
                "has_picture": one.kept.record.picture is not None,
                "decided": one.kept.decisions[-1].verdict if one.kept.decisions else None,
            }
            for one in found.changed[:MOST_SHOWN]
        ],
    }


@router.post("/{product}/versions", status_code=201)
def save_version(product: str, body: Change, state: State, visitor: Engineer) -> dict[str, Any]:
    """Save a change of the version that judges now as a new one, which judges from then on."""
    active = known(state, product)[0].recipe
    if active != body.recipe:
        raise ServerError(
            f"another version judges {product[:80]} by now: {active[:12]}",
            hint="reload the page; your change is not saved",
            code="changed",
        )
    old = version_of(state, product, active)
    new = changed(old, body)
    return _activated(state, visitor, product, old, new)


def changed(recipe: Recipe, change: Change) -> Recipe:
    """Make the recipe that a change gives.

    Raises:
        ModelError: ("recipe-settings") the change makes no sense; ("recipe-uncalibrated") there are no thresholds.
    """
    settings = recipe.settings
    if change.review is not None or change.reject is not None:
        limit = threshold_settings(recipe)
        review = limit.review if change.review is None else change.review
        reject = limit.reject if change.reject is None else change.reject
        settings = replace(settings, threshold=replace(limit, review=review, reject=reject))
    if change.spec is not None:
        settings = replace(settings, spec=_spec_table(change.spec))
    return recipe_with(recipe, settings=settings)


def _spec_table(text: str) -> dict[str, Any] | None:
    if not text.strip():
        return None
    try:
        data = read_toml(text)
    except ValueError as error:
        raise ModelError(
            f"the specification is not TOML: {error}", code="recipe-settings"
        ) from error
    table = data.get("spec", data)
    if not isinstance(table, dict):
        raise ModelError("expected a table [spec]", code="recipe-settings")
    return table


def _activated(
    state: ServerState, visitor: Visitor, product: str, old: Recipe, new: Recipe
) -> dict[str, Any]:
    # Before it is activated: what is said of a recipe is read once.
    state.evidence.refer(new.sha256, old.sha256)
    state.products.activate(product, new, visitor.account.name)
    note(state, visitor, "change recipe", f"{product}: {new.sha256[:12]}")
    return {"product": product, "recipe": new.sha256, "before": old.sha256}


def _tried(
    state: ServerState, product: str, old: Recipe, new: Recipe, days: float
) -> tuple[WhatIf, bool]:
    """Try a recipe on the newest records of a product; also tells whether there were more than were looked at."""
    olds = {old.sha256: old}
    for one in dict.fromkeys(item.recipe for item in known(state, product)):
        if one not in olds:
            other = stored_recipe(state.store, state.pictures, one)
            if same_measures(old, other):
                olds[one] = other
    since = datetime.now(UTC) - timedelta(days=days)
    records = (
        kept
        for recipe in olds
        for kept in _records(
            state, Where(since=since, names={"product": product, "recipe": recipe})
        )
    )
    looked = list(islice(records, MOST_LOOKED + 1))
    return what_if(looked[:MOST_LOOKED], olds, new), len(looked) > MOST_LOOKED


def _records(state: ServerState, where: Where) -> Iterator[StoredRecord]:
    after = None
    while True:
        page = state.store.page(where, after=after, count=_PAGE)
        yield from page.items
        if page.next is None:
            return
        after = page.next
