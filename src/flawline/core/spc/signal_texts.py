"""Say what a signal usually means and what to do, by the panel on which the rule signals."""

from __future__ import annotations

from dataclasses import dataclass

from flawline.core.spc.rule_table import RULES


@dataclass(frozen=True, slots=True)
class SignalText:
    """What a signal usually means, and what to do; both for the person at the process."""

    meaning: str
    action: str


_SPREAD_ABOVE = SignalText(
    "The parts of this subgroup differ among themselves more than usual: a loose fixture, mixed material, "
    "or one part that was measured wrongly.",
    "Look at the single values of the subgroup first; its mean says little while they scatter like this.",
)
_SPREAD_BELOW = SignalText(
    "The parts of this subgroup differ among themselves less than usual: sorted parts, copied values, another gauge, "
    "or a process that has become better.",
    "Ask how these values were taken; if the process is better, find the reason and keep it.",
)
_MORE = SignalText(
    "More defects than chance explains in this lot alone: other material, a damaged tool, or another way of counting.",
    "Hold the lot, check that it was counted as usual, and look for what was different.",
)
_FEWER = SignalText(
    "Fewer defects than chance explains: the process was better here, or defects were not seen or not written down.",
    "Check that the inspection was done as usual; if it was, find out what was better and keep it.",
)
_COUNTS = {
    (2, 1): SignalText(
        "Defects have become more frequent and stay so: other material, another setting, operator or inspector.",
        "Ask what was changed at the first point of the run, in the process and in the inspection.",
    ),
    (2, -1): SignalText(
        "Defects have become rarer and stay so, or fewer of them are seen.",
        "Check the inspection; if the process is better, find the reason, and estimate the limits anew.",
    ),
    (3, 1): SignalText(
        "Defects become more frequent little by little: something wears, clogs or gets dirty.",
        "Look at what wears or drifts and mend it before the trend reaches the limit.",
    ),
    (3, -1): SignalText(
        "Defects become rarer little by little, or inspectors see fewer of them.",
        "Check the inspection with parts that are known to be bad.",
    ),
}
_SPREAD = {
    (2, 1): SignalText(
        "The scatter within subgroups has risen and stays: wear, a looser fixture, mixed material, another gauge.",
        "Ask what was changed at the first point of the run; the limits of the means are too narrow from there on.",
    ),
    (2, -1): SignalText(
        "The scatter within subgroups has fallen and stays: a better process, or another way of measuring.",
        "Find the reason and keep it; estimate the limits anew, since those of the means are now too wide.",
    ),
    (3, 1): SignalText(
        "The scatter within subgroups grows little by little: something wears or comes loose.",
        "Look at bearings, fixtures and tools before the scatter reaches the limit.",
    ),
    (3, -1): SignalText(
        "The scatter within subgroups shrinks little by little.",
        "Ask whether parts or values are sorted; if the process gets better, find the reason.",
    ),
}
_OWN = {
    ("moving range", 1, 1): SignalText(
        "Two neighbouring points differ more than usual: one of them is unlike the others, or the level jumped between "
        "them.",
        "See which it is on the chart above: look at the one part, or at what changed between the two.",
    ),
    **{
        (panel, 1, side): text
        for panel in ("range", "standard deviation")
        for side, text in ((1, _SPREAD_ABOVE), (-1, _SPREAD_BELOW))
    },
    **{
        (panel, rule, side): text
        for panel in ("range", "standard deviation")
        for (rule, side), text in _SPREAD.items()
    },
    **{
        (panel, rule, side): text
        for panel in ("share defective", "defective units", "defects", "defects per unit")
        for (rule, side), text in {(1, 1): _MORE, (1, -1): _FEWER, **_COUNTS}.items()
    },
    **{
        (panel, 1, side): SignalText(
            f"The level has moved {way} a little and has stayed there for some points; the last one alone need not be "
            "unusual.",
            "Look for what changed before the first point beyond the limit, not at the last part.",
        )
        for panel in ("EWMA", "moving average")
        for side, way in ((1, "up"), (-1, "down"))
    },
    **{
        ("zone score", 1, side): SignalText(
            f"One point lies very far {way} the centre, or several in a row lie far {way} it: the level has probably "
            "moved.",
            "Look at the points since the last one on the other side of the centre, and what changed at the first of "
            "them.",
        )
        for side, way in ((1, "above"), (-1, "below"))
    },
    **{
        (panel, 1, side): SignalText(
            f"Small deviations {way} the centre have added up: the level has moved and stays there.",
            "Look for what changed at the point where the shift began. Start the chart anew once the cause is removed: "
            "until then the sum keeps what was.",
        )
        for panel, side, way in (("upper sum", 1, "above"), ("lower sum", -1, "below"))
    },
}


def text_of(rule: int, panel: str, side: int) -> SignalText:
    """Return the text for a rule on a panel; side is 1 above, -1 below, 0 neither."""
    usual = SignalText(RULES[rule].meaning, RULES[rule].action)
    return _OWN.get((panel, rule, side), usual)
