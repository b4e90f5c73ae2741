"""A server with one product on drawn discs, and clients of each role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import pytest

pytest.importorskip("fastapi")

from starlette.testclient import TestClient

from flawline.recipe import write_recipe
from flawline.records.accounts import Role
from flawline.server.app import server_app
from flawline.server.credentials import digest, new_secret
from flawline.server.settings import ServeSettings
from flawline.server.state import ServerState, opened_state
from helpers.discs import disc, spoilt, train, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="session")
def disc_recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe of drawn discs, as a .flaw file."""
    folder = tmp_path_factory.mktemp("served")
    network = write_network(folder / "small.onnx")
    trained = train(write_discs(folder / "parts", good=24), network)
    return write_recipe(trained.recipe, folder / "disc.flaw")


@dataclass(frozen=True)
class Served:
    """A running application: its state and a maker of clients."""

    state: ServerState
    client: Callable[..., TestClient]


@pytest.fixture
def served(tmp_path: Path, disc_recipe: Path) -> Iterator[Served]:
    """A server with the product "disc"; `client(role)` is signed in by a token, `client()` is a stranger."""
    settings = ServeSettings(tmp_path / "server", recipes=(disc_recipe,), hosts=("testserver",))
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


def png(pixels: Any) -> bytes:
    """Encode RGB pixels."""
    ok, data = cv2.imencode(".png", pixels[..., ::-1])
    assert ok
    return bytes(data.tobytes())


@pytest.fixture
def good_picture() -> bytes:
    """A disc that the recipe did not learn from."""
    return png(disc(500))


@pytest.fixture
def bad_picture() -> bytes:
    """A disc with black and white squares."""
    return png(spoilt(501))
