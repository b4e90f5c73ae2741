"""What tests of several folders share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from helpers.examples import TIMES

# The same examples every time, however slow the machine is: who runs the tests meets no failure of chance.
settings.register_profile("same", derandomize=True, deadline=None)
# Other examples every time, and more of them, by `make explore`; a failure prints what repeats it.
settings.register_profile(
    "explore", max_examples=100 * TIMES, derandomize=False, deadline=None, print_blob=True
)
settings.load_profile("same")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Networks that tests compile are kept for this run only, never in the cache of who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLAWLINE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of public pictures that are not part of the repository; skips where it is missing."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("FLAWLINE_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip("no real pictures: set FLAWLINE_TEST_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def cases() -> Path:
    """Folder of small inputs that once failed and are not part of the repository; skips where it is missing."""
    default = Path(__file__).parents[2] / "shared" / "cases"
    folder = Path(os.environ.get("FLAWLINE_TEST_CASES", default))
    if not folder.is_dir():
        pytest.skip("no cases: set FLAWLINE_TEST_CASES to the folder that holds them")
    return folder
