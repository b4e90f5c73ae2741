import re

import numpy as np

from flawline.core.drawing import heat_overlay, thumbnail
from flawline.jobs.rank.rank_report import write_rank_report
from flawline.jobs.rank.ranking import RankedPicture, Ranking, Reason, recall
from flawline.report.charts import recall_curve, score_histogram
from flawline.types import Sample, Unjudged
from helpers.pictures import noise


def ranking(count=20, bad=3, name="part <{}> & co.png", heat=False):
    samples = [
        Sample(name.format(i), "bad" if i < bad else "good", defective=i < bad)
        for i in range(count)
    ]
    pictures = tuple(
        RankedPicture(i + 1, s, 1 - i / count, (Reason("odd <here>", "x", 0.5),) if i < 5 else ())
        for i, s in enumerate(samples)
    )
    maps = {
        s.name: np.random.default_rng(i).random((7, 7), np.float32)
        for i, s in enumerate(samples[:5])
    }
    return Ranking(
        "parts.zip",
        pictures,
        (Unjudged("cut.png", "image-truncated", "it is <truncated>"),),
        {"method": "forest", "top_n": 5},
        {"bad": True, "good": False},
        maps if heat else {},
    )


def report(tmp_path, value):
    pixels = {p.sample.name: noise(40, 50, p.rank) for p in value.pictures[:5]}
    return write_rank_report(value, pixels, tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_report_stands_alone_and_escapes_what_strangers_named(tmp_path):
    html = report(tmp_path, ranking(heat=True))
    assert "3 of 3 defective within the top 3" in html
    assert html.count('<article class="card" data-name') == 5
    assert html.count("data:image/jpeg;base64,") == 10
    assert "part <0>" not in html
    assert "part &lt;0&gt; &amp; co.png" in html
    assert "it is &lt;truncated&gt;" in html
    outside = re.findall(r'(?:src|href)="(?!data:)[^"#]*"', html)
    assert outside == []
    assert "http" not in re.sub(
        r'(?:xmlns(?::\w+)?="[^"]*"|<metadata>.*?</metadata>)', "", html, flags=re.S
    )


def test_the_same_ranking_gives_the_same_report(tmp_path):
    assert report(tmp_path, ranking(heat=True)) == report(tmp_path, ranking(heat=True))


def test_without_labels_nothing_is_claimed(tmp_path):
    value = ranking(bad=0)
    assert recall(value) is None
    assert "defective within" not in report(tmp_path, value)


def test_recall_counts_pictures_of_unknown_meaning_as_places():
    flags = [True, None, True, False]
    pictures = tuple(
        RankedPicture(i + 1, Sample(str(i), defective=flag), 1.0 - i)
        for i, flag in enumerate(flags)
    )
    found = recall(Ranking("x", pictures, (), {}))
    assert found.found == (1, 1, 2, 2)
    assert (found.all_within, found.judged, found.defective) == (3, 3, 2)
    assert found.sentence == "2 of 2 defective within the top 3"


def test_charts_are_text_that_follows_the_page():
    for svg in (
        score_histogram({"good": [0.1, 0.2, 0.2], "bad": [0.9], "unknown": []}, unit="score"),
        score_histogram({"good": [0.5, 0.5]}, unit="score"),
        recall_curve([0, 1, 1, 2], 2),
    ):
        assert svg.startswith("<svg")
        assert "currentColor" in svg
        assert "<text" in svg


def test_thumbnails_and_overlays_keep_shape_and_stay_within_range():
    assert thumbnail(noise(1000, 100)).shape == (320, 32, 3)
    assert thumbnail(noise(5000, 1)).shape == (320, 1, 3)
    assert thumbnail(noise(10, 20)).shape == (10, 20, 3)
    grey = np.full((60, 60, 3), 100, np.uint8)
    heat = np.zeros((6, 6), np.float32)
    heat[:3, :3] = 1
    laid = heat_overlay(grey, heat, 0, 1)
    assert np.abs(laid[45:, 45:].astype(int) - 100).max() <= 1
    assert laid[5, 5, 0] > laid[5, 5, 2] + 50
