import re

import numpy as np
import pytest

from flawline.data.source import open_source
from flawline.features.compute import FeatureSettings
from flawline.jobs.classify.classification_files import write_classification
from flawline.jobs.classify.classify import classify
from flawline.jobs.cluster.cluster import cluster
from flawline.jobs.cluster.cluster_report import ATYPICAL, TYPICAL
from flawline.jobs.cluster.clustering_files import write_clustering
from flawline.report.charts import confusion_matrix, reliability, stacked_bars
from helpers.pictures import parts

PLAIN = FeatureSettings(features=("average_pixels",))


@pytest.fixture
def source(tmp_path):
    parts(tmp_path / "parts", good=18, bad=6)
    # A name that would be markup, and a label that contradicts its picture.
    (tmp_path / "parts" / "good" / "part_0.png").rename(tmp_path / "parts" / "bad" / "a<b&c.png")
    with open_source(tmp_path / "parts") as opened:
        yield opened


def test_cluster_report_shows_the_ends_of_each_cluster_once(source, tmp_path):
    found = cluster(source, clusters=1, settings=PLAIN)
    html = write_clustering(found, source, tmp_path).read_text(encoding="utf-8")
    shown = re.findall(r'<img src="data:image/jpeg[^"]*" alt="([^"]*)"', html)
    assert len(shown) == len(set(shown)) == TYPICAL + ATYPICAL
    assert "Most typical" in html
    assert not re.findall(r'(?:src|href)="(?!data:image|#)', html)


def test_classify_report_shows_the_surest_mistakes_and_the_warning(source, tmp_path):
    found = classify(source, folds=3, settings=PLAIN)
    html = write_classification(found, source, tmp_path).read_text(encoding="utf-8")
    assert "bad/a&lt;b&amp;c.png" in html
    assert "a<b" not in html
    assert "The source names no groups" in html
    assert "Balanced accuracy" in html


def test_charts_are_the_same_bytes_and_take_the_pages_ink():
    for chart in (
        lambda: confusion_matrix([[3, 1], [0, 5]], ["bad <x>", "good"]),
        lambda: reliability({"before": ([0.5, 0.9], [0.4, 1.0]), "after": ([0.6], [0.6])}),
        lambda: stacked_bars(["1", "none"], {"good": [3, 0], "bad": [1, 2]}, axis="cluster"),
    ):
        svg = chart()
        assert svg == chart()
        assert svg.startswith("<svg")
        assert "currentColor" in svg
        assert "<x>" not in svg


def test_an_empty_class_draws_no_warning():
    assert "<svg" in confusion_matrix(np.zeros((3, 3)), ["a", "b", "c"])
