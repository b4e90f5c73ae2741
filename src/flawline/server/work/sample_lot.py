"""A sample lot of drawn castings: a recipe that learnt them, a line on which the lens gets dirty, alerts, a ranking."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from flawline.data.frame import Frame
from flawline.data.source import open_source
from flawline.jobs.demo.lots import PHASE_ONE, SECOND_SEED, draw_line, draw_lot
from flawline.recipe.recipe import Recipe, recipe_with
from flawline.server.errors import ServerError
from flawline.server.state import ServerState
from flawline.server.work.runner import Job
from flawline.types import Track

PRODUCT = "sample casting"
SECOND_LOT, DIRTY_LOT = "sample 1", "sample 2"
GOOD, BAD, SECOND = 60, 6, 30
"""Castings of the first lot, from which the recipe is learnt, and of the second one, which it judges."""
REJECT = 1.4
"""Score above which a sample part is rejected, in units of the score from which it is reviewed."""
APART = timedelta(minutes=4)
"""Time between two parts of the line."""


def start_sample(state: ServerState, who: str) -> Job:
    """Line up the sample lot as a job.

    Raises:
        ServerError: ("usage") it is there or comes already.
    """
    on_its_way = any(job.state in ("waiting", "running") for job in state.jobs.list("sample"))
    if on_its_way or PRODUCT in state.products.names():
        raise ServerError("the sample lot is there or comes already", code="usage")
    return state.jobs.start("sample", PRODUCT, who, partial(fill_sample, state, who))


def make_sample(state: ServerState, track: Track) -> None:
    """Make the sample lot now, before anybody looks."""
    from flawline.data.part_files import scratch_folder

    with scratch_folder() as folder:
        fill_sample(state, "demo", track, folder / "sample")


def fill_sample(state: ServerState, who: str, track: Track, folder: Path) -> dict[str, Any]:
    """Draw castings, learn them, judge two lots of them, watch their scores, and line up a ranking.

    Args:
        state: of the server.
        who: activates the recipe.
        track: shows progress.
        folder: for the pictures; those that are judged are in the records afterwards.
    """
    from flawline.api.train import train_anomaly

    first, second, line = (folder / name for name in ("castings", "second", "line"))
    for place in (first, second, line):
        place.mkdir(parents=True)
    for _ in track([0], title="drawing castings", total=1):
        draw_lot(first, good=GOOD, bad=BAD, seed=0)
        draw_lot(second, good=SECOND - SECOND // 10, bad=SECOND // 10, seed=SECOND_SEED)
        draw_line(line, seed=0)
    with open_source(first) as castings:
        trained = train_anomaly(castings, part=PRODUCT, align="polar", effort="none", track=track)
    state.products.activate(PRODUCT, _with_doubts(trained.recipe), who)
    counts = _judge_lots(state, second, line, track)
    alerts = _watch(state, folder)
    _line_up_ranking(state, who, first)
    for place in (second, line):
        shutil.rmtree(place)
    return {"product": PRODUCT, "counts": counts, "alerts": alerts}


def _with_doubts(recipe: Recipe) -> Recipe:
    """Set the limit of rejecting by hand, as people do, so that the parts in between wait for a person."""
    limit = recipe.settings.threshold
    if limit is None:
        return recipe
    edited = replace(limit, reject=REJECT * limit.review)
    return recipe_with(recipe, settings=replace(recipe.settings, threshold=edited))


def _judge_lots(state: ServerState, second: Path, line: Path, track: Track) -> dict[str, int]:
    """Judge the second lot and then the line, as if they had come one after the other until now."""
    from flawline.server.routes.inspect import judge

    lots = [(path, SECOND_LOT) for path in sorted(second.rglob("*.jpg"), key=_mixed)]
    lots += [(path, DIRTY_LOT) for path in sorted(line.glob("*.jpg"))]
    begin = datetime.now(UTC).replace(microsecond=0) - APART * len(lots)
    counts = {"accept": 0, "review": 0, "reject": 0}
    for number, (path, lot) in enumerate(track(lots, title="judging", total=len(lots)), start=1):
        frame = Frame(
            path.read_bytes(),
            f"part_{number:04}.jpg",
            begin + APART * number,
            part=f"{number:04}",
            lot=lot,
            station="A",
            key=f"sample {number}",
        )
        counts[judge(state, PRODUCT, frame)[0].verdict] += 1
    state.products.get(PRODUCT).station.flush()
    return counts


def _mixed(path: Path) -> str:
    """Order by a hash, so that bad castings come between the good ones; the same every time."""
    from hashlib import sha256

    return sha256(f"{path.parent.name}/{path.name}".encode()).hexdigest()


def _watch(state: ServerState, folder: Path) -> int:
    """Judge the scores of the line by limits from its first parts; the alerts are stored."""
    from flawline.jobs.chart.watch import Watch
    from flawline.jobs.chart.watch_settings import WatchSettings
    from flawline.records.where import Where

    where = Where(names={"product": PRODUCT, "lot": DIRTY_LOT})
    settings = WatchSettings("score", kind="ewma", where=where, learn=PHASE_ONE)
    return len(Watch(settings, state.store, folder).read().messages)


def _line_up_ranking(state: ServerState, who: str, castings: Path) -> None:
    """Rank the first lot without its labels, as the next job."""
    from flawline.server.credentials import new_secret
    from flawline.server.work.ranking_job import run_ranking
    from flawline.server.work.staging import moved

    sent = state.jobs.folder.parent / "uploads" / new_secret()
    sent.mkdir(parents=True)
    for number, path in enumerate(sorted(castings.rglob("*.jpg"), key=_mixed), start=1):
        path.rename(sent / f"casting_{number:03}.jpg")
    shutil.rmtree(castings)
    state.jobs.start(
        "rank", f"{GOOD + BAD} sample castings", who, partial(run_ranking, partial(moved, sent))
    )
