"""A recipe of drawn discs, trained once for all tests of stations, and its inspector."""

from __future__ import annotations

from pathlib import Path

import pytest

from flawline.inspector import Inspector
from flawline.recipe import write_recipe
from helpers.discs import train, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="session")
def disc_recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("training")
    network = write_network(root / "small.onnx")
    trained = train(write_discs(root / "parts", good=20), network)
    return write_recipe(trained.recipe, root / "disc.flaw")


@pytest.fixture(scope="session")
def disc_inspector(disc_recipe: Path) -> Inspector:
    return Inspector.open(disc_recipe)
