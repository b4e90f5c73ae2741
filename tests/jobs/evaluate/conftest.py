"""Fewer draws than a user gets: these tests look at values, not at how fine an interval is."""

import pytest

from flawline.jobs.evaluate import figures


@pytest.fixture(scope="module", autouse=True)
def few_draws():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "DRAWS", 100)
        yield
