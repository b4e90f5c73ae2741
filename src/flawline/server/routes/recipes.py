"""Recipes of the products: upload, activate, roll back, download."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, Field

from flawline.data.part_files import scratch_folder
from flawline.recipe import Recipe, read_recipe, stated_thresholds, write_recipe
from flawline.records.activations import Activation
from flawline.server.access import Engineer, State, Viewer, note
from flawline.server.errors import ServerError
from flawline.server.recipe_facts import MOST_VERSIONS, before, recipe_facts, versions_of
from flawline.server.state import ServerState
from flawline.server.uploads import picture_bytes
from flawline.station.stored_recipe import stored_recipe

router = APIRouter(prefix="/api/recipes", tags=["recipes"])
MOST_RECIPE = 1024**3
Version = Annotated[str, Query(pattern="^([0-9a-f]{64})?$")]


class ActivationBody(BaseModel):
    """Which stored recipe is to judge a product."""

    recipe: str = Field(pattern="^[0-9a-f]{64}$")


@router.get("")
def list_recipes(state: State, _visitor: Viewer) -> dict[str, Any]:
    """List the products with their active recipes, each with one sentence about it."""
    current = state.store.activations.current()
    return {"products": [_listed(state, active) for _, active in sorted(current.items())]}


@router.post("", status_code=201)
async def upload_recipe(
    state: State,
    visitor: Engineer,
    file: Annotated[UploadFile, File(description="A .flaw file.")],
    product: Annotated[str, Form(max_length=200)] = "",
) -> dict[str, Any]:
    """Take a recipe and let it judge its product from now on."""
    data = await picture_bytes(file, MOST_RECIPE)
    stem = Path(file.filename or "part").stem

    def take() -> dict[str, Any]:
        with scratch_folder() as folder:
            path = folder / "recipe.flaw"
            path.write_bytes(data)
            recipe = read_recipe(path)
        name = product.strip() or recipe.settings.part or stem
        earlier = before_of(state, name)
        state.products.activate(name, recipe, visitor.account.name)
        note(state, visitor, "upload recipe", f"{name}: {recipe.sha256[:12]}")
        return {"product": name, "before": earlier, **described(recipe)}

    return await state.queue.run(take)


@router.get("/{product}")
def show_product(product: str, state: State, _visitor: Viewer) -> dict[str, Any]:
    """Show the active recipe of a product, its versions, and when each was activated."""
    history = known(state, product)
    recipe = stored_recipe(state.store, state.pictures, history[0].recipe)
    facts = recipe_facts(state, recipe.sha256)
    versions = versions_of(history)
    return {
        "product": product,
        **described(recipe),
        "sentence": facts.sentence,
        "version": next(one["version"] for one in versions if one["active"]),
        "versions": [
            {**one, "sentence": recipe_facts(state, one["recipe"]).sentence}
            for one in versions[:50]
        ],
        "before": before(history),
        "history": [
            {"recipe": one.recipe, "who": one.who, "since": one.time.isoformat()}
            for one in history[:50]
        ],
    }


@router.post("/{product}/activate")
def activate(product: str, body: ActivationBody, state: State, visitor: Engineer) -> dict[str, Any]:
    """Let a recipe that this product had before judge it again."""
    recipe = version_of(state, product, body.recipe)
    earlier = before_of(state, product)
    state.products.activate(product, recipe, visitor.account.name)
    note(state, visitor, "activate recipe", f"{product}: {body.recipe[:12]}")
    return {"product": product, "before": earlier, **described(recipe)}


@router.get("/{product}/file", response_class=Response)
def download(product: str, state: State, _visitor: Engineer, recipe: Version = "") -> Response:
    """Give the active recipe, or another version, as a .flaw file."""
    found = version_of(state, product, recipe)
    with scratch_folder() as folder:
        data = write_recipe(found, folder / "recipe.flaw").read_bytes()
    headers = {"Content-Disposition": 'attachment; filename="recipe.flaw"'}
    return Response(data, media_type="application/zip", headers=headers)


Before = str | None


def before_of(state: ServerState, product: str) -> Before:
    """Return the hash of the recipe that judges a product now, so that a page can bring it back; None for none."""
    active = state.store.activations.current().get(product)
    return None if active is None else active.recipe


def known(state: ServerState, product: str) -> tuple[Activation, ...]:
    """Return the activations of a product, the newest first; ServerError where there is none."""
    history = state.store.activations.history(product, count=MOST_VERSIONS)
    if not history:
        raise ServerError(f"there is no product {product[:80]!r}", code="product-unknown")
    return history


def described(recipe: Recipe) -> dict[str, Any]:
    """Describe a recipe by plain values."""
    return {
        "recipe": recipe.sha256,
        "part": recipe.settings.part,
        "task": recipe.settings.task,
        "thresholds": stated_thresholds(recipe),
        "metrics": dict(recipe.manifest.metrics),
    }


def version_of(state: ServerState, product: str, recipe: str) -> Recipe:
    """Read a version of a product's recipe, the active one where none is named.

    Raises:
        ServerError: ("product-unknown", "not-found") there is no such product, or it never had this recipe.
    """
    history = known(state, product)
    if recipe and recipe not in {one.recipe for one in history}:
        raise ServerError(
            f"the product {product[:80]!r} never had the recipe {recipe[:12]}",
            hint="upload it instead",
            code="not-found",
        )
    return stored_recipe(state.store, state.pictures, recipe or history[0].recipe)


def _listed(state: ServerState, active: Activation) -> dict[str, Any]:
    facts = recipe_facts(state, active.recipe)
    history = known(state, active.product)
    versions = versions_of(history)
    earlier = before(history)
    return {
        "product": active.product,
        "recipe": active.recipe,
        "since": active.time.isoformat(),
        "who": active.who,
        "task": facts.task,
        "sentence": facts.sentence,
        "version": next(one["version"] for one in versions if one["active"]),
        "before": earlier
        and next(
            {"recipe": earlier, "version": one["version"]}
            for one in versions
            if one["recipe"] == earlier
        ),
        "problem": state.products.failed.get(active.product),
    }
