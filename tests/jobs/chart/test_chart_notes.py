"""Notes of a chart: dependent points, times, names that repeat, stages that come back."""

import numpy as np
import pytest

from flawline.core.spc.limits import limits_as_dict
from flawline.errors import UsageError
from flawline.jobs.chart.chart_files import chart_as_dict
from flawline.jobs.chart.chart_series import Estimation, chart_series
from flawline.jobs.chart.finding import finding
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.phases import chart_in_phases
from flawline.jobs.chart.row_order import groups_apart, time_notes
from flawline.jobs.chart.series import form_series
from helpers.autoregression import autoregressive

SINGLE = Forming()
UNTRANSFORMED = Estimation(transform="none")


def notes_of(columns, kind="i-mr", how=SINGLE):
    series = form_series(columns, "x", kind, how)
    return chart_series(series, kind, estimation=UNTRANSFORMED).notes


def test_dependent_points_get_wider_limits_and_residuals():
    values = 10 + autoregressive(0.8, 120, 1)
    (note,) = [text for text in notes_of({"x": values.tolist()}) if "resembles" in text]
    assert f"`centre={values.mean():.6g}` and `sigma={values.std(ddof=1):.4g}`" in note
    assert "chart of the residuals" in note
    calm = np.random.default_rng(0).normal(10, 1, 120)
    assert not [text for text in notes_of({"x": calm.tolist()}) if "resembles" in text]


def test_dependent_means_and_shares_too():
    level = autoregressive(0.9, 40, 4)
    random = np.random.default_rng(0)
    rows = (level[:, None] + random.normal(0, 0.1, (40, 3))).ravel()
    (note,) = [
        text
        for text in notes_of({"x": rows.tolist()}, "xbar-r", Forming(every=3))
        if "resembles" in text
    ]
    assert "i-mr of the means" in note
    counted = random.binomial(200, 1 / (1 + np.exp(2 - level)))
    columns = {"x": counted.tolist(), "n": [200] * 40}
    (note,) = [text for text in notes_of(columns, "p", Forming(size="n")) if "resembles" in text]
    assert "sigma" not in note


def times(*cells, **how):
    return time_notes(
        {"x": [1] * len(cells), "when": list(cells)}, Forming(**{"label": "when", **how})
    )


def test_rows_out_of_order_and_times_twice_get_a_note():
    (note,) = times("2026-03-01 06:00", "2026-03-01 08:00", "2026-03-01 07:00", "2026-03-01 09:00")
    assert note.startswith(
        "1 row with an earlier when than the row before, the first 2026-03-01 07:00"
    )
    (note,) = times("2026-03-01", "2026-03-02", "2026-03-02", "2026-03-03", "2026-03-03")
    assert note.startswith("2 times of when on more than one row, the first 2026-03-02")
    assert len(times("2026-03-02", "2026-03-01", "2026-03-02")) == 2
    # The day comes first: 1 April comes after 20 March.
    assert times("20.03.2026 6:30", "01.04.2026 06:00", "02.04.2026") == []
    assert len(times("01.04.2026", "20.03.2026", "21.03.2026")) == 1
    assert times("13/3/2026", "1/4/2026") == []


@pytest.mark.parametrize(
    "cells",
    [
        ("2026-03-01T06:00:00Z", "2026-03-01T07:00:00Z", ""),
        ("P2", "P1", "P1"),  # names, not times
        ("20260302", "20260301"),  # numbers of parts
        ("2026-03-01", "P1", "2026-02-01"),
        ("4/3/2026", "3/4/2026", "2/5/2026"),  # day or month first is not known
        ("23:59", "00:01", "6:15"),  # the clock goes round
        ("2026-03-01T06:00:00Z", "2026-03-01T05:00:00"),  # which zone is not known
        (None, None),
    ],
)
def test_no_note_where_nothing_is_wrong_or_known(cells):
    assert times(*cells) == []


def test_times_of_subgroups_may_repeat_but_not_go_back():
    assert times("06:15", "06:15", "06:30", "06:30", every=2) == []
    assert len(times("2026-03-01", "2026-03-01", "2026-02-01", "2026-02-01", every=2)) == 1
    by = time_notes(
        {"x": [1, 2, 3], "when": ["2026-03-02", "2026-03-01", "2026-03-01"]}, Forming(by="when")
    )
    assert [note[:5] for note in by] == ["1 row"]
    columns = {"x": [1, 2, 3, 2], "t": ["2026-03-02", "2026-03-01", "2026-03-03", "2026-03-04"]}
    assert any("earlier t" in text for text in notes_of(columns, how=Forming(label="t")))


REPEATED = {"x": [1, 2, 1, 2, 1, 50, 1, 2], "name": list("abcabcad")}


def repeated():
    return form_series(REPEATED, "x", "i-mr", Forming(label="name"))


def test_points_whose_labels_repeat_are_set_aside_by_number():
    with pytest.raises(UsageError, match="2 points are called 'c': #3, #6") as caught:
        chart_series(repeated(), "i-mr", estimation=Estimation(set_aside=("c",), transform="none"))
    assert "`set_aside` '#3'" in caught.value.hint
    chart = chart_series(
        repeated(), "i-mr", estimation=Estimation(set_aside=("#6", "d"), transform="none")
    )
    assert chart.set_aside.tolist() == [False] * 5 + [True, False, True]
    assert chart.stages[0].limits.set_aside == ("#6", "d")
    assert limits_as_dict(chart.stages[0].limits)["set_aside"] == ["#6", "d"]
    assert chart_as_dict(chart)["set_aside"] == ["#6", "d"]
    assert "Name c (#6) is above the upper limit" in finding(chart)
    for wrong in ("#0", "#9", "e", "#"):
        with pytest.raises(UsageError, match="there is no point"):
            chart_series(repeated(), "i-mr", estimation=Estimation(set_aside=(wrong,)))


def test_phases_cross_only_what_was_set_aside():
    estimation = Estimation(set_aside=("#6",), transform="none")
    later = {"x": [*REPEATED["x"], 1, 2, 1], "name": [*REPEATED["name"], "c", "b", "a"]}
    series = form_series(later, "x", "i-mr", Forming(label="name"))
    chart = chart_in_phases(series, "i-mr", 8, estimation=estimation)
    assert np.flatnonzero(chart.set_aside).tolist() == [5]


def test_a_stage_that_comes_back_is_another_stage():
    columns = {"x": [1, 2, 1, 9, 8, 9, 2, 1, 2], "s": ["old"] * 3 + ["new"] * 3 + ["old"] * 3}
    chart = chart_series(form_series(columns, "x", "i-mr", Forming(stage="s")), "i-mr")
    assert len(chart.stages) == 3
    assert [text for text in chart.notes if text.startswith("the stage old occurs 2 times")]


def test_names_that_were_used_again_get_a_note():
    columns = {"x": [1] * 6, "lot": list("aabbaa"), "s": list("111122")}
    (note,) = groups_apart(columns, "x", Forming(by="lot"))
    assert note.startswith("rows of 1 lot have rows of others in between, the first a")
    assert groups_apart(columns, "x", Forming(by="lot", stage="s")) == []
    assert groups_apart(columns, "x", Forming(every=2)) == []
    assert any(
        "in between" in text
        for text in form_series(columns, "x", "xbar-r", Forming(by="lot")).notes
    )
