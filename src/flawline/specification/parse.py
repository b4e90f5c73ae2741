"""Read a specification from TOML and check it; errors give the line and the nearest known name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import isfinite
from statistics import NormalDist
from typing import Any, cast

from flawline.data.toml_file import TomlLines, TomlPath, read_toml
from flawline.errors import SpecError
from flawline.specification.clause import ClauseReader, check_keys
from flawline.specification.model import Limit, Spec, Zone

TOP = ("name", "version", "guard", "zones", "limits")
GUARD = 2.0


def parse_spec(
    text: str, *, classes: Collection[str] | None = None, has_scale: bool | None = None
) -> Spec:
    """Read and check a specification.

    Args:
        text: TOML; the specification is its table [spec], or all of it where there is none.
        classes: the classes that masks have, where known; a limit on another one is an error.
        has_scale: whether the pictures have a scale, where known; millimetres without one are an error.

    Raises:
        SpecError: the text is no TOML, names something unknown, contradicts itself, or needs a missing scale. The
            message begins with the line.
    """
    try:
        data = read_toml(text)
    except ValueError as error:
        raise SpecError(
            f"the specification is not TOML: {error}",
            hint='a clause is { limit = "area", class = "stain", max = "0.2 mm2" }',
        ) from error
    section = data.get("spec", data)
    if not isinstance(section, dict):
        raise SpecError("expected a table [spec]", hint="write [spec] on a line of its own")
    place = ("spec",) if "spec" in data else ()
    return _Reader(TomlLines(text), place, section, classes).spec(has_scale)


@dataclass(frozen=True, slots=True)
class _Reader:
    lines: TomlLines
    place: TomlPath
    data: Mapping[str, Any]
    classes: Collection[str] | None

    def spec(self, has_scale: bool | None) -> Spec:
        check_keys(self.lines, self.place, self.data, TOP, "key of a specification")
        zones = self._zones()
        limits = self._limits(zones)
        spec = Spec(
            str(self.data.get("name", "")),
            str(self.data.get("version", "")),
            self._guard(),
            limits,
            zones,
            hash_of(self.data),
        )
        _check_contradictions(limits)
        if has_scale is False and spec.needs_scale:
            self._refuse_millimetres(spec)
        return spec

    def _guard(self) -> float:
        guard = self.data.get("guard", GUARD)
        if isinstance(guard, str):
            return self._guard_of_probability(guard)
        if isinstance(guard, bool) or not isinstance(guard, int | float) or not 0 <= guard <= 10:
            raise self._error("guard", f"expected a coverage factor of 0 to 10, got {guard!r}")
        return float(guard)

    def _guard_of_probability(self, text: str) -> float:
        """Return the coverage factor that proves conformity with a one-sided probability, such as "95 %"."""
        number = text.removesuffix("%").strip()
        try:
            share = float(number) / 100 if text.endswith("%") else 0.0
        except ValueError:
            share = 0.0
        if not 0.5 <= share <= 0.999999:
            raise self._error(
                "guard",
                f'expected a probability of "50 %" to "99.9999 %" or a coverage factor, got {text!r}',
            )
        return NormalDist().inv_cdf(share)

    def _zones(self) -> dict[str, Zone]:
        tables = self.data.get("zones", {})
        if not isinstance(tables, dict):
            raise self._error("zones", "expected a table of zones")
        return {name: self._zone(name, table) for name, table in tables.items()}

    def _zone(self, name: str, table: Any) -> Zone:
        if not isinstance(table, dict):
            raise self._error("zones", f"expected a polygon or a ring for the zone {name!r}", name)
        line, place = self._line("zones", name), (*self.place, "zones", name)
        check_keys(self.lines, place, table, ("polygon", "ring", "unit"), "key of a zone")
        unit, polygon, ring = (table.get(key) for key in ("unit", "polygon", "ring"))
        if unit not in ("mm", "px"):
            raise SpecError(
                f"line {line}: the zone {name!r} needs a unit, got {unit!r}",
                hint='write unit = "mm" or unit = "px"',
            )
        if (polygon is None) == (ring is None):
            raise SpecError(
                f"line {line}: expected either a polygon or a ring for the zone {name!r}",
                hint="polygon = [[0, 0], [40, 0], [40, 25]] or ring = [centre x, centre y, inner, outer]",
            )
        if ring is not None:
            if not _numbers(ring, 4) or not 0 <= ring[2] < ring[3]:
                raise SpecError(
                    f"line {line}: expected a ring of four numbers with 0 <= inner < outer, got {ring!r}",
                    hint="ring = [centre x, centre y, inner, outer]",
                )
            return Zone(name, unit, ring=cast(Any, tuple(map(float, ring))))
        if (
            not isinstance(polygon, list)
            or len(polygon) < 3
            or not all(_numbers(p, 2) for p in polygon)
        ):
            raise SpecError(
                f"line {line}: expected a polygon of at least three corners, got {polygon!r}",
                hint="polygon = [[0, 0], [40, 0], [40, 25]]",
            )
        return Zone(name, unit, polygon=tuple((float(x), float(y)) for x, y in polygon))

    def _limits(self, zones: Mapping[str, Zone]) -> tuple[Limit, ...]:
        tables = self.data.get("limits")
        if (
            not isinstance(tables, list)
            or not tables
            or not all(isinstance(t, dict) for t in tables)
        ):
            raise self._error("limits", "expected at least one limit")
        return tuple(
            ClauseReader(
                self.lines, (*self.place, "limits", number), table, zones, self.classes
            ).limit()
            for number, table in enumerate(tables)
        )

    def _line(self, *path: str | int) -> int:
        return self.lines.of(*self.place, *path) or 1

    def _error(self, key: str, message: str, *inner: str) -> SpecError:
        return SpecError(
            f"line {self._line(key, *inner)}: {message}",
            hint='limits = [ { limit = "area", class = "stain", max = "0.2 mm2" } ]',
        )

    def _refuse_millimetres(self, spec: Spec) -> None:
        for zone in spec.zones.values():
            if zone.unit == "mm":
                raise _no_scale(self._line("zones", zone.name), f"the zone {zone.name!r}")
        for limit in spec.limits:
            units = {limit.unit, *(condition.unit for condition in limit.where)}
            if any("mm" in unit or "cm" in unit for unit in units):
                raise _no_scale(limit.line, f'"{limit.text}"')


def hash_of(data: Mapping[str, Any]) -> str:
    """Compute the SHA-256 of the content; comments, order of keys and layout do not change it."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _check_contradictions(limits: tuple[Limit, ...]) -> None:
    """Refuse two clauses on the same quantity that no part can meet, or that both state one bound."""
    stated: dict[tuple[object, ...], Limit] = {}
    for limit in limits:
        zone = limit.zone.name if limit.zone else None
        # A score is identified by its weights.
        weights = tuple(sorted(limit.weights.items()))
        key = (
            limit.quantity,
            limit.column,
            limit.unit,
            limit.class_name,
            zone,
            limit.where,
            weights,
        )
        for bound in ("least", "most", "review_least", "review_most"):
            if getattr(limit, bound) is None:
                continue
            other = stated.setdefault((*key, bound), limit)
            if other is not limit:
                raise SpecError(
                    f'line {limit.line}: "{limit.text}" states again what line {other.line} states: "{other.text}"',
                    hint="keep one of them",
                )
        least, most = stated.get((*key, "least")), stated.get((*key, "most"))
        if least and most and (least.least or 0) > (most.most or 0):
            raise SpecError(
                f'line {limit.line}: "{most.text}" and "{least.text}" cannot both hold',
                hint=f"see lines {least.line} and {most.line}",
            )


def _numbers(values: object, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(
            isinstance(v, int | float) and not isinstance(v, bool) and isfinite(v) for v in values
        )
    )


def _no_scale(line: int, what: str) -> SpecError:
    return SpecError(
        f"line {line}: {what} is in millimetres, and the pictures have no scale",
        hint="give `scale` (flawline calibrate-scale finds it), or write limits in px",
    )
