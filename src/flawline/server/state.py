"""What the routes of a server share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from fastapi import Request

from flawline.data.cores import cpu_count
from flawline.data.image import ImageLimits
from flawline.recipe import read_recipe
from flawline.records import open_store
from flawline.records.accounts import Account
from flawline.records.pictures import Pictures, open_pictures
from flawline.records.store import Store
from flawline.server.chart_cache import ChartCache
from flawline.server.credentials import digest, new_secret
from flawline.server.evidence_book import EvidenceBook
from flawline.server.label_sets import LabelSets
from flawline.server.metrics import Metrics
from flawline.server.products import Products
from flawline.server.rate_limit import RateLimit
from flawline.server.settings import ServeSettings
from flawline.server.work_queue import WorkQueue
from flawline.station.triggers import Triggers
from flawline.types import EMPTY

if TYPE_CHECKING:
    from flawline.server.work.runner import JobRunner

ADMIN = "admin"
LINK_HOURS = 24


@dataclass(frozen=True, slots=True, eq=False)
class ServerState:
    """The records, products, queues and figures of a running server; `limits` bounds pictures to judge."""

    settings: ServeSettings
    store: Store
    pictures: Pictures
    products: Products
    queue: WorkQueue
    jobs: JobRunner
    metrics: Metrics
    sign_ins: RateLimit
    limits: ImageLimits
    charts: ChartCache
    evidence: EvidenceBook
    labels: LabelSets
    triggers: Mapping[str, Triggers]
    """The cameras of this process that are asked for pictures, by name."""


def state_of(request: Request) -> ServerState:
    """Return the state of the server that answers a request."""
    return cast(ServerState, request.app.state.server)


@contextmanager
def opened_state(
    settings: ServeSettings, triggers: Mapping[str, Triggers] = EMPTY
) -> Iterator[ServerState]:
    """Open the records, recipes and queues of a server; at the end what was accepted is finished.

    `triggers` are cameras of this process that requests may ask for pictures, by name.

    Raises:
        StoreError: the records cannot be opened or written.
        ModelError: a recipe that was named cannot be used.
    """
    from flawline.server.work.runner import JobRunner

    settings.data.mkdir(parents=True, exist_ok=True)
    limits = ImageLimits(max_bytes=settings.most_picture)
    with open_store(settings.store_url) as store:
        store.check_writable()
        pictures = open_pictures(settings.pictures)
        products = Products(store, pictures, settings.data, limits)
        queue = WorkQueue(settings.workers or cpu_count() + 1, settings.waiting)
        jobs = JobRunner(settings.data / "jobs")
        labels = LabelSets(settings.data / "labels", limits)
        try:
            products.open()
            for path in settings.recipes:
                recipe = read_recipe(path)
                name = recipe.settings.part or path.stem
                current = store.activations.current().get(name)
                if current is None or current.recipe != recipe.sha256:
                    products.activate(name, recipe, "command line")
            yield ServerState(
                settings,
                store,
                pictures,
                products,
                queue,
                jobs,
                Metrics(),
                RateLimit(burst=10, seconds=6.0),
                limits,
                ChartCache(store),
                EvidenceBook(settings.data / "evidence"),
                labels,
                triggers,
            )
        finally:
            queue.close()
            jobs.close()
            labels.close()
            products.close()


def first_link(store: Store, *, again: bool = False) -> str | None:
    """Make the first admin and the secret of a link that lets them in once, for a day.

    Args:
        store: the records.
        again: make another link where there is an admin already.

    Returns:
        The secret; None where there are accounts and `again` does not ask for one.
    """
    now = datetime.now(UTC)
    admin: Account | None
    if store.accounts.count():
        if not again:
            return None
        admins = [one for one in store.accounts.list() if one.role == "admin" and not one.disabled]
        admin = admins[0]
    else:
        admin = store.accounts.add(ADMIN, "admin", now)
    secret = new_secret()
    until = now + timedelta(hours=LINK_HOURS)
    store.accounts.let_in(admin, "link", digest(secret), now, expires=until)
    return secret
