"""Which chart a measure gets where nobody names one: counts do not become individuals unsaid."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

import flawline
from flawline.core.measure.parts import is_count
from flawline.core.spc.limits import limits_as_dict
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.record_chart import ChartChoice, estimated_limits, read_chart
from flawline.jobs.chart.usual_chart import form_usual
from flawline.records import open_store
from helpers.inspected_records import record

COUNTS = np.random.default_rng(1).poisson(4, 40).tolist()
RARE = [1 if place % 20 == 7 else 0 for place in range(40)]
NAMED = Forming(label=None)


def formed(measure, values, how=NAMED, **columns):
    series = form_usual({measure: values, **columns}, measure, how)
    return series.kind, series.notes[-1] if series.notes else ""


@pytest.mark.parametrize("name", ["defects", "NumberOfStains", "critical.count_scratch"])
def test_a_number_of_defects_is_a_count_by_its_name(name):
    assert is_count(name)
    kind, note = formed(name, COUNTS)
    assert kind == "c"
    assert f"{name} is a count: charted by c; `chart` i-mr" in note


def test_groups_and_units_make_it_a_rate():
    lots = [str(place // 7) for place in range(40)]
    assert formed("defects", COUNTS, Forming(by="lot"), lot=lots)[0] == "u"
    kind, note = formed("scratches", COUNTS, Forming(size="area"), area=[2.5] * 40)
    assert (kind, note) == ("u", "scratches is counted in units of area: charted by u")
    assert formed("defects", COUNTS, Forming(by="lot", summary="max"), lot=lots)[0] == "i-mr"


def test_too_few_defects_for_the_limits_of_a_chart_of_counts_are_individuals_and_say_so():
    kind, note = formed("defects", RARE)
    assert kind == "i-mr"
    assert "1 point in 21 would lie beyond the limits of c by chance" in note


def test_whole_numbers_of_any_column_are_offered_a_chart_of_counts():
    kind, note = formed("x", COUNTS)
    assert kind == "i-mr"
    assert "if they count defects, `chart` c" in note
    for other in ([v + 0.5 for v in COUNTS], [v + 500 for v in COUNTS], [v - 5 for v in COUNTS]):
        assert formed("x", other) == ("i-mr", "")


def test_the_call_charts_counts_by_the_usual_chart(tmp_path):
    table = tmp_path / "parts.csv"
    table.write_text("defects\n" + "\n".join(map(str, COUNTS)))
    chart = flawline.chart("defects", table)
    assert chart.kind == "c"
    assert chart.stages[0].limits.centre == pytest.approx(np.mean(COUNTS))
    assert flawline.chart("defects", table, chart="i-mr").kind == "i-mr"
    assert flawline.chart("defects", table, centre=4, sigma=2).kind == "i-mr"
    assert flawline.chart("defects", table, transform="none").kind == "i-mr"


def test_records_keep_the_limits_that_were_frozen_for_individuals(tmp_path):
    with open_store(str(tmp_path / "r.db")) as store:
        store.add([record(n, measures={"NumberOfStains": float(c)}) for n, c in enumerate(COUNTS)])
        measure = "count_stain" if "count_stain" in store.measures() else "NumberOfStains"
        found = read_chart(store, ChartChoice(), measure)
        assert found.chart.kind == "c"
        old = read_chart(store, ChartChoice(kind="i-mr"), measure)
        assert old.chart.kind == "i-mr"
        limits = limits_as_dict(estimated_limits(old))
        when = datetime(2026, 3, 1, tzinfo=UTC)
        store.charts.add(measure, "limits", "as it was", limits=limits, who="Kim", when=when)
        assert read_chart(store, ChartChoice(), measure).chart.kind == "i-mr"
        assert read_chart(store, ChartChoice(kind="c"), measure).frozen is None


def test_the_span_of_a_moving_average_is_chosen_with_the_chart(tmp_path):
    with open_store(str(tmp_path / "r.db")) as store:
        store.add([record(n, score=float(n * 7 % 5)) for n in range(30)])
        found = read_chart(store, ChartChoice(kind="ma", span=6), "score")
        assert found.chart.stages[0].limits.span == 6
        limits = limits_as_dict(estimated_limits(found))
        when = datetime(2026, 3, 1, tzinfo=UTC)
        store.charts.add("score", "limits", "calm", limits=limits, who="Kim", when=when)
        assert read_chart(store, ChartChoice(kind="ma", span=6), "score").frozen is not None
        assert read_chart(store, ChartChoice(kind="ma", span=5), "score").frozen is None
