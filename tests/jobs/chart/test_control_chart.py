"""Control charts are drawn whole, in words that are seen, and quickly."""

import json
import re
from itertools import pairwise

import numpy as np
import pytest

from flawline.core.spc.limits import KINDS, ControlLimits
from flawline.core.spc.pareto import pareto
from flawline.core.spc.rules import NELSON, parse_rules
from flawline.jobs.chart.chart_figure import (
    control_chart_png,
    control_chart_svg,
    on_page,
    pareto_svg,
)
from flawline.jobs.chart.chart_lines import thin
from flawline.jobs.chart.chart_report import write_chart
from flawline.jobs.chart.chart_series import Estimation, chart_series
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.series import form_series


def drawn(svg):
    return [text.strip() for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def chart_of(values, kind="i-mr", how=None, **more):
    columns = {"d": list(values), "n": [50] * len(values)}
    columns["s"] = ["before"] * (len(values) // 2) + ["after"] * (len(values) - len(values) // 2)
    return chart_series(form_series(columns, "d", kind, how or Forming(unit="mm")), kind, **more)


def series_for(kind, count=60):
    random = np.random.default_rng(1)
    if kind in ("p", "np", "c", "u", "g", "laney-p", "laney-u"):
        return random.binomial(50, 0.2, count).tolist()
    return random.normal(10, 1, count).tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_every_chart_names_its_limits_and_points(kind):
    grouped = kind.startswith(("xbar", "median", "i-mr-"))
    how = Forming(every=4, unit="mm") if grouped else Forming(size="n")
    how = Forming(product="s") if kind == "z-mr" else how
    chart = chart_of(series_for(kind), kind, how, rules=NELSON)
    svg = control_chart_svg(chart, zones=True)
    told = drawn(svg)
    assert "nan" not in svg.lower().replace("nanum", "")
    wanted = {"run": "median", "cusum": "limit"}.get(kind, "UCL")
    # A limit beyond the drawing has an arrow before its name.
    assert any(text.removeprefix("↑ ").startswith(wanted) for text in told)
    assert chart.series.what in told
    assert svg.startswith("<svg")
    assert "currentColor" in svg
    assert svg == control_chart_svg(chart, zones=True)


def test_signals_carry_their_rule_and_set_aside_points_a_cross():
    x = np.random.default_rng(2).normal(10, 1, 60)
    x[20], x[40:] = 20, x[40:] + 2
    chart = chart_of(
        x, rules=parse_rules("1,2"), limits=ControlLimits("i-mr", 10, 1.0), how=Forming(unit="mm")
    )
    told = drawn(control_chart_svg(chart))
    assert {"1", "2"} <= {part for text in told for part in text.split(",")}
    assert "d, mm" in told
    aside = chart_of(x[:40], estimation=Estimation(set_aside=("21",)))
    assert control_chart_svg(aside) != control_chart_svg(chart_of(x[:40]))


def test_stages_are_named():
    chart = chart_of(series_for("i-mr"), how=Forming(stage="s"))
    told = drawn(control_chart_svg(chart))
    assert "before" in told
    assert "after" in told


def test_labels_are_drawn_as_they_are():
    columns = {"d": [1.0, 2.0, 1.5, 2.5] * 8, "part": ["a$_{$", "良品", "$x^2$", r"50\$"] * 8}
    series = form_series(columns, "d", "i-mr", Forming(label="part", unit="$m^2$"))
    svg = control_chart_svg(chart_series(series, "i-mr"))
    assert {"a$_{$", "良品", "$x^2$", r"50\$"} <= set(drawn(svg))
    assert "d, $m^2$" in drawn(svg)


def test_thinning_keeps_the_outline_and_every_signal():
    random = np.random.default_rng(3)
    x = random.normal(size=10_000).cumsum()
    keep = np.zeros(10_000, dtype=bool)
    keep[[17, 5_003, 9_998]] = True
    shown = thin(x, keep, 300)
    assert len(shown) <= 2 * 300 + 3 + 2
    assert set(np.flatnonzero(keep)) <= set(shown)
    assert {0, 9_999} <= set(shown)
    edges = np.linspace(0, 10_000, 301).astype(int)
    for first, last in pairwise(edges):
        inside = shown[(shown >= first) & (shown < last)]
        assert x[inside].max() == x[first:last].max()
        assert x[inside].min() == x[first:last].min()
    assert thin(x[:500], keep[:500], 300).tolist() == list(range(500))
    assert len(thin(np.ones(10_000), np.zeros(10_000, dtype=bool), 300)) <= 302


def test_ten_thousand_points_make_a_small_picture():
    x = np.random.default_rng(4).normal(10, 1, 10_000)
    x[7_000] = 18
    svg = control_chart_svg(chart_of(x, limits=ControlLimits("i-mr", 10, 1)))
    assert len(svg) < 200_000
    assert "1" in drawn(svg)


def test_pictures_take_the_colours_of_the_page():
    svg = control_chart_svg(chart_of(series_for("i-mr")))
    assert "#0072b2" in svg
    assert "#0072b2" not in on_page(svg)
    assert "var(--good)" in on_page(svg)


def test_png_is_the_same_each_time():
    chart = chart_of(series_for("i-mr"))
    picture = control_chart_png(chart)
    assert picture.startswith(b"\x89PNG")
    assert picture == control_chart_png(chart)


def test_pareto():
    svg = pareto_svg(pareto({"stain": 5, "a very long name of a defect": 2}), axis="defects")
    assert {"stain", "defects", "cumulative share, %"} <= set(drawn(svg))


def test_the_report_opens_without_a_network_and_escapes(tmp_path):
    columns = {"d": [1.0, 2.0, 1.5, 2.5] * 8, "part": ["<b>x</b>"] * 32}
    series = form_series(columns, "d", "i-mr", Forming(label="part", unit="<i>"))
    chart = chart_series(series, "i-mr", limits=ControlLimits("i-mr", 0, 0.1))
    written = write_chart(chart, tmp_path)
    assert json.loads((tmp_path / "chart.json").read_text(encoding="utf-8")) == written.document
    page = written.page.read_text(encoding="utf-8")
    assert "<b>x" not in page
    assert not re.search(r"(src|href)=\W?https?:", page)
    assert "judged by limits that were given" in page
    for name in ("chart.svg", "chart.png", "chart.json"):
        assert (tmp_path / name).stat().st_size > 100


def test_a_limit_far_from_the_points_does_not_flatten_them():
    x = np.random.default_rng(3).normal(10, 1, 60)
    near = control_chart_svg(chart_of(x, limits=ControlLimits("i-mr", 10, 2.0)))
    far = control_chart_svg(chart_of(x, limits=ControlLimits("i-mr", 10, 500.0)))
    assert "UCL 16" in drawn(near)
    assert "↑ UCL 1.51e+03" in drawn(far)
    assert "↓ LCL -1.49e+03" in drawn(far)
    ticks = [
        float(text.replace("−", "-")) for text in drawn(far) if re.fullmatch(r"−?[\d.]+", text)
    ]
    assert max(ticks[:12]) < 100
