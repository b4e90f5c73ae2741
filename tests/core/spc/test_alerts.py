from hypothesis import given
from hypothesis import strategies as st

from flawline.core.spc.alerts import (
    AlertPolicy,
    acknowledge,
    open_alerts,
    unfinished,
    update_alerts,
)
from flawline.core.spc.rules import Rule, RuleSignal
from helpers.examples import examples

RUN = Rule(2, 9)
LABELS = {at: f"part {at + 1}" for at in range(1000)}


def signal(at, rule=RUN, side=1, panel="individuals"):
    return RuleSignal(panel, rule, at, at - rule.span + 1, side)


def test_one_episode_sends_one_alert_and_escalates_once():
    alerts, sent = update_alerts({}, "area", [signal(at) for at in range(20, 40)], LABELS)
    assert len(alerts) == 1
    first, second = sent
    assert (first.level, second.level) == (1, 2)
    assert first.key == second.key
    assert (
        first.text
        == "area, individuals: 9 points in a row lie above the centre at part 21, since part 13"
    )
    (alert,) = alerts.values()
    assert (alert.first, alert.last, alert.count) == (20, 39, 20)
    assert alert.meaning
    assert alert.action


def test_an_alert_is_escalated_after_so_many_more_points_and_not_before():
    policy = AlertPolicy(escalate=3)
    three = [signal(at) for at in range(20, 23)]
    _, sent = update_alerts({}, "area", three, LABELS, policy=policy)
    assert [alert.level for alert in sent] == [1]
    _, sent = update_alerts({}, "area", [*three, signal(23)], LABELS, policy=policy)
    assert [alert.level for alert in sent] == [1, 2]


def test_a_new_episode_rings_again_and_other_sides_are_other_alerts():
    alerts, sent = update_alerts({}, "area", [signal(20), signal(60)], LABELS)
    assert len(sent) == 2
    assert len({alert.key for alert in sent}) == 2
    _, more = update_alerts(alerts, "area", [signal(61, side=-1), signal(61, Rule(1, 3.0))], LABELS)
    assert len(more) == 2


def test_an_acknowledged_alert_is_silent_until_its_episode_is_over():
    alerts, (alert,) = update_alerts({}, "area", [signal(20)], LABELS)
    alerts = acknowledge(alerts, alert.key, by="kim", at="2026-03-01T08:00:00Z", note="new coil")
    assert open_alerts(alerts) == ()
    alerts, sent = update_alerts(alerts, "area", [signal(at) for at in range(21, 30)], LABELS)
    assert sent == ()
    alerts, sent = update_alerts(alerts, "area", [signal(50)], LABELS)
    assert len(sent) == 1
    assert [a.key for a in alerts.values()] == [sent[0].key]


def test_the_highest_level_waits_first():
    signals = [signal(5, Rule(1, 3.0)), *(signal(at) for at in range(20, 26))]
    alerts, _ = update_alerts({}, "area", signals, LABELS)
    assert [alert.rule for alert in open_alerts(alerts)] == [2, 1]


@given(
    st.lists(st.tuples(st.integers(0, 80), st.sampled_from([1, -1])), max_size=40),
    st.lists(st.integers(1, 9), max_size=10),
)
@examples(100)
def test_in_one_call_or_in_many_is_the_same(found, lengths):
    signals = [signal(at, side=side) for at, side in sorted(set(found))]
    policy = AlertPolicy(quiet=4, escalate=2)
    whole, sent = update_alerts({}, "area", signals, LABELS, policy)
    alerts, parts, start = {}, [], 0
    for length in [*lengths, len(signals)]:
        alerts, new = update_alerts(alerts, "area", signals[start : start + length], LABELS, policy)
        parts += new
        start += length
    assert alerts == whole
    assert tuple(parts) == sent
    again, nothing = update_alerts(whole, "area", signals[-1:], LABELS, policy)
    assert (again, nothing) == (whole, ())


def test_a_key_names_the_point_for_ever_and_needs_no_quotes():
    _, (alert,) = update_alerts({}, "area by lot", [signal(20)], LABELS, point_keys={20: "4711"})
    assert alert.key == "area-by-lot/individuals/rule-2/above/4711"
    _, (other,) = update_alerts({}, "area by lot", [signal(7)], LABELS, point_keys={7: "4711"})
    assert other.key == alert.key, "wherever counting begins"
    _, (numbered,) = update_alerts({}, "a/b 'c'", [signal(20, panel="moving range")], LABELS)
    assert numbered.key == "a-b-c/moving-range/rule-2/above/20"


@given(st.lists(st.integers(0, 120), max_size=40), st.integers(1, 6))
@examples(100)
def test_a_book_without_what_is_over_does_the_same(found, quiet):
    policy = AlertPolicy(quiet=quiet, escalate=2)
    whole, small, sent, same = {}, {}, [], []
    for at in sorted(set(found)):
        whole, new = update_alerts(whole, "area", [signal(at)], LABELS, policy)
        sent += new
        small = unfinished(small, at, policy)
        small, new = update_alerts(small, "area", [signal(at)], LABELS, policy)
        same += new
        assert len(small) <= quiet + 1
    assert same == sent
