"""Gauge R&R beside published tables, beside statsmodels, and by properties that hold for any readings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.msa.gauge_anova import interaction_test
from flawline.core.msa.gauge_data import gauge_data
from flawline.core.msa.gauge_rr import GAUGE, TOTAL, gauge_rr
from flawline.core.msa.gauge_verdict import gauge_finding, gauge_verdict, groups
from flawline.errors import FlawlineError, UsageError
from helpers.examples import examples
from helpers.msa_tables import AIAG, CROSSED, NESTED, readings


def drawn(seed, parts=8, operators=3, trials=3, sigmas=(1.0, 0.3, 0.2, 0.2)):
    """Readings of a crossed study with sigmas of part, operator, interaction and repeats."""
    random = np.random.default_rng(seed)
    part = random.normal(0, sigmas[0], parts)[:, None, None]
    operator = random.normal(0, sigmas[1], operators)[None, :, None]
    both = random.normal(0, sigmas[2], (parts, operators, 1))
    values = part + operator + both + random.normal(0, sigmas[3], (parts, operators, trials))
    at = np.indices(values.shape).reshape(3, -1)
    return values.ravel(), [f"p{n}" for n in at[0]], [f"o{n}" for n in at[1]]


def figures(found, name):
    return {key: getattr(one, name).value for key, one in found.components.items()}


def test_aiag_by_analysis_of_variance():
    # AIAG, Measurement Systems Analysis, 4th ed., tables III-B 7 and 8.
    found = gauge_rr(gauge_data(*readings(AIAG)))
    rows = {row.source: row for row in found.rows}
    for name, squares in {
        "part": 88.3619,
        "operator": 3.1673,
        "interaction": 0.3590,
        "repeatability": 2.7589,
    }.items():
        assert rows[name].squares == pytest.approx(squares, abs=5.1e-5)
    assert sum(row.squares for row in found.rows) == pytest.approx(94.6471, abs=5.1e-5)
    assert rows["interaction"].f == pytest.approx(0.434, abs=5e-4)
    assert found.interaction_p == pytest.approx(0.974, abs=5e-4)
    assert found.pooled
    sigma = figures(found, "sigma")
    assert sigma["repeatability"] == pytest.approx(0.199933, abs=5.1e-7)
    assert sigma["reproducibility"] == pytest.approx(0.226838, abs=5.1e-7)
    assert sigma["gauge"] == pytest.approx(0.302373, abs=2e-6)
    assert sigma["part"] == pytest.approx(1.042327, abs=1e-6)
    assert sigma["total"] == pytest.approx(1.0853, abs=5e-5)
    share = figures(found, "contribution")
    assert [round(share[n], 1) for n in ("repeatability", "operator", "gauge", "part")] == [
        3.4,
        4.4,
        7.8,
        92.2,
    ]
    assert figures(found, "study")["gauge"] == pytest.approx(27.86, abs=0.005)
    assert found.ndc.value == pytest.approx(4.861, abs=0.001)
    assert groups(found) == 4


def test_aiag_by_ranges():
    # AIAG, 4th ed., form of figure III-B 15, with K1, K2 and K3 not rounded.
    found = gauge_rr(gauge_data(*readings(AIAG)), method="range")
    sigma = figures(found, "sigma")
    assert sigma["repeatability"] == pytest.approx(0.20186, abs=1e-5)
    assert sigma["reproducibility"] == pytest.approx(0.22967, abs=2e-5)
    assert sigma["gauge"] == pytest.approx(0.30577, abs=2e-5)
    # K3 is 0.3146, that of 10 parts is 0.31456.
    assert sigma["part"] == pytest.approx(1.10460, abs=2e-4)
    assert sigma["total"] == pytest.approx(1.14613, abs=2e-4)
    assert found.components["gauge"].sigma.interval is None


def test_crossed_beside_jasp():
    # jaspQualityControl, test-msaGaugeRR.R, crossed.
    found = gauge_rr(gauge_data(*readings(CROSSED)), tolerance=10)
    rows = {row.source: row for row in found.rows}
    assert [rows[n].squares for n in ("part", "operator", "interaction", "repeatability")] == (
        pytest.approx([880.5556, 1.672222, 2.827778, 7.666667], abs=6e-5)
    )
    assert rows["part"].f == pytest.approx(622.79, abs=0.005)
    assert rows["operator"].f == pytest.approx(5.3222, abs=5e-5)
    assert rows["interaction"].f == pytest.approx(1.22947, abs=5e-6)
    assert found.interaction_p == pytest.approx(0.2684, abs=5e-5)
    variance = {name: one.variance for name, one in found.components.items()}
    assert variance["repeatability"] == pytest.approx(0.134544, abs=5e-7)
    assert variance["operator"] == pytest.approx(0.0233856, abs=5e-8)
    assert variance["part"] == pytest.approx(10.856107, abs=5e-7)
    assert variance["gauge"] == pytest.approx(0.157930, abs=5e-7)
    gauge = found.components["gauge"]
    assert gauge.contribution.value == pytest.approx(1.43, abs=0.005)
    assert gauge.study.value == pytest.approx(11.97, abs=0.005)
    assert gauge.tolerance.value == pytest.approx(23.84, abs=0.005)


def test_nested_beside_jasp():
    # jaspQualityControl, test-msaGaugeRRnonrep.R, nested.
    found = gauge_rr(gauge_data(*readings(NESTED), nested=True), tolerance=15)
    rows = {row.source: row for row in found.rows}
    assert rows["operator"].squares == pytest.approx(4.362667, abs=5e-7)
    assert rows["operator"].f == pytest.approx(0.69606, abs=5e-6)
    assert rows["operator"].p == pytest.approx(0.5176, abs=5e-5)
    assert rows["part"].squares == pytest.approx(37.606, abs=5e-7)
    assert rows["part"].f == pytest.approx(38.8492, abs=5e-5)
    assert rows["repeatability"].squares == pytest.approx(1.21, abs=5e-7)
    assert found.components["repeatability"].variance == pytest.approx(0.0806667, abs=5e-8)
    assert found.components["operator"].variance == 0
    assert found.components["part"].variance == pytest.approx(1.526583, abs=5e-7)
    assert found.components["gauge"].study.value == pytest.approx(22.403, abs=5e-4)
    assert found.components["gauge"].tolerance.value == pytest.approx(11.361, abs=5e-4)


def unbalanced(seed):
    """Readings of which a third are missing, and the same as a table of pandas."""
    pd = pytest.importorskip("pandas")
    values, part, operator = drawn(seed, parts=6, sigmas=(9.0, 4.0, 3.0, 2.0))
    frame = pd.DataFrame({"y": values, "part": part, "operator": operator, "all": 1})
    return frame[np.random.default_rng(seed).random(len(values)) > 0.3]


def test_reml_of_unbalanced_crossed_readings_beside_statsmodels():
    mixed = pytest.importorskip("statsmodels.regression.mixed_linear_model").MixedLM
    frame = unbalanced(1)
    found = gauge_rr(gauge_data(frame.y.to_numpy(), list(frame.part), list(frame.operator)))
    assert (found.method, found.pooled) == ("reml", False)
    terms = {
        "part": "0 + C(part)",
        "operator": "0 + C(operator)",
        "interaction": "0 + C(part):C(operator)",
    }
    model = mixed.from_formula("y ~ 1", groups="all", re_formula="0", vc_formula=terms, data=frame)
    fit = model.fit(reml=True)
    assert found.components["repeatability"].variance == pytest.approx(fit.scale, rel=1e-3)
    for name, variance in zip(model.exog_vc.names, fit.vcomp, strict=True):
        assert found.components[name].variance == pytest.approx(variance, rel=0.01)


def test_reml_of_unbalanced_nested_readings_beside_statsmodels():
    mixed = pytest.importorskip("statsmodels.regression.mixed_linear_model").MixedLM
    frame = unbalanced(7)
    data = gauge_data(frame.y.to_numpy(), list(frame.part), list(frame.operator), nested=True)
    found = gauge_rr(data)
    model = mixed.from_formula(
        "y ~ 1", groups="operator", re_formula="1", vc_formula={"part": "0 + C(part)"}, data=frame
    )
    fit = model.fit(reml=True)
    assert found.components["repeatability"].variance == pytest.approx(fit.scale, rel=1e-3)
    assert found.components["part"].variance == pytest.approx(fit.vcomp[0], rel=0.01)
    between = float(np.asarray(fit.cov_re)[0, 0])
    assert found.components["operator"].variance == pytest.approx(between, rel=0.02)


def test_the_interaction_of_unbalanced_readings_beside_statsmodels():
    pd = pytest.importorskip("pandas")
    ols = pytest.importorskip("statsmodels.formula.api").ols
    anova_lm = pytest.importorskip("statsmodels.stats.anova").anova_lm
    values, part, operator = drawn(5)
    kept = np.random.default_rng(5).random(len(values)) > 0.2
    frame = pd.DataFrame({"y": values, "part": part, "operator": operator})[kept]
    small = ols("y ~ C(part) + C(operator)", frame).fit()
    large = ols("y ~ C(part) * C(operator)", frame).fit()
    data = gauge_data(frame.y.to_numpy(), list(frame.part), list(frame.operator))
    assert interaction_test(data) == pytest.approx(anova_lm(small, large)["Pr(>F)"][1])


@given(st.integers(0, 10**6))
@examples(15)
def test_reml_is_the_analysis_of_variance_where_nothing_is_negative(seed):
    data = gauge_data(*drawn(seed, sigmas=(2.0, 1.0, 0.8, 0.2)))
    usual, other = gauge_rr(data), gauge_rr(data, method="reml")
    if min(one.variance for one in usual.components.values()) == 0:
        return
    for name, one in usual.components.items():
        assert other.components[name].variance == pytest.approx(one.variance, rel=1e-6)


@given(st.integers(0, 10**6), st.floats(0.01, 100), st.floats(-1e3, 1e3))
@examples(15)
def test_percentages_do_not_depend_on_unit_and_zero(seed, factor, shift):
    values, part, operator = drawn(seed)
    one = gauge_rr(gauge_data(values, part, operator))
    other = gauge_rr(gauge_data(factor * values + shift, part, operator))
    for name in one.components:
        expected = one.components[name].study.value
        assert other.components[name].study.value == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_an_exact_interval_of_repeats():
    values, part, operator = drawn(3, sigmas=(1.0, 0.5, 0.8, 0.2))
    found = gauge_rr(gauge_data(values, part, operator))
    assert not found.pooled
    from scipy.stats import chi2

    row = next(row for row in found.rows if row.source == "repeatability")
    low, high = np.sqrt(row.squares / chi2.ppf([0.975, 0.025], row.degrees))
    assert found.components["repeatability"].sigma.interval == pytest.approx((low, high), rel=0.01)


def test_intervals_hold_the_true_share_about_as_often_as_they_say():
    sigmas = (1.0, 0.3, 0.2, 0.2)
    true = 100 * np.sqrt((0.09 + 0.04 + 0.04) / 1.17)
    intervals = [
        gauge_rr(gauge_data(*drawn(seed, sigmas=sigmas))).components[GAUGE].study.interval
        for seed in range(60)
    ]
    held = sum(low <= true <= high for low, high in intervals)
    assert 51 <= held <= 60


def test_a_missing_cell_and_uneven_repeats_take_reml():
    values, part, operator = drawn(4)
    found = gauge_rr(gauge_data(values[1:], part[1:], operator[1:]))
    assert (found.method, found.rows) == ("reml", ())
    with pytest.raises(UsageError, match="as many readings"):
        gauge_rr(gauge_data(values[1:], part[1:], operator[1:]), method="anova")
    with pytest.raises(FlawlineError, match="method of ranges"):
        gauge_rr(gauge_data(values[1:], part[1:], operator[1:]), method="range")


def test_one_operator_and_one_part():
    values, part, operator = drawn(6)
    alone = gauge_rr(gauge_data(values, part))
    assert "operator" not in alone.components
    assert "Only repeats were studied" in gauge_finding(alone)
    one = gauge_rr(gauge_data(values, ["p"] * len(values), operator), tolerance=5)
    assert one.ndc is None
    assert one.components[GAUGE].study is None
    assert one.components[TOTAL].variance == pytest.approx(one.components[GAUGE].variance)


def test_no_repeats_leave_the_interaction_in_them():
    found = gauge_rr(gauge_data(*drawn(7, trials=1)))
    assert [row.source for row in found.rows] == ["part", "operator", "repeatability"]
    assert "interaction" not in found.components


def test_repeats_that_never_differ_say_nothing():
    values = np.repeat([1.0, 2.0, 3.0, 4.0], 3)
    found = gauge_rr(gauge_data(values, np.repeat(list("abcd"), 3).tolist()))
    assert found.ndc is None
    assert "Every repeat reads exactly the same" in gauge_finding(found)
    assert gauge_verdict(found, 4, 1, 12).usable == "unknown"


@pytest.mark.parametrize(
    ("values", "part", "operator", "message"),
    [
        ([1, 2, 3], list("aab"), None, "at least 4 readings"),
        ([5.0] * 6, list("aabbcc"), None, "all 6 readings are 5"),
        ([1, 2, 3, 4], list("aaaa"), None, "nothing to compare"),
        ([1, 2, 3, 4], list("abcd"), None, "no part was read twice"),
    ],
)
def test_readings_from_which_nothing_follows(values, part, operator, message):
    with pytest.raises(FlawlineError, match=message):
        gauge_data(values, part, operator)


@pytest.mark.parametrize(
    "settings", [{"tolerance": 0}, {"tolerance": float("nan")}, {"method": "guess"}]
)
def test_settings_that_make_no_sense(settings):
    with pytest.raises(UsageError):
        gauge_rr(gauge_data(*drawn(8)), **settings)
