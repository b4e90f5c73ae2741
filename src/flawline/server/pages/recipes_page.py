"""The pages of recipes: which judges what, and since when."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from flawline.server.access import State
from flawline.server.page import PageViewer, render
from flawline.server.routes.recipes import list_recipes, show_product

router = APIRouter(include_in_schema=False)


@router.get("/recipes", response_class=HTMLResponse)
def recipes(request: Request, state: State, visitor: PageViewer) -> HTMLResponse:
    """Show the products with their recipes."""
    found = list_recipes(state, visitor)["products"]
    trainings = [job.as_dict() for job in state.jobs.list("train")[:20]]
    return render(request, "recipes.html", visitor, products=found, trainings=trainings)


@router.get("/recipes/{product}", response_class=HTMLResponse)
def product(product: str, request: Request, state: State, visitor: PageViewer) -> HTMLResponse:
    """Show the recipe of a product, its thresholds and those before it."""
    return render(request, "recipe.html", visitor, found=show_product(product, state, visitor))
