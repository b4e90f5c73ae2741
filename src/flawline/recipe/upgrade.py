"""Upgrade recipes of older schemas step by step in memory; nothing on disk changes.

A step takes what schema n says and returns what schema n + 1 would have said. To change the format: raise
`SCHEMA` in settings.py, add one step to each tuple below, keep a recipe of the old schema in the tests. A new
setting that training fixes gets its value in `fixed` of the manifest by the step too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flawline.errors import ModelError
from flawline.recipe.settings import SCHEMA
from flawline.version import __version__

Step = Callable[[Mapping[str, Any]], dict[str, Any]]


def _settings_0_to_1(table: Mapping[str, Any]) -> dict[str, Any]:
    """Upgrade settings of schema 0, which had one threshold, `value`, for everything."""
    threshold = table.get("threshold")
    if not isinstance(threshold, Mapping) or "value" not in threshold:
        return dict(table)
    value = threshold["value"]
    others = {key: item for key, item in threshold.items() if key != "value"}
    return {
        **table,
        "threshold": {"review": value, "reject": value, "region": value, **others},
    }


def _manifest_0_to_1(data: Mapping[str, Any]) -> dict[str, Any]:
    """Upgrade a manifest of schema 0, which named the version that wrote it `flawline`."""
    return {("version" if key == "flawline" else key): value for key, value in data.items()}


SETTINGS_STEPS: tuple[Step, ...] = (_settings_0_to_1,)
MANIFEST_STEPS: tuple[Step, ...] = (_manifest_0_to_1,)


def upgrade_settings(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Upgrade the table of recipe.toml to the present schema; raises ModelError ("recipe-schema")."""
    return _upgraded(table, SETTINGS_STEPS, where, "")


def upgrade_manifest(data: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Upgrade manifest.json to the present schema; raises ModelError ("recipe-schema")."""
    return _upgraded(data, MANIFEST_STEPS, where, str(data.get("version", "")))


def _upgraded(
    data: Mapping[str, Any], steps: tuple[Step, ...], where: str, version: str
) -> dict[str, Any]:
    schema = data.get("schema")
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 0:
        raise ModelError(
            f"{where}: expected schema = a whole number up to {SCHEMA}, got {schema!r}",
            hint=f"Write schema = {SCHEMA} where a recipe of this version was edited.",
            code="recipe-schema",
        )
    if schema > SCHEMA:
        writer = f", written by Flawline {version[:40]}" if version else ""
        raise ModelError(
            f"{where} has schema {schema}{writer}; Flawline {__version__} reads schemas up to {SCHEMA}",
            hint="Use the version of Flawline that wrote it or a later one, or train again with this one.",
            code="recipe-schema",
        )
    upgraded = dict(data)
    for step in steps[schema:]:
        upgraded = step(upgraded)
    return {**upgraded, "schema": SCHEMA}
