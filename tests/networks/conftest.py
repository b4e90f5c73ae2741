"""Tests of networks compile them each time, as it is outside of tests."""

import pytest


@pytest.fixture(autouse=True)
def as_outside(compiled_anew: None) -> None:
    """See `compiled_anew`."""
