"""Agreement beside published figures, scikit-learn, statsmodels and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from flawline.core.msa.agreement import Ratings, study_agreement
from flawline.core.msa.agreement_verdict import agreement_finding, agreement_verdict, rater_class
from flawline.core.msa.kappa import cohen, concordance, correlation, fleiss, with_interval
from flawline.errors import FlawlineError
from helpers.examples import examples
from helpers.msa_tables import ATTRIBUTE, CROSS_TABLES, answers


def jasp():
    rows = answers(ATTRIBUTE)
    parts = tuple(dict.fromkeys(row[0] for row in rows))
    raters = tuple(dict.fromkeys(row[1] for row in rows))
    categories = ("N", "Y")
    given_ = tuple(
        tuple(
            tuple(categories.index(a) for p, w, a, _ in rows if (p, w) == (part, who))
            for part in parts
        )
        for who in raters
    )
    right = {part: categories.index(one) for part, _, _, one in rows}
    standard = np.array([right[part] for part in parts])
    return Ratings(parts, raters, categories, given_, standard, np.array([True, False]), False)


def test_jasp_attribute_study():
    # jaspQualityControl, test-msaAttribute.R.
    found = study_agreement(jasp())
    named = {one.name: one for one in found.raters}

    def counted(share):
        low, high = share.interval
        return share.count, share.of, round(100 * low, 3), round(100 * high, 3)

    assert counted(named["BL"].within) == (14, 15, 68.052, 99.831)
    assert counted(named["EG"].within)[:2] == (14, 15)
    assert counted(named["MH"].within) == (12, 15, 51.911, 95.669)
    right = {name: one.right.count for name, one in named.items()}
    assert right == {"BL": 11, "EG": 12, "MH": 9}
    assert counted(named["MH"].right) == (9, 15, 32.287, 83.664)
    assert counted(found.together)[:2] == (9, 15)
    assert counted(found.right) == (7, 15, 21.267, 73.414)
    for name, value in {"BL": 0.492308, "EG": 0.612903, "MH": 0.264151}.items():
        assert named[name].right_cohen.value == pytest.approx(value, abs=5e-7)
    assert found.right_cohen.value == pytest.approx(0.466667, abs=5e-7)
    for name, value in {"BL": 0.486089, "EG": 0.612919, "MH": 0.220152}.items():
        assert named[name].right_kappa.value == pytest.approx(value, abs=5e-7)
    assert found.right_kappa.value == pytest.approx(0.439720, abs=5e-7)
    for name, value in {"BL": 0.91, "EG": 0.905462, "MH": 0.543919}.items():
        assert named[name].within_kappa.value == pytest.approx(value, abs=5e-7)
    assert found.together_kappa.value == pytest.approx(0.641667, abs=5e-7)
    assert [rater_class(one) for one in found.raters] == ["no", "no", "no"]
    told = agreement_finding(found, 0.95)
    assert told.startswith(
        "All 3 raters are right, each time, on 7 of 15 parts (47 %, 95 % interval"
    )
    assert agreement_verdict(found, 15).usable == "no"


@pytest.mark.parametrize("row", [line.split() for line in CROSS_TABLES.split("\n") if line])
def test_cross_tables_of_aiag(row):
    # AIAG, 4th ed., tables III-C 2 and 3; the tables are given, the single answers are not.
    *_, both_0, first_0, first_1, both_1, kappa = row
    table = np.array([[both_0, first_0], [first_1, both_1]], float)
    assert round(cohen(table), 2) == float(kappa)


def test_misses_and_false_alarms_of_aiag():
    # The same tables against the reference: 48 answers on bad parts (0), 102 on good ones.
    rows = {line.split()[0]: line.split() for line in CROSS_TABLES.split("\n") if " right " in line}
    printed = {"A": (6.3, 4.9), "B": (6.3, 2.0), "C": (12.5, 8.8)}
    for name, (missed, alarmed) in printed.items():
        both_0, first_0, first_1, both_1 = map(int, rows[name][2:6])
        given_ = [0] * both_0 + [0] * first_0 + [1] * first_1 + [1] * both_1
        right = np.array([0] * both_0 + [1] * first_0 + [0] * first_1 + [1] * both_1)
        ratings = Ratings(
            tuple(map(str, range(150))),
            (name,),
            ("0", "1"),
            (tuple((one,) for one in given_),),
            right,
            np.array([True, False]),
            False,
        )
        one = study_agreement(ratings).raters[0]
        assert 100 * one.missed.value == pytest.approx(missed, abs=0.051)
        assert 100 * one.alarmed.value == pytest.approx(alarmed, abs=0.051)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=5, max_size=60))
@examples(40)
def test_cohen_beside_scikit_learn(pairs):
    one, other = np.array(pairs).T
    table = np.zeros((4, 4))
    np.add.at(table, (one, other), 1)
    ours = cohen(table)
    if ours is None:
        assert len({*one, *other}) == 1
        return
    assert ours == pytest.approx(cohen_kappa_score(one, other), abs=1e-12)


@given(st.integers(0, 10**6))
@examples(30)
def test_fleiss_beside_statsmodels(seed):
    theirs = pytest.importorskip("statsmodels.stats.inter_rater").fleiss_kappa
    random = np.random.default_rng(seed)
    counts = random.multinomial(4, [0.5, 0.3, 0.2], size=12).astype(float)
    assert fleiss(counts) == pytest.approx(theirs(counts))


def test_an_interval_is_about_that_of_statsmodels():
    theirs = pytest.importorskip("statsmodels.stats.inter_rater").cohens_kappa
    random = np.random.default_rng(3)
    one = random.integers(0, 2, 400)
    other = np.where(random.random(400) < 0.85, one, 1 - one)
    tables = np.zeros((400, 2, 2))
    tables[np.arange(400), one, other] = 1
    ours = with_interval(cohen, tables)
    expected = theirs(tables.sum(axis=0))
    assert ours.interval == pytest.approx((expected.kappa_low, expected.kappa_upp), abs=0.015)


@given(st.integers(0, 10**6), st.integers(2, 5))
@examples(30)
def test_w_is_friedmans_statistic(seed, many):
    grades = np.random.default_rng(seed).random((many, 8))
    expected = stats.friedmanchisquare(*grades.T).statistic / (many * 7)
    if many > 2:
        assert concordance(grades) == pytest.approx(expected)
    mean = np.mean(
        [
            stats.spearmanr(grades[i], grades[j]).statistic
            for i in range(many)
            for j in range(i + 1, many)
        ]
    )
    assert concordance(grades) == pytest.approx((mean * (many - 1) + 1) / many)


def test_grades():
    standard = np.array([1.0, 2, 3, 4, 5])
    assert correlation([standard], standard) == pytest.approx(1)
    assert concordance(np.array([standard, standard, standard])) == pytest.approx(1)
    assert correlation([np.ones(5)], standard) is None
    tied = np.array([[1, 1, 2, 3], [1, 2, 2, 3], [1, 1, 2, 2]])
    assert concordance(tied) == pytest.approx(stats.friedmanchisquare(*tied.T).statistic / 9)


def test_perfect_agreement_has_no_interval():
    given_ = tuple(((n % 2,), (n % 2,))[0] for n in range(20))
    ratings = Ratings(
        tuple(map(str, range(20))), ("a", "b"), ("x", "y"), (given_, given_), None, None, False
    )
    found = study_agreement(ratings)
    assert found.together_kappa.value == 1
    assert found.together_kappa.interval is None
    assert agreement_verdict(found, 20).usable == "yes"
    assert "good agreement beyond chance" in agreement_finding(found, 0.95)


@pytest.mark.parametrize(
    ("parts", "raters", "categories", "message"),
    [
        (3, 1, 2, "one rater without repeats"),
        (1, 2, 2, "one part says nothing"),
        (3, 2, 1, "every rating is 'c0'"),
    ],
)
def test_nothing_to_compare(parts, raters, categories, message):
    ratings = Ratings(
        tuple(f"p{n}" for n in range(parts)),
        tuple(f"r{n}" for n in range(raters)),
        tuple(f"c{n}" for n in range(categories)),
        (((0,),) * parts,) * raters,
        None,
        None,
        False,
    )
    with pytest.raises(FlawlineError, match=message):
        study_agreement(ratings)
