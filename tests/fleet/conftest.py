"""A recipe, pictures and outcomes in one process, which tests of the fleet compare with."""

from __future__ import annotations

from pathlib import Path

import pytest

from flawline.inspector import Inspector
from flawline.recipe import Recipe
from helpers.discs import train, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_network(tmp_path_factory.mktemp("network") / "small.onnx")


@pytest.fixture(scope="session")
def recipe(tmp_path_factory: pytest.TempPathFactory, network: Path) -> Recipe:
    root = tmp_path_factory.mktemp("training")
    return train(write_discs(root / "parts", good=10), network).recipe


@pytest.fixture(scope="session")
def inspector(recipe: Recipe) -> Inspector:
    return Inspector(recipe)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """17 good and 5 bad parts, and a file that is no picture."""
    root = write_discs(tmp_path_factory.mktemp("pictures") / "new", good=17, bad=5, first=100)
    (root / "bad" / "7.png").write_bytes(b"no picture")
    return root
