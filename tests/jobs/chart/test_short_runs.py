"""Short runs of several products: how they are formed, told, frozen, and what becomes of a product that is new."""

from __future__ import annotations

import numpy as np
import pytest

import flawline
from flawline.core.spc.limits import limits_as_dict
from flawline.core.spc.rules import FIRST_ONLY
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.chart.chart_files import chart_as_dict
from flawline.jobs.chart.chart_series import chart_series
from flawline.jobs.chart.finding import finding
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.limits_table import limits_table
from flawline.jobs.chart.phases import chart_in_phases
from flawline.jobs.chart.plot import plot_chart
from flawline.jobs.chart.record_chart import ChartChoice, estimated_limits, read_chart
from flawline.jobs.chart.series import form_series
from flawline.jobs.chart.short_runs import product_runs
from flawline.jobs.chart.watch import Watch
from flawline.jobs.chart.watch_settings import WatchSettings
from flawline.records import open_store
from helpers.inspected_records import record

HOW = Forming(label="part", product="model")
LEVELS = {"A": (10.0, 0.1), "B": (40.0, 0.4), "C": (25.0, 0.2)}
ODD = 20


def columns(models="AAAAAAAABBBBBBBBAAAAAAAABBBBBBBBCCCCCCCC", odd=ODD):
    random = np.random.default_rng(4)
    values = [random.normal(*LEVELS[model]) for model in models]
    if odd is not None:
        values[odd] += 12 * LEVELS[models[odd]][1]
    return {
        "part": [str(place + 1) for place in range(len(models))],
        "model": list(models),
        "bore": values,
    }


def charted(how=HOW, kind="z-mr", **changes):
    return chart_series(form_series({**columns(), **changes}, "bore", kind, how), kind)


def test_a_point_is_named_with_its_product():
    chart = charted()
    assert finding(chart).startswith("Part 21 (A) is above the upper limit 3 sigma, at ")
    assert product_runs(chart.series) == [
        ("A", 0, 7),
        ("B", 8, 15),
        ("A", 16, 23),
        ("B", 24, 31),
        ("C", 32, 39),
    ]
    document = chart_as_dict(chart)
    assert document["products"] == columns()["model"]
    assert [panel["name"] for panel in document["panels"]] == ["z", "moving range"]
    moved = plot_chart(chart)[1].values
    assert moved.count("M") == 5, "the line of the moving ranges breaks at each change of product"


def test_a_calm_chart_says_how_many_products_it_holds():
    told = finding(charted(bore=columns(odd=None)["bore"]))
    assert told.startswith("In control: no signal in 40 points of 3 products in 5 runs by rule 1")


def test_limits_are_listed_for_each_product_as_they_are_measured():
    rows = limits_table(charted())
    assert [row["name"] for row in rows] == ["A", "B", "C"]
    assert [row["points"] for row in rows] == ["16", "16", "8"]
    assert float(rows[1]["lower"]) < 40 < float(rows[1]["upper"]) < 45


def test_lots_end_with_a_change_of_product():
    lots = [str(place // 5) for place in range(40)]
    how = Forming(by="lot", product="model")
    series = form_series({**columns(), "lot": lots}, "bore", "z-mr", how)
    assert len(series.labels) == 12
    assert series.labels[1:3] == ("1", "1")
    assert "each point is the mean of bore in one lot" in series.notes


def test_a_row_without_a_product_is_listed():
    models = columns()["model"]
    models[3] = ""
    series = form_series({**columns(), "model": models}, "bore", "z-mr", HOW)
    assert [(row.label, row.reason) for row in series.skipped] == [
        ("4", "the cell in 'model' is empty")
    ]


def test_few_points_of_a_product_get_a_note():
    found = columns("AAAAAABBB", odd=None)
    notes = chart_series(form_series(found, "bore", "z-mr", HOW), "z-mr").notes
    assert any("behind the mean of B (3)" in note for note in notes)


def test_a_product_and_its_chart_go_together():
    with pytest.raises(UsageError, match="needs the product"):
        form_series(columns(), "bore", "z-mr", Forming())
    with pytest.raises(UsageError, match="goes with the chart z-mr, got i-mr"):
        form_series(columns(), "bore", "i-mr", HOW)
    with pytest.raises(UsageError, match="are not watched"):
        WatchSettings("bore", "z-mr", Forming(every=4, product="model"))


def test_a_product_that_the_limits_do_not_have_is_left_out_and_listed():
    limits = charted().stages[-1].limits
    found = {"part": list("12345"), "model": list("AADDB"), "bore": [10, 10.1, 7, 7.2, 40.1]}
    chart = chart_series(form_series(found, "bore", "z-mr", HOW), "z-mr", limits=limits)
    assert chart.series.labels == ("1", "2", "5")
    assert [row.label for row in chart.series.skipped] == ["3", "4"]
    assert "'D'" in chart.series.skipped[0].reason
    alone = {name: cells[2:4] for name, cells in found.items()}
    with pytest.raises(FlawlineError) as caught:
        chart_series(form_series(alone, "bore", "z-mr", HOW), "z-mr", limits=limits)
    assert caught.value.code == "chart-product"


def test_the_first_points_make_limits_for_the_others():
    series = form_series(columns(), "bore", "z-mr", HOW)
    chart = chart_in_phases(series, "z-mr", 16, rules=FIRST_ONLY)
    assert finding(chart).startswith("Part 21 (A) is above the upper limit")
    assert [row.label for row in chart.series.skipped] == [str(n) for n in range(33, 41)]


@pytest.fixture
def store(tmp_path):
    with open_store(str(tmp_path / "r.db")) as opened:
        made = columns()
        rows = zip(made["model"], made["bore"], strict=True)
        opened.add([record(n, score=value, product=model) for n, (model, value) in enumerate(rows)])
        yield opened


def test_records_are_charted_by_their_product(store, tmp_path):
    chart = flawline.chart("score", store=store, product="product")
    assert chart.kind == "z-mr"
    assert [signal.triggered for signal in chart.signals if signal.panel == "z"] == [ODD]
    choice = ChartChoice(kind="z-mr")
    found = read_chart(store, choice, "score")
    assert found.first_open is not None
    assert found.first_open.triggered == ODD
    limits = limits_as_dict(estimated_limits(found))
    by = {"who": "Kim", "when": record(0).judged}
    store.charts.add("score", "limits", "as it is", limits=limits, **by)
    store.add([record(90, score=3.0, product="new"), record(91, score=10.0, product="A")])
    judged = read_chart(store, choice, "score")
    assert judged.frozen is not None
    assert len(judged.stored.ids) == 41
    assert judged.stored.ids[-1] == (42,)
    assert [row.label for row in judged.chart.series.skipped] == ["P000090"]
    other = read_chart(store, ChartChoice(kind="z-mr", product_sigma="constant"), "score")
    assert other.frozen is None


def test_a_watch_judges_known_products_and_lists_the_others(store, tmp_path):
    settings = WatchSettings("score", "z-mr", Forming(label="part", product="product"), learn=40)
    watch = Watch(settings, store, tmp_path / "watch")
    (tmp_path / "watch").mkdir()
    watch.read()
    store.add(
        [
            record(90, score=3.0, product="new"),
            record(91, score=12.0, product="A"),
            record(92, score=39.9, product="B"),
        ]
    )
    again = Watch(settings, store, tmp_path / "watch")
    assert again.resumed
    progress = again.read()
    assert progress.points == 2
    assert [row.label for row in progress.skipped] == ["P000090"]
    assert [(m["point"], m["panel"]) for m in progress.messages] == [("P000091", "z")]
