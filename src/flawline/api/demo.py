"""Tell the whole story on drawn castings: rank, learn, judge, measure, watch. Each step is one call of `flawline`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flawline.api.chart import chart
from flawline.api.inspect import open_station
from flawline.api.rank import rank, rank_with
from flawline.api.train import train_anomaly
from flawline.core.drawing import thumbnail
from flawline.data.as_picture import as_picture
from flawline.data.frame import frame_of
from flawline.data.source import Source, open_source
from flawline.data.thumbnails import read_thumbnails
from flawline.inspector import Inspector
from flawline.jobs.chart.chart_report import write_chart
from flawline.jobs.demo.demo_page import StepReports, write_demo_page
from flawline.jobs.demo.lots import LINE_FIRST, PHASE_ONE, SECOND_SEED, SPEC, draw_line, draw_lot
from flawline.jobs.demo.story import JudgedPart, LatePart, Story
from flawline.jobs.rank.ranking_files import write_ranking
from flawline.jobs.train.training_pictures import write_training_report
from flawline.recipe import write_recipe
from flawline.recipe.recipe import recipe_with
from flawline.station.gallery import Gallery
from flawline.station.inspect_source import inspect_source
from flawline.station.inspection_files import write_run
from flawline.types import Track, no_track

if TYPE_CHECKING:
    from flawline.jobs.chart.control_chart import ControlChart
    from flawline.jobs.rank.ranking import Ranking
    from flawline.jobs.rank.saved_ranking import SavedRanking
    from flawline.jobs.train.train_anomaly import AnomalyTraining
    from flawline.station.inspected import Inspected, InspectionRun

TOP_N = 12
REPORTS = StepReports(
    "ranking/report.html", "casting.html", "inspection/report.html", "chart/chart.html"
)


def demo(
    folder: str | os.PathLike[str] = "flawline-demo",
    *,
    good: int = 106,
    bad: int = 6,
    lot: int = 60,
    seed: int = 0,
    track: Track = no_track,
) -> Story:
    """Draw castings, rank them, learn from them, judge a second lot, chart a line, and write one page with all of it.

    Args:
        folder: for the pictures, the reports and the page, report.html.
        good, bad: castings of the first lot.
        lot: castings of the second lot, one in ten of them bad.
        seed: of the castings and of every draw.
        track: shows progress.

    Returns:
        What the steps found; `sentence` sums it up.

    Raises:
        UsageError: an argument makes no sense, or the folder cannot be written.
    """
    place = Path(folder)
    for name in ("castings", "second-lot", "line", "ranking", "inspection", "chart"):
        (place / name).mkdir(parents=True, exist_ok=True)
    draw_lot(place / "castings", good=good, bad=bad, seed=seed)
    draw_lot(place / "second-lot", good=lot - lot // 10, bad=lot // 10, seed=seed + SECOND_SEED)
    draw_line(place / "line", seed=seed)
    with open_source(place / "castings") as castings:
        ranking, saved = rank(castings, seed=seed, top_n=TOP_N, track=track)
        write_ranking(ranking, castings, place / "ranking")
        training = _learn(castings, place, seed, track)
        ranking, late = _explained(ranking, saved, place / "castings")
        shown = [picture.sample for picture in ranking.pictures[:TOP_N]]
        shown += [one.picture.sample for one in late]
        thumbnails = read_thumbnails(castings, shown)
    run, drawn = _judge(Inspector(training.recipe), place, track)
    line, stopped = _watch(Inspector(training.recipe), place, track)
    limit = training.recipe.settings.threshold
    story = Story(
        ranking,
        late,
        training,
        tuple(_part(item) for item in run.inspections),
        limit.reject if limit is not None else 0.0,
        line,
        LINE_FIRST,
        stopped,
        len(ranking.unjudged) + len(training.unjudged) + len(run.unjudged),
        place,
    )
    write_demo_page(story, thumbnails, drawn, REPORTS, story.page)
    return story


def _learn(castings: Source, place: Path, seed: int, track: Track) -> AnomalyTraining:
    """Learn the good castings, put the specification into the recipe, write both and the report."""
    training = train_anomaly(
        castings, part="casting", align="polar", effort="none", seed=seed, track=track
    )
    recipe = recipe_with(training.recipe, settings=replace(training.recipe.settings, spec=SPEC))
    training = replace(training, recipe=recipe)
    write_recipe(recipe, place / "casting.flaw")
    write_training_report(training, castings, place / REPORTS.training)
    return training


def _explained(
    ranking: Ranking, saved: SavedRanking, folder: Path
) -> tuple[Ranking, tuple[LatePart, ...]]:
    """Find the bad parts that rank after sound ones, with reasons; their heat maps join those of the ranking."""
    sound = [one for one in ranking.pictures if not one.sample.defective]
    late = [one for one in ranking.pictures if one.sample.defective and one.rank > sound[0].rank]
    found = []
    maps = dict(ranking.heat_maps)
    for one in late:
        again = rank_with(folder / one.sample.name, saved, top_n=1)
        explained = replace(one, reasons=again.pictures[0].reasons)
        maps |= dict.fromkeys([one.sample.name], again.heat_maps[again.pictures[0].sample.name])
        before = sum(other.rank < one.rank for other in sound)
        found.append(LatePart(explained, before, sound[0]))
    return replace(ranking, heat_maps=maps), tuple(found)


def _judge(
    inspector: Inspector, place: Path, track: Track
) -> tuple[InspectionRun, dict[str, NDArray[np.uint8]]]:
    """Inspect the second lot; returns the run, and small pictures of what was found, by name."""
    folder = place / "inspection"
    with open_source(place / "second-lot") as lot:
        gallery = Gallery()
        with open_station(inspector) as station:
            run = inspect_source(lot, station, folder=folder, gallery=gallery, track=track)
        write_run(run, lot, inspector, folder, gallery)
    flagged = {item.sample.name: item.overlay for item in run.inspections if item.overlay}
    return run, {name: thumbnail(as_picture(path).pixels, 192) for name, path in flagged.items()}


def _watch(inspector: Inspector, place: Path, track: Track) -> tuple[ControlChart, int | None]:
    """Inspect the line into records, in its order, and chart the scores by limits from its first parts."""
    store = place / "records.db"
    for old in place.glob("records.db*"):
        old.unlink()
    with (
        open_source(place / "line") as line,
        open_station(inspector, store=store, keep="none", constant={"station": "line"}) as station,
    ):
        samples = sorted(line.samples(), key=lambda sample: sample.name)
        # One after the other, as a line gives them: a chart is about their order.
        verdicts = [
            station.inspect(frame_of(sample, line.read(sample.name))).verdict
            for sample in track(samples, title="Watching the line", total=len(samples))
        ]
    stopped = [number for number, verdict in enumerate(verdicts, 1) if verdict != "accept"]
    charted = chart("score", store=store, chart="ewma", phase1=PHASE_ONE, unit="")
    write_chart(charted, place / "chart")
    return charted, min(stopped, default=None)


def _part(item: Inspected) -> JudgedPart:
    found = item.inspection
    areas = [region.area for region in found.regions]
    return JudgedPart(
        item.sample.name,
        bool(item.sample.defective),
        found.verdict,
        found.score,
        found.reasons,
        len(areas),
        max(areas, default=0.0),
    )
