"""Store which recipe judges a product: the last activation counts, earlier ones stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, func, insert, select

from flawline.data.times import from_micros, micros
from flawline.errors import UsageError
from flawline.records.engine import reading, writing
from flawline.records.tables import activation
from flawline.records.terms import Terms
from flawline.records.write import clean


@dataclass(frozen=True, slots=True)
class Activation:
    """That a recipe (SHA-256, hex) judges a product from a time on, and who decided so."""

    product: str
    recipe: str
    who: str
    time: datetime


class ActivationBook:
    """The activations in a store: `Store.activations`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._terms = Terms()

    def add(self, item: Activation) -> None:
        """Write an activation.

        Raises:
            UsageError: the product has no name.
            StoreError: it could not be written.
        """
        product = clean(item.product).strip()
        if not product:
            raise UsageError("an activation needs the name of the product")
        with writing(self._engine) as connection:
            number = self._terms.numbers(connection, [("recipe", item.recipe)])[
                "recipe", item.recipe
            ]
            row = {
                "product": product,
                "recipe": number,
                "who": clean(item.who),
                "time": micros(item.time),
            }
            connection.execute(insert(activation), row)

    def current(self) -> dict[str, Activation]:
        """Return the last activation of every product, by product."""
        last = select(func.max(activation.c.id)).group_by(activation.c.product)
        return {item.product: item for item in self._read(activation.c.id.in_(last), None)}

    def history(self, product: str, *, count: int = 50) -> tuple[Activation, ...]:
        """List the activations of a product, the newest first."""
        return tuple(self._read(activation.c.product == clean(product), count))

    def _read(self, which: ColumnElement[bool], count: int | None) -> list[Activation]:
        query = select(activation).where(which).order_by(activation.c.id.desc()).limit(count)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
            texts = self._terms.texts(connection, {row.recipe for row in rows})
        return [
            Activation(row.product, texts[row.recipe], row.who, from_micros(row.time))
            for row in rows
        ]
