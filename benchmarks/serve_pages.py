"""Measure the pages of `flawline serve` in Chromium: milliseconds to the first paint, and kB without pictures.

    .venv/bin/python benchmarks/serve_pages.py [--times N]

Each page is opened N times from a server on this machine that has judged 28 drawn discs, the browser's cache empty
each time. Printed are the median and the range.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from flawline.recipe import write_recipe
from helpers.browser import browser
from helpers.discs import train, write_discs
from helpers.full_house import served_house
from helpers.networks import write_network
from helpers.served_browser import ServedPage, signed_in

PAGES = ("/", "/review", "/records", "/control", "/rank", "/recipes")
MEASURED = """
const paint = performance.getEntriesByName("first-contentful-paint")[0];
const found = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
const kept = found.filter(one => one.initiatorType !== "img");
return [paint?.startTime, kept.reduce((sum, one) => sum + one.encodedBodySize, 0)];
"""


def measured(page: ServedPage, path: str, times: int) -> tuple[list[float], list[float]]:
    """Open a page several times: milliseconds to the first paint, and kB without pictures."""
    paints, weights = [], []
    for _ in range(times):
        page.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        page.open(path)
        paint, weight = page.until(lambda: _painted(page), "the first paint")
        paints.append(paint)
        weights.append(weight / 1000)
    return paints, weights


def _painted(page: ServedPage) -> Any:
    found = page.script(MEASURED)
    return found if found[0] else None


def main() -> None:
    """Print a line for each page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as text, browser(requests=True) as driver:
        folder = Path(text)
        trained = train(write_discs(folder / "parts", good=24), write_network(folder / "n.onnx"))
        recipe = write_recipe(trained.recipe, folder / "disc.flaw")
        with served_house(folder, recipe) as house, signed_in(driver, house) as page:
            for path in PAGES:
                paints, weights = measured(page, path, times)
                print(
                    f"{path:10} first paint {median(paints):.0f} ms ({min(paints):.0f} to {max(paints):.0f}, "
                    f"n = {times}), {median(weights):.0f} kB"
                )


if __name__ == "__main__":
    main()
