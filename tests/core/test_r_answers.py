"""Figures of studies beside those of R, where it is installed: lme4, psych and what R brings itself."""

import numpy as np
import pytest

from flawline.core.causes.factors import factor_effect
from flawline.core.causes.rates import benjamini_hochberg
from flawline.core.msa.gauge_data import gauge_data
from flawline.core.msa.gauge_reml import reml
from flawline.core.msa.kappa import cohen, concordance, concordance_p, correlation
from flawline.core.msa.nested import nested_groups, nested_variation
from helpers.r_answers import r_answers


def readings():
    """Eight parts, three operators, one to three repeats, with variances of each."""
    rng = np.random.default_rng(2)
    part, operator = np.repeat(np.arange(8), 9), np.tile(np.repeat(np.arange(3), 3), 8)
    kept = rng.random(72) < 0.8
    both = rng.normal(0, 0.8, (8, 3))[part, operator]
    values = rng.normal(0, 2, 8)[part] + rng.normal(0, 1, 3)[operator] + both
    values = values + rng.normal(0, 0.5, 72)
    names = [f"p{k}" for k in part[kept]], [f"o{k}" for k in operator[kept]]
    return values[kept].round(3), *names


def test_variances_of_a_crossed_gauge_study_are_those_of_lme4():
    values, part, operator = readings()
    code = """
        fit <- lmer(values ~ 1 + (1 | part) + (1 | operator) + (1 | part:operator), REML = TRUE,
                    control = lmerControl(optCtrl = list(xtol_abs = 1e-10, ftol_abs = 1e-10)))
        v <- as.data.frame(VarCorr(fit)); rownames(v) <- v$grp
        v[c("part", "operator", "part:operator", "Residual"), "vcov"]
    """
    theirs = r_answers(code, "lme4", values=values, part=part, operator=operator)
    ours = reml(gauge_data(values, part, operator), interaction=True).variances
    assert len(ours) == len(theirs) == 4
    assert sorted(ours.values()) == pytest.approx(sorted(theirs), rel=2e-3)


def test_nested_variances_are_those_of_lme4_where_groups_are_alike():
    rng = np.random.default_rng(5)
    lot, wafer = np.repeat(np.arange(10), 12), np.repeat(np.arange(30), 4)
    values = rng.normal(0, 2, 10)[lot] + rng.normal(0, 1.5, 30)[wafer] + rng.normal(0, 0.7, 120)
    values = values.round(3)
    names = [f"l{k}" for k in lot], [f"w{k}" for k in wafer]
    code = """
        fit <- lmer(values ~ 1 + (1 | lot) + (1 | lot:wafer), REML = TRUE)
        v <- as.data.frame(VarCorr(fit)); rownames(v) <- v$grp
        v[c("lot", "lot:wafer", "Residual"), "vcov"]
    """
    theirs = r_answers(code, "lme4", values=values, lot=names[0], wafer=names[1])
    ours = nested_variation(values, nested_groups(names)).variances
    assert ours == pytest.approx(theirs, rel=2e-3)


def test_cohens_kappa_is_that_of_psych():
    table = np.array([[22, 3, 1], [4, 15, 2], [0, 5, 18]])
    code = "cohen.kappa(matrix(table, 3, byrow = TRUE))$kappa"
    assert r_answers(code, "psych", table=table.ravel()) == [pytest.approx(cohen(table), abs=1e-12)]


def test_kendalls_coefficients_are_those_of_friedman_and_cor():
    grades = np.random.default_rng(1).integers(1, 6, (4, 12)).astype(float)
    grades += np.arange(12) // 3
    code = """
        g <- matrix(grades, 4, byrow = TRUE); f <- friedman.test(g)
        c(f$statistic / (4 * 11), f$p.value, cor(g[1, ], g[2, ], method = "kendall"))
    """
    w, p, tau = r_answers(code, grades=grades.ravel())
    ours = concordance(grades)
    assert ours == pytest.approx(w, abs=1e-12)
    assert concordance_p(ours, 4, 12) == pytest.approx(p, rel=1e-9)
    assert correlation([grades[0]], grades[1]) == pytest.approx(tau, abs=1e-12)


def test_sizes_are_compared_as_by_welch_and_p_values_adjusted_as_by_r():
    rng = np.random.default_rng(4)
    level = np.repeat(np.arange(3), (12, 20, 9))
    sizes = np.exp(rng.normal(np.array([1, 1.2, 1.6])[level], np.array([0.3, 0.6, 0.4])[level]))
    adjusted = [0.001, 0.013, 0.02, 0.02, 0.3, 0.9]
    code = 'c(oneway.test(log(sizes) ~ factor(level))$p.value, p.adjust(p, "BH"))'
    found = r_answers(code, sizes=sizes, level=level, p=adjusted)
    assert factor_effect(sizes, level, "sizes").p == pytest.approx(found[0], rel=1e-8)
    assert benjamini_hochberg(adjusted) == pytest.approx(found[1:], abs=1e-12)
