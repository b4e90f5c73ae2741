"""Charts draw any label and look the same whatever the user's settings."""

import re

import matplotlib
import numpy as np
import pytest

from flawline.report.charts import confusion_matrix, recall_curve, reliability, stacked_bars

LABELS = ["a$_{$", "良品", "$x^2$", r"50\$", "plain"]


def drawn(svg):
    return [text.strip() for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def test_labels_are_drawn_as_they_are():
    svg = confusion_matrix([[3, 1], [0, 2]], ["a$_{$", "良品"])
    assert drawn(svg).count("a$_{$") == 2
    assert drawn(svg).count("良品") == 2
    counts = [1, 2, 3, 4, 5]
    svg = stacked_bars(LABELS, {"good": counts, "bad": counts}, axis="clusters")
    assert set(LABELS) <= set(drawn(svg))


@pytest.mark.parametrize(
    "setting", [{"font.size": 30}, {"axes.facecolor": "red"}, {"text.usetex": True}]
)
def test_a_users_settings_change_nothing(setting):
    plain = recall_curve([1, 1, 2], 2), confusion_matrix([[3, 1], [0, 2]], ["a", "b"])
    with matplotlib.rc_context(setting):
        styled = recall_curve([1, 1, 2], 2), confusion_matrix([[3, 1], [0, 2]], ["a", "b"])
        assert all(matplotlib.rcParams[name] == value for name, value in setting.items())
    assert plain == styled


def test_charts_are_the_same_bytes_and_take_the_pages_ink():
    for chart in (
        lambda: confusion_matrix([[3, 1], [0, 5]], ["bad <x>", "good"]),
        lambda: reliability({"before": ([0.5, 0.9], [0.4, 1.0]), "after": ([0.6], [0.6])}),
        lambda: stacked_bars(["1", "none"], {"good": [3, 0], "bad": [1, 2]}, axis="cluster"),
    ):
        svg = chart()
        assert svg == chart()
        assert svg.startswith("<svg")
        assert "currentColor" in svg
        assert "<x>" not in svg


def test_an_empty_class_draws_no_warning():
    assert "<svg" in confusion_matrix(np.zeros((3, 3)), ["a", "b", "c"])
