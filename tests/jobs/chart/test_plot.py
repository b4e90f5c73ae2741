"""Places of a chart's lines and points on a drawing of any size."""

from __future__ import annotations

import re

import numpy as np

from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rules import parse_rules
from flawline.jobs.chart.chart_series import chart_series
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.plot import MOST_CIRCLES, plot_chart, plot_panel, time_ticks
from flawline.jobs.chart.series import form_series

ODD = 12


def charted(values, kind="i-mr", how=None, rules="1,2", **more):
    series = form_series(
        {"m": list(values), "stage": more.pop("stages", [])}, "m", kind, how or Forming()
    )
    return chart_series(series, kind, rules=parse_rules(rules), **more)


def steady(count):
    return [10 + (n * 7 % 5) / 10 for n in range(count)]


def test_points_lie_in_their_order_and_the_larger_value_higher():
    values = steady(20)
    values[ODD] = 14.0
    individuals, ranges = plot_chart(charted(values))
    assert [one.point for one in individuals.points] == list(range(20))
    assert [one.x for one in individuals.points] == [2.5 + 5 * n for n in range(20)]
    heights = [one.y for one in individuals.points]
    assert np.argsort(heights, kind="stable")[0] == ODD
    assert (individuals.points[ODD].rules, individuals.points[ODD].text) == ((1,), "1")
    assert individuals.points[ODD].value == "14"
    assert [one.point for one in ranges.points] == list(range(1, 20))
    assert [text.split()[0] for _, text in individuals.ends] == ["LCL", "CL", "UCL"]
    centre, upper = individuals.ends[1][0], individuals.ends[2][0]
    assert 0 < upper < centre < 100


def test_a_limit_far_away_is_named_at_the_edge():
    limits = ControlLimits("i-mr", 10.2, 50.0)
    plot = plot_panel(charted(steady(20), limits=limits), 0)
    assert plot.ends[2] == (0.0, "↑ UCL 160")
    assert plot.ends[0][0] == 100.0
    assert max(one.y for one in plot.points) > 60


def test_the_line_is_broken_between_stages_and_where_points_are_missing():
    whole = plot_panel(charted(steady(20)), 0)
    assert whole.values.count("M") == 1
    staged = charted(steady(20), how=Forming(stage="stage"), stages=["a"] * 10 + ["b"] * 10)
    plot = plot_panel(staged, 0)
    assert plot.values.count("M") == 2
    assert plot.centre.count("M") == 2
    assert re.match(r"M0\.0 [\d.]+H50\.0", plot.centre)


def test_of_many_points_the_marked_ones_alone_are_drawn_one_by_one():
    values = steady(MOST_CIRCLES + 100)
    values[ODD] = 14.0
    plot = plot_panel(charted(values, rules="1"), 0)
    assert [one.point for one in plot.points] == [ODD]
    assert plot.values.count("L") < 3 * MOST_CIRCLES


def test_numbers_of_rules_do_not_touch():
    values = steady(100)
    values[50] = values[51] = 14.0
    texts = [one.point for one in plot_panel(charted(values, rules="1"), 0).points if one.text]
    assert texts == [50]


def test_times_name_the_day_where_there_are_several():
    day = [f"2026-03-01T{hour:02}:00:00Z" for hour in range(9)]
    assert [text for _, text in time_ticks(day)] == ["00:00", "02:00", "04:00", "06:00", "08:00"]
    assert time_ticks([*day, "2026-03-02T00:00:00Z"])[0][1] == "03-01 00:00"
    assert time_ticks([]) == ()
    assert [x for x, _ in time_ticks(day[:1])] == [50.0]
