"""The page of clusters shows what is typical of each."""

import re

import pytest

from flawline.data.source import open_source
from flawline.features.compute import FeatureSettings
from flawline.jobs.cluster.cluster import cluster
from flawline.jobs.cluster.cluster_report import ATYPICAL, TYPICAL
from flawline.jobs.cluster.clustering_files import write_clustering
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
