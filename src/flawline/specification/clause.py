"""Read and check one clause of a specification."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from typing import Any, cast

from flawline.core.measure.columns import NAMES
from flawline.data.toml_file import TomlLines, TomlPath
from flawline.errors import SpecError
from flawline.specification.model import Condition, Limit, Quantity, Unit, Zone
from flawline.specification.words import parse_condition, parse_number, units_for

KEYS = ("limit", "class", "zone", "where", "max", "min", "review", "weights", "unit")
WHOLE = ("count", "density", "spacing", "score", "p_value")
_UNITS_OF: dict[str, tuple[str, ...]] = {
    "count": ("1",),
    "density": ("/mm2", "/cm2", "/px2"),
    "spacing": ("mm", "px"),
    "score": ("1",),
    "p_value": ("1",),
}


@dataclass(frozen=True, slots=True)
class ClauseReader:
    """Reader of one clause: its `table`, at `place` of the text with these `lines`."""

    lines: TomlLines
    place: TomlPath
    table: Mapping[str, Any]
    zones: Mapping[str, Zone]
    classes: Collection[str] | None

    @property
    def line(self) -> int:
        """Line of the clause, from 1."""
        return self.lines.of(*self.place) or 1

    def limit(self) -> Limit:
        """Read the clause; raises SpecError where it is wrong."""
        check_keys(self.lines, self.place, self.table, KEYS, "key of a limit")
        quantity, column = self._quantity()
        numbers = {key: self._number(key, quantity, column) for key in ("max", "min", "review")}
        given = {unit for _, unit in filter(None, numbers.values())}
        if len(given) > 1:
            raise self._error(f"expected one unit, got {' and '.join(sorted(given))}")
        unit = cast(Unit, given.pop()) if given else "1"
        weights = self._weights(quantity)
        if quantity == "score":
            unit = self._score_unit(weights)
        values = {key: pair[0] if pair else None for key, pair in numbers.items()}
        least, most, review_least, review_most = self._bounds(values, quantity)
        name, zone, where = self._class(), self._zone(), self._where()
        # Bounds are shown as the file writes them, so that a reader finds them there.
        stated = {
            key: str(self.table[key]) for key in ("max", "min", "review") if key in self.table
        }
        return Limit(
            _sentence(quantity, column, name, zone, self.table.get("where"), stated),
            self.line,
            quantity,
            column,
            unit,
            name,
            zone,
            where,
            least,
            most,
            review_least,
            review_most,
            weights,
        )

    def _quantity(self) -> tuple[Quantity, str]:
        name = self.table.get("limit")
        if not isinstance(name, str):
            raise self._error('expected what is limited, such as limit = "area"')
        if name in WHOLE:
            return cast(Quantity, name), ""
        total = name.startswith("total ")
        column = name.removeprefix("total ").strip()
        if column not in NAMES:
            raise unknown(self.line, "column", column, (*NAMES, *WHOLE))
        return ("total" if total else "each"), column

    def _number(self, key: str, quantity: Quantity, column: str) -> tuple[float, str] | None:
        if key not in self.table:
            return None
        try:
            value, unit = parse_number(self.table[key])
        except ValueError as error:
            raise self._error(f"{key}: {error}") from error
        allowed = units_for(column) if column else _UNITS_OF[quantity]
        if quantity == "total" and "mm2" in allowed:
            allowed = (*allowed, "%")
        if unit not in allowed:
            correct = " or ".join(f'"{value:g} {u}"' for u in allowed if u != "1") or f"{value:g}"
            raise self._error(
                f"{self.table['limit']} is not measured in {unit if unit != '1' else 'plain numbers'}",
                f"write {key} = {correct}",
            )
        if not isfinite(value) or (value < 0 and column not in ("contrast", "left", "top")):
            raise self._error(f"{key}: expected a number of at least 0, got {value:g}")
        return value, unit

    def _bounds(
        self, values: Mapping[str, float | None], quantity: Quantity
    ) -> tuple[float | None, float | None, float | None, float | None]:
        least, most, review = values["min"], values["max"], values["review"]
        if least is None and most is None and review is None:
            raise self._error("expected min, max or review", 'such as max = "0.2 mm2"')
        if least is not None and most is not None and least > most:
            raise self._error(f"min {least:g} is above max {most:g}: nothing would be accepted")
        if review is None:
            return least, most, None, None
        if least is not None and most is not None:
            raise self._error(
                "review together with both min and max is ambiguous", "write two limits"
            )
        rising = least is None and quantity not in ("spacing", "p_value")
        if most is not None and review >= most:
            raise self._error(f"review {review:g} must lie below max {most:g}")
        if least is not None and review <= least:
            raise self._error(f"review {review:g} must lie above min {least:g}")
        return (least, most, None, review) if rising else (least, most, review, None)

    def _weights(self, quantity: Quantity) -> dict[tuple[str, str], float]:
        table = self.table.get("weights")
        if (quantity == "score") != (table is not None):
            raise self._error(
                "a score needs weights, and nothing else has them",
                'weights = { "stain.area" = 1, "scratch.count" = 5 }, unit = "mm"',
            )
        weights: dict[tuple[str, str], float] = {}
        for key, factor in (table or {}).items():
            name, _, column = key.rpartition(".")
            if not name:
                raise self._error(f'expected "class.column" as a weight, got {key!r}')
            if column not in NAMES and column != "count":
                raise unknown(self.line, "column", column, (*NAMES, "count"))
            if (
                isinstance(factor, bool)
                or not isinstance(factor, int | float)
                or not isfinite(factor)
            ):
                raise self._error(f"expected a number as the weight {key!r}, got {factor!r}")
            weights[name, column] = float(factor)
        return weights

    def _score_unit(self, weights: Mapping[tuple[str, str], float]) -> Unit:
        sized = [
            column for _, column in weights if column != "count" and "mm" in units_for(column)[0]
        ]
        unit = self.table.get("unit")
        if sized and unit not in ("mm", "px"):
            raise self._error(
                f"the weight of {sized[0]} needs a unit, got {unit!r}", 'add unit = "mm"'
            )
        return cast(Unit, unit) if sized else "1"

    def _class(self) -> str | None:
        name = self.table.get("class")
        if name is not None and not isinstance(name, str):
            raise self._error(f"expected the name of a class, got {name!r}")
        known = self.classes
        if name is not None and known is not None and name not in known:
            raise unknown(self.line, "class", name, known)
        return name

    def _zone(self) -> Zone | None:
        name = self.table.get("zone")
        if name is None:
            return None
        if name not in self.zones:
            raise unknown(self.line, "zone", str(name), self.zones)
        return self.zones[name]

    def _where(self) -> tuple[Condition, ...]:
        text = self.table.get("where", "")
        if not isinstance(text, str):
            raise self._error(f'expected a text such as "area > 0.05 mm2", got {text!r}')
        conditions = []
        for part in filter(None, (part.strip() for part in text.split(" and "))):
            try:
                condition = parse_condition(part)
            except ValueError as error:
                raise self._error(str(error)) from error
            if condition.column not in NAMES:
                raise unknown(self.line, "column", condition.column, NAMES)
            allowed = units_for(condition.column)
            if condition.unit not in allowed:
                raise self._error(
                    f"{condition.column} is measured in {' or '.join(allowed)}, got {part!r}",
                    f"write {condition.column} {condition.comparison} {condition.value:g} {allowed[0]}",
                )
            conditions.append(condition)
        return tuple(conditions)

    def _error(self, message: str, hint: str = "") -> SpecError:
        return SpecError(
            f"line {self.line}: {message}",
            hint=hint or 'a clause is { limit = "area", class = "stain", max = "0.2 mm2" }',
        )


def check_keys(
    lines: TomlLines, place: TomlPath, table: Mapping[str, Any], names: Iterable[str], what: str
) -> None:
    """Refuse a key of the `table` at `place` that is not among `names`."""
    for key in table:
        if key not in names:
            raise unknown(lines.of(*place, key) or 1, what, key, names)


def unknown(line: int, what: str, name: str, names: Iterable[str]) -> SpecError:
    """Make the error for an unknown name, with the nearest known one."""
    known = sorted(names)
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return SpecError(f"line {line}: unknown {what} {name!r}", hint=hint)


def _sentence(
    quantity: Quantity,
    column: str,
    name: str | None,
    zone: Zone | None,
    where: str | None,
    stated: Mapping[str, str],
) -> str:
    what = {"each": column, "total": f"total {column}"}.get(quantity, quantity.replace("_", "-"))
    words = [f"{name} {what}" if name else what]
    words += [f"where {where}"] if where else []
    words += [f"in {zone.name}"] if zone else []
    signs = {"max": "at most", "min": "at least", "review": "review beyond"}
    return " ".join(words) + " " + ", ".join(f"{signs[key]} {text}" for key, text in stated.items())
