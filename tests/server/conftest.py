"""A server with one product on drawn discs, and clients of each role."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")


import flawline.names
from flawline.api import train as api_train
from flawline.recipe import write_recipe
from helpers.browser import browser
from helpers.discs import disc, spoilt, train, write_discs
from helpers.full_house import png, served_house
from helpers.networks import write_network
from helpers.served_app import Served, served_app
from helpers.served_browser import House, ServedPage, signed_in


@pytest.fixture(scope="session")
def small_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of a few channels."""
    return write_network(tmp_path_factory.mktemp("network") / "small.onnx")


@pytest.fixture(scope="module", autouse=True)
def quick_trainings(small_network: Path) -> Iterator[None]:
    """The server trains with a small network and without a self-test: what training does is tested elsewhere."""
    # Public names are kept when they are first used: they must be the real ones.
    assert flawline.train_anomaly is flawline.names.train_anomaly
    quick = partial(api_train.train_anomaly, backbone=str(small_network), self_test="off")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api_train, "train_anomaly", quick)
        yield


@pytest.fixture(scope="session")
def disc_recipe(tmp_path_factory: pytest.TempPathFactory, small_network: Path) -> Path:
    """A recipe of drawn discs, as a .flaw file."""
    folder = tmp_path_factory.mktemp("served")
    trained = train(write_discs(folder / "parts", good=24), small_network)
    return write_recipe(trained.recipe, folder / "disc.flaw")


@pytest.fixture
def served(tmp_path: Path, disc_recipe: Path) -> Iterator[Served]:
    """A server with the product "disc"; `client(role)` is signed in by a token, `client()` is a stranger."""
    with served_app(tmp_path, disc_recipe) as found:
        yield found


@pytest.fixture
def good_picture() -> bytes:
    """A disc that the recipe did not learn from."""
    return png(disc(500))


@pytest.fixture
def bad_picture() -> bytes:
    """A disc with black and white squares."""
    return png(spoilt(501))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser that all tests of pages share."""
    with browser(requests=True) as driver:
        yield driver


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, disc_recipe: Path) -> Iterator[House]:
    """A full house that tests share, which must leave its records as they are."""
    with served_house(tmp_path_factory.mktemp("house"), disc_recipe) as found:
        yield found


@pytest.fixture(scope="session")
def admin_page(chromium: Any, house: House) -> Iterator[ServedPage]:
    """The browser, signed in at the full house."""
    with signed_in(chromium, house) as found:
        yield found


@pytest.fixture
def page(admin_page: ServedPage) -> Iterator[ServedPage]:
    """The browser at the full house, signed in as an admin; checked when the test ends."""
    admin_page.look().gather()
    admin_page.asked.clear()
    admin_page.complaints.clear()
    admin_page.expected = ()
    yield admin_page
    admin_page.check()
    # A page that is left open goes on asking for news.
    admin_page.driver.get("about:blank")
