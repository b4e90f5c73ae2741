"""Charts draw any label and look the same whatever the user's settings."""

import re

import matplotlib
import pytest

from flawline.report.charts import confusion_matrix, recall_curve, stacked_bars

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
