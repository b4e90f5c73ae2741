"""The pages of recipes: which judges what, how good each is, and how it judges."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from flawline.core.measure.columns import NAMES
from flawline.records.where import Where
from flawline.server.access import State
from flawline.server.errors import ServerError
from flawline.server.evidence_book import BLIND
from flawline.server.page import PageEngineer, PageViewer, render
from flawline.server.recipe_drawing import histogram_layout, pod_layout
from flawline.server.recipe_facts import recipe_facts, score_document, spec_document, versions_of
from flawline.server.routes.recipes import Version, known, list_recipes, show_product, version_of
from flawline.server.state import ServerState
from flawline.specification.clause import WHOLE

router = APIRouter(include_in_schema=False)
_TRAININGS = 8
_SHOWN = 60


@router.get("/recipes", response_class=HTMLResponse)
def recipes(
    request: Request,
    state: State,
    visitor: PageViewer,
    product: Annotated[str, Query(max_length=200)] = "",
    undo: Version = "",
) -> HTMLResponse:
    """Show the products with their recipes, each with one sentence; `undo` offers to take a change back."""
    found = list_recipes(state, visitor)["products"]
    trainings = [job.as_dict() for job in state.jobs.list("train")[:_TRAININGS]]
    return render(
        request,
        "recipes.html",
        visitor,
        products=found,
        trainings=trainings,
        undo=_undo(state, product, undo) if product and undo else None,
    )


@router.get("/recipes/{product}", response_class=HTMLResponse)
def product(
    product: str,
    request: Request,
    state: State,
    visitor: PageViewer,
    recipe: Version = "",
    undo: Version = "",
) -> HTMLResponse:
    """Show a version of a recipe: what it finds and misses first, then its thresholds and the other versions."""
    found = show_product(product, state, visitor)
    chosen = version_of(state, product, recipe)
    shown = next(one for one in found["versions"] if one["recipe"] == chosen.sha256)
    scores = None
    if chosen.settings.threshold is not None:
        scores = score_document(state, chosen)
    test = chosen.manifest.metrics.get("self_test")
    return render(
        request,
        "recipe.html",
        visitor,
        found=found,
        shown=shown,
        facts=recipe_facts(state, chosen.sha256),
        scores=scores,
        histogram=None if scores is None else histogram_layout(scores),
        missed=[] if scores is None else _missed(scores),
        test=test,
        charts=pod_layout(test),
        ground=_ground(state, product, chosen.sha256),
        metrics=dict(chosen.manifest.metrics),
        segmenter=chosen.settings.segmenter,
        has_spec=chosen.settings.spec is not None,
        undo=_undo(state, product, undo) if undo else None,
    )


@router.get("/recipes/{product}/spec", response_class=HTMLResponse)
def specification(
    product: str, request: Request, state: State, visitor: PageViewer
) -> HTMLResponse:
    """Edit the specification of a product's recipe, and see which verdicts it would change."""
    return render(
        request,
        "spec.html",
        visitor,
        product=product,
        found=spec_document(version_of(state, product, "")),
        names=[*NAMES, *(f"total {name}" for name in NAMES), *WHOLE],
    )


@router.get("/compare", response_class=HTMLResponse)
def compare(
    request: Request,
    state: State,
    visitor: PageEngineer,
    first: Annotated[str, Query(max_length=300)] = "",
    second: Annotated[str, Query(max_length=300)] = "",
) -> HTMLResponse:
    """Compare two versions side by side, and on pictures."""
    choices = [
        {"value": f"{name}:{one['recipe']}", "text": f"{name} version {one['version']}", **one}
        for name in state.products.names()
        for one in versions_of(known(state, name))
    ]
    values = [one["value"] for one in choices]
    sides = [_side(state, text) for text in (first, second) if text in values]
    jobs = [job.as_dict() for job in state.jobs.list("compare")[:_TRAININGS]]
    return render(
        request,
        "compare.html",
        visitor,
        choices=choices,
        first=first,
        second=second,
        sides=sides,
        folders=list(state.settings.folders),
        jobs=jobs,
    )


@router.get("/compare/{number}", response_class=HTMLResponse)
def comparison(number: str, request: Request, state: State, visitor: PageViewer) -> HTMLResponse:
    """Show a comparison: the finding first, then the figures side by side."""
    job = state.jobs.get(number)
    if job.kind != "compare":
        raise ServerError(f"there is no comparison {number[:40]!r}", code="not-found")
    return render(request, "comparison.html", visitor, job=job.as_dict())


def _missed(scores: dict[str, Any]) -> list[dict[str, Any]]:
    limit = scores["review"]
    rows = [row for row in scores["bad"] if limit is not None and row["score"] <= limit]
    return [row for row in rows if row["picture"] is not None][:_SHOWN]


def _ground(state: ServerState, product: str, recipe: str) -> str:
    """Name the picture over which blind zones are shown: the mean part, else the last part that was judged."""
    place = state.evidence.place(recipe)
    if place is not None and (place / BLIND).is_file():
        return f"/api/evidence/{recipe}/blind"
    kept = state.store.page(Where(names={"product": product, "recipe": recipe}), count=1).items
    if kept and kept[0].record.picture is not None:
        return f"/api/records/{kept[0].id}/picture?side=640"
    return ""


def _undo(state: ServerState, product: str, recipe: str) -> dict[str, Any] | None:
    """What an undo brings back; None where that version judges already or never did."""
    versions = versions_of(known(state, product))
    found = next((one for one in versions if one["recipe"] == recipe), None)
    if found is None or found["active"]:
        return None
    now = next(one["version"] for one in versions if one["active"])
    return {"product": product, "now": now, **found}


def _side(state: ServerState, text: str) -> dict[str, Any]:
    product, _, recipe = text.rpartition(":")
    found = version_of(state, product, recipe)
    version = next(one for one in versions_of(known(state, product)) if one["recipe"] == recipe)
    settings = found.settings
    return {
        "product": product,
        "version": version["version"],
        "facts": recipe_facts(state, recipe),
        "ground": _ground(state, product, recipe),
        "test": found.manifest.metrics.get("self_test"),
        "method": settings.detector.method
        if settings.detector
        else settings.segmenter and settings.segmenter.network,
        "window": settings.picture.window,
        "alignment": settings.alignment.method,
        "light": settings.light.method,
        "backbone": found.manifest.backbone.name,
        "learnt": sum(one.role == "train" for one in found.manifest.pictures),
        "spec": None if settings.spec is None else spec_document(found)["text"],
    }
