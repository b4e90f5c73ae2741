from dataclasses import replace

import numpy as np
import pytest

from flawline.core.spc.chart_points import counts, individuals, subgroups
from flawline.core.spc.charts import State, advance, estimate
from flawline.core.spc.limits import COUNTED, KINDS, ControlLimits
from flawline.core.spc.rule_table import RULES
from flawline.core.spc.signal_texts import text_of
from flawline.core.spc.transforms import NONE, Transform


def panels_of(kind):
    if kind in COUNTED:
        points = counts([5, 6, 7], [50, 50, 50])
    elif kind.startswith("xbar"):
        points = subgroups(np.arange(12.0), [4, 4, 4])
    elif kind == "z-mr":
        points = replace(individuals([1.0, 2.0, 3.0, 2.0]), products=("a",) * 4)
        return advance(State(), estimate(kind, points), (), points)[1]
    else:
        points = individuals([1.0, 2.0, 3.0])
    transform = Transform("weibull", (1.5, 40.0)) if kind == "t" else NONE
    return advance(State(), ControlLimits(kind, 0.5, 1.0, transform=transform), (), points)[1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_signal_of_every_chart_has_a_text(kind):
    for panel in panels_of(kind):
        for rule in panel.rules:
            for side in (-1, 0, 1):
                text = text_of(rule, panel.name, side)
                assert text.meaning.endswith(".")
                assert text.action.endswith(".")


@pytest.mark.parametrize(
    "kind", ["ma", "ewma", "cusum", "xbar-r", "xbar-s", "p", "np", "c", "u", "laney-p"]
)
def test_a_point_beyond_a_limit_means_something_else_on_each_chart(kind):
    panel = panels_of(kind)[-1 if kind.startswith("xbar") else 0]
    assert text_of(1, panel.name, 1).meaning != RULES[1].meaning


def test_charts_of_level_keep_the_usual_text():
    assert {text_of(1, name, 1).meaning for name in ("individuals", "mean")} == {RULES[1].meaning}
    above, below = (text_of(1, "EWMA", side).meaning for side in (1, -1))
    assert "moved up" in above
    assert "moved down" in below
    assert text_of(1, "share defective", 1) != text_of(1, "share defective", -1)
    assert "lasting" not in text_of(1, "individuals", 1).meaning
