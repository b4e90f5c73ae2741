"""A headless Chromium for tests that look at reports."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --window-size=1280,1600"
).split()


@contextmanager
def browser(*, requests: bool = False) -> Iterator[Any]:
    """A Selenium driver; skips where there is no Chromium, unless FLAWLINE_REQUIRE_BROWSER is set.

    `requests` keeps what pages ask for, for `get_log("performance")`.
    """
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        if os.environ.get("FLAWLINE_REQUIRE_BROWSER"):
            pytest.fail("chromium and chromedriver are required here and not installed")
        pytest.skip("chromium and chromedriver are not installed")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in _FLAGS:
        options.add_argument(flag)
    kept = {"browser": "ALL", **({"performance": "ALL"} if requests else {})}
    options.set_capability("goog:loggingPrefs", kept)
    opened = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        yield opened
    finally:
        opened.quit()
