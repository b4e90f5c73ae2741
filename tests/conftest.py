"""What tests of several folders share."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from helpers.compiled_once import compiled_once
from helpers.examples import EXPLORING, MOST, SECONDS, TIMES, TimeIsUp, timed
from helpers.migrated_once import migrated_once

# The same examples every time, however slow the machine is: who runs the tests meets no failure of chance.
settings.register_profile("same", max_examples=MOST, derandomize=True, deadline=None)
# Other examples every time, and more of them, by `make explore`; a failure prints what repeats it.
settings.register_profile(
    "explore", max_examples=100 * TIMES, derandomize=False, deadline=None, print_blob=True
)
settings.load_profile("same")

# Processes that tests start would each compile what they import anew where the environment forbids to keep bytecode.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Give a property test its time in `make explore`; one whose time is up has passed."""
    handle = getattr(pyfuncitem.obj, "hypothesis", None)
    if not EXPLORING or handle is None:
        return (yield)
    whole = handle.inner_test
    handle.inner_test = timed(whole, SECONDS)
    try:
        return (yield)
    except TimeIsUp:
        return True
    finally:
        handle.inner_test = whole


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Networks that tests compile are kept for this run only, never in the cache of who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLAWLINE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def networks_compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A network that was compiled is not compiled again with the same options."""
    with compiled_once(tmp_path_factory.mktemp("compiled")):
        yield


@pytest.fixture
def compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of this test are compiled each time, as they are outside of tests."""
    import openvino

    monkeypatch.setattr(openvino.Core, "compile_model", openvino.Core.compile_model.__wrapped__)


@pytest.fixture(scope="session", autouse=True)
def records_migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Records that tests begin take their tables from those that were begun first."""
    with migrated_once(tmp_path_factory.mktemp("migrated")):
        yield


@pytest.fixture
def migrated_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of this test begin with all migrations, as they do outside of tests."""
    from flawline.records import store
    from flawline.records.schema import migrate

    monkeypatch.setattr(store, "migrate", migrate)


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
