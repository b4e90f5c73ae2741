"""How smoothly the sheet of a ranking of 1,000 pictures scrolls in Chromium, beside a page with all cards at once.

    python benchmarks/rank_page.py [--pictures 1000] [--seconds 8]

Draws the pictures, ranks them on a server of its own and scrolls the sheet by a synthetic gesture of a wheel, at
3,000 px/s, with heat on hover and with heat always; then a page of the same pictures as plain figures with
`loading=lazy`. Prints for each the frames per second, the median, 95th percentile and longest time between two frames,
and how many came late (more than 1.5 frames of 60 Hz apart); and the processor time that the thread of the page took
for a frame, which must stay below 16.7 ms for 60 frames/s and counts no other programs. Needs Chromium, chromedriver
and selenium; no data.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import tempfile
import time
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from flawline.server.work.ranking_job import run_ranking
from flawline.server.work.staging import moved

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from helpers.browser import browser
from helpers.discs import disc, spoilt
from helpers.full_house import png, served_empty
from helpers.served_browser import ServedPage, signed_in

SPEED = 3000
LATE = 1.5 * 1000 / 60
FRAMES = """
window.frames_ = [];
let before = null;
const step = (now) => {
  if (before !== null) window.frames_.push(now - before);
  before = now;
  window.running_ = requestAnimationFrame(step);
};
cancelAnimationFrame(window.running_ ?? 0);
window.running_ = requestAnimationFrame(step);
"""
PLAIN = """
const [address, count] = arguments;
document.querySelector("main").innerHTML = "";
const gallery = document.createElement("div");
gallery.className = "gallery";
for (let rank = 1; rank <= count; rank += 1) {
  const card = document.createElement("figure");
  card.className = "card";
  card.innerHTML = `<img loading="lazy" width="320" height="240" src="${address}/pictures/${rank}">` +
    `<figcaption class="words"><strong>${rank}</strong> <span class="buttons"><button>good</button>` +
    `<button>bad</button></span></figcaption>`;
  gallery.append(card);
}
document.querySelector("main").append(gallery);
"""


def main() -> None:
    """Rank, scroll and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        browser(requests=True) as driver,
        served_empty(Path(folder)) as house,
        signed_in(driver, house) as page,
    ):
        number = rank(house, options.pictures)
        for heat in ("hover", "always"):
            page.open(f"/rank/{number}?heat={heat}")
            page.until(lambda: page.all("[data-ranking][data-ready]"), "the sheet")
            report(f"sheet, heat {heat}", scroll(page, options.seconds))
            print(f"  cards in the page: {len(page.all('.rank-card'))}")
        page.open("/rank")
        page.script(PLAIN, f"/api/rank/{number}", options.pictures)
        time.sleep(1)
        report("all cards at once", scroll(page, options.seconds))


def rank(house: Any, count: int) -> str:
    """Rank drawn discs as the page does; returns the number of the job."""
    sent = house.state.jobs.folder.parent / "uploads" / "drawn"
    sent.mkdir(parents=True)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for k in range(count):
            archive.writestr(f"{k}.png", png((spoilt if k % 50 == 7 else disc)(k)))
    (sent / "drawn.zip").write_bytes(data.getvalue())
    began = time.monotonic()
    job = house.state.jobs.start(
        "rank", "drawn", "bench", partial(run_ranking, partial(moved, sent))
    )
    while house.state.jobs.get(job.id).state in ("waiting", "running"):
        time.sleep(0.2)
    done = house.state.jobs.get(job.id)
    assert done.state == "done", done.error
    print(f"{count} pictures of 96 px ranked in {time.monotonic() - began:.0f} s")
    return str(job.id)


def scroll(page: ServedPage, seconds: float) -> tuple[list[float], float]:
    """Scroll down by a wheel; returns the milliseconds between frames, and the work of the page's thread in ms."""
    page.script("scrollTo(0, 0)")
    time.sleep(1.5)
    page.script(FRAMES)
    gesture = {
        "x": 500,
        "y": 500,
        "yDistance": -int(SPEED * seconds),
        "speed": SPEED,
        "gestureSourceType": "mouse",
    }
    page.driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    before = busy(page)
    page.driver.execute_cdp_cmd("Input.synthesizeScrollGesture", gesture)
    frames = list(page.script("cancelAnimationFrame(window.running_); return window.frames_"))
    return frames, busy(page) - before


def busy(page: ServedPage) -> float:
    """Milliseconds of processor time that the thread of the page has used."""
    found = page.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return 1000 * float(next(one["value"] for one in found if one["name"] == "TaskDuration"))


def report(what: str, scrolled: tuple[list[float], float]) -> None:
    """Print the figures of one scroll."""
    frames, work = scrolled
    late = sum(frame > LATE for frame in frames)
    print(
        f"{what}: {1000 / statistics.mean(frames):.1f} frames/s, median {statistics.median(frames):.1f} ms, "
        f"p95 {np.quantile(frames, 0.95):.1f} ms, longest {max(frames):.0f} ms, {late} of {len(frames)} late; "
        f"{work / len(frames):.1f} ms of work a frame"
    )


if __name__ == "__main__":
    main()
