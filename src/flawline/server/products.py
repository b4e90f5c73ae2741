"""The products of a server: each has a recipe that judges it, and a station."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Condition

from flawline.data.image import ImageLimits
from flawline.inspector import Inspector
from flawline.recipe import Recipe, check_ready
from flawline.records.activations import Activation
from flawline.records.pictures import Pictures
from flawline.records.store import Store
from flawline.records.writer import Writer
from flawline.server.errors import ServerError
from flawline.station.station import Station
from flawline.station.stored_recipe import store_recipe, stored_recipe

_LOG = logging.getLogger("flawline.server")


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """A product and the station that judges its pictures; `opened` is closed when another recipe takes its place."""

    name: str
    inspector: Inspector
    station: Station
    opened: ExitStack


class Products:
    """The active recipe of every product; safe from several threads."""

    def __init__(self, store: Store, pictures: Pictures, spools: Path, limits: ImageLimits) -> None:
        self._store, self._pictures, self._limits = store, pictures, limits
        self._spools = spools
        self._changed = Condition()
        self._active: dict[str, Product] = {}
        self._used = Counter[int]()
        self.failed: dict[str, str] = {}

    def open(self) -> None:
        """Open the active recipe of every product; those that cannot be opened are in `failed`, with the reason."""
        for name, activation in sorted(self._store.activations.current().items()):
            try:
                recipe = stored_recipe(self._store, self._pictures, activation.recipe)
                self._active[name] = self._product(name, recipe)
            except Exception as error:  # one damaged recipe must not keep the others from the line
                _LOG.warning("the recipe of %s cannot be opened: %s", name, error)
                self.failed[name] = str(error)
        self._write_left()

    def close(self) -> None:
        """Record and send all that waits, and close the stations."""
        with self._changed:
            products, self._active = list(self._active.values()), {}
        for product in products:
            product.opened.close()

    def names(self) -> tuple[str, ...]:
        """List the products by name."""
        return tuple(sorted({*self._active, *self.failed}))

    def active(self) -> tuple[Product, ...]:
        """List the products that can be judged, by name."""
        active = dict(self._active)
        return tuple(active[name] for name in sorted(active))

    def get(self, name: str = "") -> Product:
        """Return a product; the only one where no name is given.

        Raises:
            ServerError: ("product-unknown") there is none of this name, or several and none was named.
        """
        active = dict(self._active)
        if not name and len(active) == 1:
            return next(iter(active.values()))
        if name in active:
            return active[name]
        if name in self.failed:
            raise ServerError(
                f"the recipe of {name!r} cannot be used: {self.failed[name]}",
                hint="activate another one on the page of recipes",
                code="product-unknown",
            )
        known = ", ".join(active) or "none"
        raise ServerError(
            f"there is no product {name!r}" if name else "name the product",
            hint=f"products with a recipe: {known}",
            code="product-unknown",
        )

    @contextmanager
    def using(self, name: str = "") -> Iterator[Product]:
        """Give a product for the length of a `with`, in which its station stays open; errors as for `get`."""
        with self._changed:
            product = self.get(name)
            self._used[id(product)] += 1
        try:
            yield product
        finally:
            with self._changed:
                self._used[id(product)] -= 1
                self._changed.notify_all()

    def activate(self, name: str, recipe: Recipe, who: str) -> Product:
        """Let a recipe judge a product from now on; it is stored first.

        Raises:
            ModelError: the recipe cannot be used; ("recipe-uncalibrated") it has no thresholds.
            StoreError: it could not be stored.
            ServerError: ("product-name") no address can hold the name.
        """
        check_product(name)
        check_ready(recipe)
        active = self._active.get(name)
        if active is not None and active.inspector.recipe.sha256 == recipe.sha256:
            return active
        inspector = Inspector(recipe)
        store_recipe(self._store, self._pictures, recipe)
        product = self._product(name, recipe, inspector)
        self._store.activations.add(Activation(name, recipe.sha256, who, datetime.now(UTC)))
        with self._changed:
            before = self._active.get(name)
            self._active[name] = product
            self.failed.pop(name, None)
            # What the earlier station judges now is still recorded by it.
            self._changed.wait_for(lambda: before is None or not self._used[id(before)])
        if before is not None:
            before.opened.close()
        return product

    def _write_left(self) -> None:
        """Write what stations of earlier recipes left when they were killed."""
        own = {self._spool(product) for product in self._active.values()}
        for path in sorted(self._spools.glob("unstored-*.spool")):
            if path not in own:
                Writer(self._store, spool=path).close()
                path.unlink()

    def _spool(self, product: Product) -> Path:
        return self._spool_of(product.name, product.inspector.recipe)

    def _spool_of(self, name: str, recipe: Recipe) -> Path:
        return self._spools / f"unstored-{_file_name(name)}-{recipe.sha256[:8]}.spool"

    def _product(self, name: str, recipe: Recipe, inspector: Inspector | None = None) -> Product:
        found = inspector or Inspector(recipe)
        with ExitStack() as stack:
            station = Station(
                found,
                records=self._store,
                pictures=self._pictures,
                keep="all",
                constant={"product": name},
                spool=self._spool_of(name, recipe),
                limits=self._limits,
                say=_LOG.warning,
            )
            stack.enter_context(station)
            return Product(name, found, station, stack.pop_all())


def check_product(name: str) -> None:
    """Refuse a name that the address of a page cannot hold."""
    if not name or name in (".", "..") or re.search(r"[/\\\x00-\x1f]", name):
        raise ServerError(
            f"a product's name is the address of its page, without / and \\, got {name!r}",
            hint="give the product another name, for example with - for /",
            code="product-name",
        )


def _file_name(name: str) -> str:
    """Make a file name of a product that no other product has."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name)[:40]
    return f"{plain}-{sha256(name.encode()).hexdigest()[:8]}"
