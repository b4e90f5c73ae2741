"""What tests of several folders share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of public pictures that are not part of the repository; skips where it is missing."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("FLAWLINE_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip("no real pictures: set FLAWLINE_TEST_DATA to the folder that holds them")
    return folder
