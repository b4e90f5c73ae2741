"""`flawline demo`: the whole story on drawn castings, with a page that links every step."""

import functools
import json
import re
from urllib.parse import urlparse

import pytest

from flawline.api import demo
from flawline.cli.main import run
from flawline.jobs.demo import lots
from flawline.jobs.demo.lots import draw_lot
from flawline.synthetic.castings import write_castings
from flawline.synthetic.dirty_line import write_dirty_line

SMALL = ["--good", "24", "--bad", "2", "--lot", "10"]


@pytest.fixture(scope="module")
def small_pictures():
    """Draw castings of 128 px, without a self-test: the page of the docs that begins with the demo runs it in full."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lots, "write_castings", functools.partial(write_castings, size=128))
        patch.setattr(lots, "write_dirty_line", functools.partial(write_dirty_line, size=128))
        untested = functools.partial(demo.train_anomaly, self_test="off")
        patch.setattr(demo, "train_anomaly", untested)
        yield


@pytest.fixture(scope="module")
def told(small_pictures, tmp_path_factory):
    """Folder and JSON document of a small demo."""
    out = tmp_path_factory.mktemp("told") / "demo"
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert run(["demo", "-o", str(out), *SMALL, "--json"]) == 0
    return out, json.loads(printed.getvalue())


def test_the_sentence_names_misses_and_false_alarms_first(told):
    _, document = told
    lot = document["second_lot"]
    assert (lot["bad"], lot["good"]) == (1, 9)
    begin = f"Missed {lot['escapes']} of 1 bad part and stopped {lot['overkill']} of 9 good parts"
    assert document["sentence"].startswith(begin)
    assert "within the top 3" in document["sentence"]
    assert "control chart" in document["sentence"]


def test_the_page_tells_every_step_and_its_links_lead_somewhere(told):
    out, document = told
    page = (out / "report.html").read_text(encoding="utf-8")
    assert document["sentence"] in page
    links = [link for link in re.findall(r'<a href="([^"]+)"', page) if not urlparse(link).scheme]
    assert len(links) == 4
    for link in links:
        assert (out / link).stat().st_size > 10_000, link
    assert document["recipe"]["verdict"] in page
    assert document["chart"]["finding"].split(";")[0] in page


def test_a_defect_that_ranks_late_is_shown_with_what_came_before_it(told):
    out, document = told
    page = (out / "report.html").read_text(encoding="utf-8")
    labels = [one["label"] for one in document["ranking"]["ranking"]]
    late = [i for i, label in enumerate(labels) if label == "bad" and "good" in labels[:i]]
    assert page.count("is bad and came at place") == len(late)


def test_the_chart_catches_the_dirt_after_it_began_to_grow(told):
    chart = told[1]["chart"]
    assert chart["first_signal"] is not None
    assert chart["first_signal"] >= chart["drift_from"]


def test_a_smaller_demo_forgets_the_larger_one_and_nothing_else(tmp_path):
    draw_lot(tmp_path, good=3, bad=2, seed=0)
    (tmp_path / "good" / "mine.png").write_bytes(b"mine")
    draw_lot(tmp_path, good=2, bad=1, seed=0)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    castings = {"good/casting_0000.jpg", "good/casting_0001.jpg", "bad/casting_0000.jpg"}
    assert found == {*castings, "good/mine.png"}
