"""Recipe management for OPC UA clients: list the recipes of a station, and prepare one, by names of OPC 40100-1."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from flawline.errors import FlawlineError
from flawline.outputs.output import Choose

NAMESPACE = "http://opcfoundation.org/UA/MachineVision"
PREPARED, UNKNOWN, REFUSED = 0, -1, -2
"""Answers of PrepareRecipe: done; there is no recipe of the name; it cannot be used, and the other one stays."""


async def add_recipes(
    server: Any, nodes: dict[str, Any], names: Sequence[str], used: str, choose: Choose
) -> None:
    """Add the methods and the list of recipes to a server.

    Args:
        server: of asyncua.
        nodes: those of the address space, by name; PreparedRecipe is added.
        names: of the recipes that clients may prepare; nothing else is taken from a client.
        used: the recipe in use.
        choose: changes it; called in a thread.
    """
    from asyncua import ua
    from asyncua.common.methods import uamethod

    space, strings = await server.get_namespace_index(NAMESPACE), ua.VariantType.String
    parent = nodes["RecipeManagement"]
    nodes["PreparedRecipe"] = await parent.add_variable(space, "PreparedRecipe", used, strings)
    one_at_a_time = asyncio.Lock()

    @uamethod
    async def listed(_: Any) -> Any:
        return ua.Variant(list(names), strings, is_array=True)

    @uamethod
    async def prepare(_: Any, name: str) -> Any:
        async with one_at_a_time:
            identity, code, why = await _prepared(name)
        values = (identity, code == PREPARED, ua.Variant(code, ua.VariantType.Int32), why)
        return tuple(values)

    async def _prepared(name: str) -> tuple[str, int, str]:
        if name not in names:
            return "", UNKNOWN, f"there is no such recipe; known: {', '.join(names)}"
        try:
            identity = await asyncio.to_thread(choose, name)
        except FlawlineError as error:
            await nodes["Diagnosis"].write_value(f"recipe {name} refused: {error.message}")
            return "", REFUSED, error.message
        await nodes["InternalRecipeId"].write_value(identity)
        await nodes["PreparedRecipe"].write_value(name)
        await nodes["Diagnosis"].write_value(f"recipe {name} in use")
        return identity, PREPARED, ""

    def argument(name: str, kind: Any, about: str, *, several: bool = False) -> Any:
        found = ua.Argument()
        found.Name, found.DataType = name, ua.NodeId(kind)
        found.ValueRank, found.Description = (1 if several else -1), ua.LocalizedText(about)
        return found

    from asyncua.ua.object_ids import ObjectIds as ids

    await parent.add_method(
        space,
        "GetRecipeListFiltered",
        listed,
        [],
        [argument("ExternalIds", ids.String, "names of recipes", several=True)],
    )
    await parent.add_method(
        space,
        "PrepareRecipe",
        prepare,
        [argument("ExternalId", ids.String, "name of a recipe")],
        [
            argument("InternalId", ids.String, "SHA-256 of the recipe"),
            argument("IsCompleted", ids.Boolean, "whether it judges from the next picture on"),
            argument("Error", ids.Int32, "0 done, -1 no such recipe, -2 it cannot be used"),
            argument("Text", ids.String, "the reason"),
        ],
    )
