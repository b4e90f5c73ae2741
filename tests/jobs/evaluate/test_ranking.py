"""Which recipe comes first, from verdicts and times that are known."""

import numpy as np
import pytest

from flawline.data.source import open_source
from flawline.errors import SourceError
from flawline.jobs.evaluate import timing
from flawline.jobs.evaluate.differences import Costs
from flawline.jobs.evaluate.draw import Draw
from flawline.jobs.evaluate.evaluation import JudgedPicture
from flawline.jobs.evaluate.part_rows import time_row
from flawline.jobs.evaluate.ranking import ranked
from flawline.jobs.evaluate.timing import Timed, timed_in_turn
from flawline.types import Sample
from helpers.stub_inspector import BrightnessInspector, write_part

COSTS = Costs(escape=10, overkill=1, prevalence=0.5)


class Speed:
    """As much of an evaluation as a ranking looks at."""

    def __init__(self, rate):
        self.pictures_per_second = rate


def judged(escapes, overkills, parts=40):
    """Good and bad parts in turn, of which the first ones are judged wrongly."""
    pictures = []
    for k in range(parts):
        bad = k % 2 == 1
        wrong = k // 2 < (escapes if bad else overkills)
        verdict = "reject" if bad != wrong else "accept"
        pictures.append(JudgedPicture(Sample(f"{k}"), f"p{k}", bad, 0.0, None, verdict))
    return tuple(pictures)


def times(*means):
    rng = np.random.default_rng(0)
    return [Timed(f"p{k}", tuple(m + rng.normal(0, 0.1) for m in means)) for k in range(40)]


def ranking(verdicts, milliseconds):
    names = [f"r{k}" for k in range(len(verdicts))]
    speeds = [Speed(1000 / mean) for mean in milliseconds]
    return ranked(names, speeds, verdicts, COSTS, times(*milliseconds), 0)


def test_of_those_that_cost_the_same_the_fastest_comes_first():
    found = ranking([judged(2, 2), judged(2, 2), judged(15, 2)], [20, 5, 1])
    assert [one.name for one in found] == ["r1", "r0", "r2"]
    assert [one.as_cheap for one in found] == [True, True, False]
    assert [one.as_fast for one in found] == [True, False, False]
    assert found[1].slower.value == pytest.approx(15, abs=0.2)
    assert found[1].slower.low > 14
    assert found[2].slower is None
    assert found[2].more.low > 0
    assert found[0].cost == pytest.approx(0.5 * 10 * 2 / 20 + 0.5 * 2 / 20)


def test_of_those_as_fast_the_cheapest_comes_first():
    found = ranking([judged(3, 2), judged(2, 2)], [5, 5])
    assert [one.name for one in found] == ["r1", "r0"]
    assert all(one.as_cheap and one.as_fast for one in found)
    assert (found[0].more, found[1].more.value) == (None, pytest.approx(0.25))


def test_what_is_dearer_comes_last_however_fast():
    found = ranking([judged(18, 0), judged(6, 0), judged(0, 0)], [1, 2, 90])
    assert [one.name for one in found] == ["r2", "r1", "r0"]


def test_a_median_time_has_an_interval_though_all_parts_are_alike():
    row = time_row(times(3, 4), Draw(0, 200))
    assert row.values == pytest.approx((3, 4), abs=0.1)
    assert row.differences[0].low > 0.8
    assert row.differences[0].groups == 40
    assert row.finding(1) == "worse"


def test_recipes_are_timed_in_turn_on_the_same_pictures(tmp_path):
    seen = []

    class Noting(BrightnessInspector):
        def inspect(self, picture):
            seen.append((self.recipe.sha256[0], picture.sha256))
            return super().inspect(picture)

    for k in range(3):
        write_part(tmp_path, f"good/{k}.png")
    with open_source(tmp_path) as source:
        samples = list(source.samples())
        pair = [Noting(name="1"), Noting(name="2")]
        found = timed_in_turn(source, samples, pair)
        assert len(found) == 3
        assert all(len(one.milliseconds) == 2 and min(one.milliseconds) > 0 for one in found)
        assert [name for name, _ in seen] == ["1", "2", "2", "1", "1", "2"]
        assert all(seen[k][1] == seen[k + 1][1] for k in (0, 2, 4))
        (tmp_path / "good/0.png").write_bytes(b"gone")
        assert len(timed_in_turn(source, samples, pair)) == 2
        with pytest.raises(SourceError, match="read again"):
            timed_in_turn(source, samples[:1], pair)


def test_timing_ends_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "TIMED", 0.0)
    for k in range(3):
        write_part(tmp_path, f"good/{k}.png")
    with open_source(tmp_path) as source:
        found = timed_in_turn(source, list(source.samples()), [BrightnessInspector()])
    assert len(found) == 1
