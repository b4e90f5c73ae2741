"""Do something in the middle of a batch that a store writes: its inspections are sent, its defects are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from flawline.records.store import Store


@contextmanager
def before_defects(store: Store, act: Callable[[], None]) -> Iterator[None]:
    """Call `act` in the block whenever the store is about to insert defects; what it raises ends the batch."""

    def look(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.startswith("INSERT INTO defect "):
            act()

    event.listen(store.engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(store.engine, "before_cursor_execute", look)
