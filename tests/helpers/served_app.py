"""A server in this process, and clients of each role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from flawline.records.accounts import Role
from flawline.server.app import server_app
from flawline.server.credentials import digest, new_secret
from flawline.server.settings import ServeSettings
from flawline.server.state import ServerState, opened_state


@dataclass(frozen=True)
class Served:
    """A running application: its state and a maker of clients."""

    state: ServerState
    client: Callable[..., TestClient]


@contextmanager
def served_app(folder: Path, recipe: Path) -> Iterator[Served]:
    """Open a server with a recipe in a folder, for clients in this process."""
    settings = ServeSettings(folder / "server", recipes=(recipe,), hosts=("testserver",))
    with opened_state(settings) as state:
        app = server_app(state)

        def client(role: Role | None = None, **more: Any) -> TestClient:
            headers = {}
            if role is not None:
                now, secret = datetime.now(UTC), new_secret()
                found = state.store.accounts.find(role) or state.store.accounts.add(role, role, now)
                state.store.accounts.let_in(found, "token", digest(secret), now)
                headers["Authorization"] = f"Bearer {secret}"
            return TestClient(app, headers=headers, raise_server_exceptions=False, **more)

        yield Served(state, client)
