"""The page of a classification shows its surest mistakes, and takes no markup from names."""

import pytest

from flawline.data.source import open_source
from flawline.features.compute import FeatureSettings
from flawline.jobs.classify.classification_files import write_classification
from flawline.jobs.classify.classify import classify
from helpers.pictures import parts

PLAIN = FeatureSettings(features=("average_pixels",))


@pytest.fixture
def source(tmp_path):
    parts(tmp_path / "parts", good=18, bad=6)
    # A name that would be markup, and a label that contradicts its picture.
    (tmp_path / "parts" / "good" / "part_0.png").rename(tmp_path / "parts" / "bad" / "a<b&c.png")
    with open_source(tmp_path / "parts") as opened:
        yield opened


def test_classify_report_shows_the_surest_mistakes_and_the_warning(source, tmp_path):
    found = classify(source, folds=3, settings=PLAIN)
    html = write_classification(found, source, tmp_path).read_text(encoding="utf-8")
    assert "bad/a&lt;b&amp;c.png" in html
    assert "a<b" not in html
    assert "The source names no groups" in html
    assert "Balanced accuracy" in html
