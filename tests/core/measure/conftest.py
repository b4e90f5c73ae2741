"""Defects are measured by a compiled library or by NumPy; tests take both."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from flawline.compiled import MEASURE, SWITCH, kernel
from flawline.core.measure.measure import measure


def _switched(patch: pytest.MonkeyPatch, on: bool) -> None:
    patch.setenv(SWITCH, "1" if on else "0")
    if on and kernel(MEASURE).library is None:
        if os.environ.get("FLAWLINE_REQUIRE_NATIVE") == "1":
            pytest.fail(f"the compiled library must be there: {kernel(MEASURE).state}")
        pytest.skip(kernel(MEASURE).state)


@pytest.fixture(scope="module", params=["numpy", "native"])
def implementation(request: pytest.FixtureRequest) -> Iterator[str]:
    """Measures with one, then with the other."""
    with pytest.MonkeyPatch.context() as patch:
        _switched(patch, request.param == "native")
        yield request.param


@pytest.fixture(scope="module")
def by_both():
    """A function that measures with the library and with NumPy."""
    with pytest.MonkeyPatch.context() as patch:
        _switched(patch, True)

    def measured(masks, **settings):
        found = []
        for on in (True, False):
            with pytest.MonkeyPatch.context() as patch:
                _switched(patch, on)
                found.append(measure(masks, **settings))
        return found

    return measured
