"""The reports of a training and of an inspection."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from importlib.resources import files

import pytest

from flawline.data.source import open_source
from flawline.inspector import Inspector
from flawline.jobs.train.training_pictures import write_training_report
from flawline.jobs.train.unusual_pictures import Suspect
from flawline.recipe import recipe_with
from flawline.station.gallery import Gallery
from flawline.station.inspect_source import inspect_source
from flawline.station.inspection_files import write_run
from flawline.station.station import Station
from flawline.types import Unjudged
from helpers.discs import SIDE, spoilt, train, write, write_discs
from helpers.networks import write_network

HOSTILE = "<script>alert(1)<script>.png"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    root = tmp_path_factory.mktemp("shop")
    write_discs(root / "parts", good=12, bad=2)
    write(root / "a.png", spoilt(77)).rename(root / "parts" / "bad" / HOSTILE)
    trained = train(root / "parts", write_network(root / "small.onnx"), part="<b>disc</b>")
    return root, trained


def check_page(page: str) -> None:
    """Check that a page opens without a network and escapes untrusted names."""
    # A drawing names the languages that it is written in and what drew it; nothing of that is fetched.
    drawn = re.sub(r"<metadata>.*?</metadata>", "", page, flags=re.S)
    assert "http" not in re.sub(r'xmlns(:\w+)?="http[^"]*"', "", drawn)
    # The one script is ours, whole and unchanged.
    own = (files("flawline.report") / "templates" / "sheet.js").read_text("utf-8")
    foreign = page.replace(f"<script>{own.rstrip()}</script>", "")
    assert not re.search(r"<(script|link|iframe|object)", foreign)
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page) == []
    assert "<b>disc" not in page
    # The letters of a picture may spell anything.
    said = re.sub(r"data:[^\"]*", "", page)
    assert "NaN" not in said
    assert re.search(r"\b(nan|inf)\b", said) is None


def training_page(root, trained, path):
    with open_source(root / "parts") as source:
        return write_training_report(trained, source, path).read_text(encoding="utf-8")


def test_the_report_of_a_training(shop, tmp_path):
    root, trained = shop
    page = training_page(root, trained, tmp_path / "disc.html")
    check_page(page)
    assert "Training of &lt;b&gt;disc" in page
    assert trained.recipe.sha256[:12] in page
    basis = trained.recipe.settings.threshold.basis
    assert basis.replace(">", "&gt;") in page
    for line in trained.messages:
        assert line.replace("<", "&lt;").replace(">", "&gt;") in page
    assert "&lt;script&gt;alert" in page
    assert "Known bad pictures with the lowest scores" in page
    assert "Held-out good pictures with the highest scores" in page
    assert "<svg" in page
    assert "Set aside" not in page
    cards = page.count('<article class="card">')
    assert cards == len(trained.good) + len(trained.bad)
    assert page.count("data:image/jpeg;base64,") == 2 * cards
    assert page == training_page(root, trained, tmp_path / "again.html")


def test_what_was_set_aside_or_not_read_is_shown(shop, tmp_path):
    root, trained = shop
    more = replace(
        trained,
        suspects=(Suspect("good/1.png", 7.5, "scores <7.5>"),),
        unjudged=(Unjudged("good/<cut>.png", "image-truncated", "it is <truncated>"),),
    )
    page = training_page(root, more, tmp_path / "disc.html")
    check_page(page)
    assert "Set aside: look at these first" in page
    assert "scores &lt;7.5&gt;" in page
    assert "1 input could not be used" in page
    assert "good/&lt;cut&gt;.png" in page


def test_the_report_of_one_picture_has_no_scores_to_show(tmp_path):
    write_discs(tmp_path / "parts", good=1)
    trained = train(tmp_path / "parts", write_network(tmp_path / "small.onnx"))
    page = training_page(tmp_path, trained, tmp_path / "disc.html")
    check_page(page)
    assert "every part goes to review" in page
    assert "Scores of parts" not in page


def inspected(root, trained, out, location=None):
    inspector = Inspector(trained.recipe)
    out.mkdir(parents=True, exist_ok=True)
    with open_source(location or root / "parts") as source, Station(inspector) as station:
        gallery = Gallery()
        run = inspect_source(source, station, folder=out, gallery=gallery)
        written = write_run(run, source, inspector, out, gallery)
    return run, written, (out / "report.html").read_text(encoding="utf-8")


def test_the_report_of_an_inspection(shop, tmp_path):
    root, trained = shop
    shutil.copytree(root / "parts", tmp_path / "parts")
    (tmp_path / "parts" / "good" / "<cut>.png").write_bytes(b"cut")
    run, written, page = inspected(root, trained, tmp_path / "out", tmp_path / "parts")
    check_page(page)
    assert {path.name for path in written} == {
        "inspections.csv",
        "inspections.parquet",
        "inspections.jsonl",
        "defects.csv",
        "report.html",
    }
    counts = run.counts
    assert (
        f"{counts['reject']} rejected, {counts['review']} to review, {counts['accept']} accepted"
        ", 1 not judged" in page
    )
    assert "good/&lt;cut&gt;.png" in page
    assert "&lt;script&gt;alert" in page
    assert trained.recipe.settings.threshold.basis in page
    for item in run.inspections:
        assert f"{item.inspection.score:.4g}" in page
    flagged = [item for item in run.inspections if item.inspection.verdict != "accept"]
    assert len(flagged) >= 3
    sheet, _, _ = page.partition("Accepted, and closest to being flagged")
    assert sheet.count('<article class="card" data-name') == len(flagged)
    # An ordinary picture stands before them.
    assert sheet.count("data:image/jpeg;base64,") == 2 * len(flagged) + 1
    assert sheet.count('class="card ordinary"') == 1
    worst = max(flagged, key=lambda item: item.inspection.score)
    names = re.findall(r'class="name">([^<]*)<', sheet)
    assert names[1].replace("&lt;", "<").replace("&gt;", ">") == worst.sample.name
    left, top, width, height = worst.inspection.as_dict()["defects"][0]["box"]
    assert left >= 0
    assert left + width <= SIDE
    assert f"x {left} to {left + width}, y {top} to {top + height} px" in page


def test_an_inspection_where_all_are_accepted(shop, tmp_path):
    root, trained = shop
    run, _, _ = inspected(root, trained, tmp_path / "first")
    fine = [item.sample.name for item in run.inspections if item.inspection.verdict == "accept"]
    (tmp_path / "fine").mkdir()
    for name in fine:
        shutil.copy(root / "parts" / name, tmp_path / "fine")
    run, _, page = inspected(root, trained, tmp_path / "out", tmp_path / "fine")
    assert run.exit_code == 0
    check_page(page)
    assert "<h2>Not accepted" not in page
    assert "Accepted, and closest to being flagged" in page


def test_edited_thresholds_are_told_in_place_of_the_promise(shop, tmp_path):
    root, trained = shop
    threshold = replace(trained.recipe.settings.threshold, reject=300.0)
    recipe = recipe_with(
        trained.recipe, settings=replace(trained.recipe.settings, threshold=threshold)
    )
    run, _, page = inspected(root, replace(trained, recipe=recipe), tmp_path / "out")
    for told in (page, run.settings["thresholds"]["basis"]):
        assert "edited by hand: reject 300 (calibrated: " in told
        assert "no promise is made for it" in told
        assert "of good parts, 95 % confidence" not in told
    _, _, page = inspected(root, trained, tmp_path / "before")
    assert "of good parts, 95 % confidence" in page
    assert "edited by hand" not in page


def test_no_threshold_of_one_part_is_shown_as_a_number(tmp_path):
    write_discs(tmp_path / "parts", good=1)
    trained = train(tmp_path / "parts", write_network(tmp_path / "small.onnx"))
    assert "1 good picture of 1 part to learn from" in trained.messages
    run, _, page = inspected(tmp_path, trained, tmp_path / "out")
    check_page(page)
    assert run.counts["review"] == 1
    assert "no threshold for review could be set" in page
    assert "e+30" not in page
