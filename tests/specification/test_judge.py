from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.specification.judge import MeasuredPart, judge
from flawline.specification.parse import parse_spec

ZONES = """
[zones]
left = { polygon = [[0, 0], [50, 0], [50, 100], [0, 100]], unit = "px" }
rim = { ring = [50, 50, 40, 50], unit = "px" }
mm = { polygon = [[0, 0], [5, 0], [5, 10], [0, 10]], unit = "mm" }
"""


def part(
    classes: str = "",
    places: list[tuple[float, float]] | None = None,
    scale: float | None = 0.1,
    **columns: Any,
) -> MeasuredPart:
    """A part of 100 x 100 px with a defect per letter: s stain, c scratch."""
    names = {"s": "stain", "c": "scratch"}
    count = len(classes)
    return MeasuredPart(
        "a.png",
        tuple(names[letter] for letter in classes),
        {name: np.array(values, dtype=float) for name, values in columns.items()},
        np.array(places or [(10.0 * k, 10.0) for k in range(count)], dtype=float).reshape(-1, 2),
        (100, 100),
        scale,
    )


def verdict(limit: str, one: MeasuredPart, guard: float = 0) -> str | None:
    return judge(parse_spec(f"guard = {guard}\nlimits = [\n{{ {limit} }}\n]\n{ZONES}"), one).verdict


def test_every_defect_is_held_against_its_limit() -> None:
    spec = parse_spec(
        'limits = [{ limit = "area", class = "stain", max = "9 px2", review = "5 px2" }]'
    )
    found = judge(spec, part("ssc", area=[10, 7, 99]))
    assert found.verdict == "reject"
    assert [(f.outcome, f.value, f.bound, f.margin, f.defects) for f in found.findings] == [
        ("reject", 10, 9, -1, (0,)),
        ("review", 7, 5, -2, (1,)),
        ("review", 1, 0, -1, (2,)),  # no clause covers the scratch
    ]
    assert found.spec == spec.hash
    assert judge(spec, part("s", area=[7])).verdict == "review"
    fine = judge(spec, part("ss", area=[4, 1]))
    assert fine.verdict == "accept"
    assert fine.closest is not None
    assert (fine.closest.value, fine.closest.bound, fine.closest.margin) == (4, 5, 1)


def test_a_part_without_defects_is_accepted() -> None:
    assert verdict('limit = "area", max = "1 px2"', part()) == "accept"
    assert verdict('limit = "count", max = 0', part()) == "accept"


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ('limit = "count", max = 3', "accept"),
        ('limit = "count", max = 2', "reject"),
        ('limit = "count", class = "stain", max = 2', "review"),
        ('limit = "count", where = "area > 5 px2", max = 1', "accept"),
        ('limit = "count", where = "area > 5 px2", max = 0', "reject"),
        ('limit = "count", where = "area >= 4 px2 and area < 9 px2", max = 0', "reject"),
        ('limit = "count", min = 4', "reject"),
        ('limit = "total area", max = "15 px2"', "accept"),
        ('limit = "total area", max = "14.9 px2"', "reject"),
        ('limit = "total area", max = "0.15 %"', "accept"),
        ('limit = "total area", max = "0.14 %"', "reject"),
        ('limit = "count", zone = "left", max = 2', "accept"),
        ('limit = "count", zone = "left", max = 1', "reject"),
        ('limit = "count", zone = "rim", max = 0', "reject"),
        ('limit = "count", zone = "mm", max = 1', "reject"),
        ('limit = "spacing", min = "10 px"', "accept"),
        ('limit = "spacing", min = "10.1 px"', "reject"),
        ('limit = "spacing", class = "stain", min = "9 mm"', "reject"),
        ('limit = "density", max = "3e-4 /px2"', "accept"),
        ('limit = "density", max = "2.9 /cm2"', "reject"),
        ('limit = "density", zone = "left", max = "4 /cm2"', "accept"),
        ('limit = "density", zone = "left", max = "3.9 /cm2"', "reject"),
        ('limit = "score", weights = { "stain.area" = 1, "scratch.count" = 3 }, unit = "px", max = 17', "accept"),
        ('limit = "score", weights = { "stain.area" = 1, "scratch.count" = 3 }, unit = "px", max = 16.9', "reject"),
    ],
)  # fmt: skip
def test_counts_totals_zones_spacing_density_and_scores(limit: str, expected: str) -> None:
    one = part("ssc", [(20, 50), (90, 50), (20, 60)], area=[10, 4, 1])
    assert verdict(limit, one) == expected


def test_a_defect_is_in_a_zone_where_its_contour_reaches_it() -> None:
    one = part("s", [(60, 50)], area=[10])
    limit = 'limit = "area", zone = "left", max = "1 px2"'
    assert verdict(limit, one) == "accept"
    reaching = MeasuredPart(
        one.image, one.classes, one.columns, one.places, one.size, None,
        [np.array([[70.0, 50], [49, 50], [60, 60]])],
    )  # fmt: skip
    assert verdict(limit, reaching) == "reject"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.79, "accept"), (0.81, "review"), (1.0, "review"), (1.19, "review"), (1.21, "reject")],
)
def test_guard_bands_on_both_sides_of_the_limit(value: float, expected: str) -> None:
    one = part("s", area_mm2=[value], area_mm2_u=[0.1])
    assert verdict('limit = "area", max = "1 mm2"', one, guard=2) == expected
    assert verdict('limit = "area", min = "1 mm2"', one, guard=2) == {
        "accept": "reject", "reject": "accept", "review": "review",
    }[expected]  # fmt: skip
    sharp = "accept" if value <= 1 else "reject"
    assert verdict('limit = "area", max = "1 mm2"', one, guard=0) == sharp


@pytest.mark.parametrize(
    ("guard", "k", "probability"),
    [("2", 2, 0.97725), ('"95 %"', 1.64485, 0.95), ('"99%"', 2.32635, 0.99), ("0", 0, 0.5)],
)
def test_a_guard_is_a_factor_or_a_one_sided_probability(
    guard: str, k: float, probability: float
) -> None:
    spec = parse_spec(f'guard = {guard}\nlimits = [\n{{ limit = "area", max = "1 mm2" }}\n]\n')
    assert spec.guard == pytest.approx(k, abs=1e-5)
    assert spec.guard_probability == pytest.approx(probability, abs=1e-5)
    assert f"{100 * probability:.4g} %" in spec.guard_text or k == 0
    for value, expected in ((1 - 1.001 * k * 0.1, "accept"), (1 - 0.999 * k * 0.1, "review")):
        one = part("s", area_mm2=[value], area_mm2_u=[0.1])
        assert judge(spec, one).verdict == (expected if k else "accept")


@pytest.mark.parametrize(("length", "scale"), [(3, 0.1), (6, 0.7), (7, 1 / 3)])
def test_a_value_on_a_limit_or_an_edge_is_on_it_for_all_rounding(
    length: float, scale: float
) -> None:
    value, limit = length * scale, f"{length * scale:.15g}"
    for shown in (value, np.nextafter(value, 9), np.nextafter(value, -9)):
        one = part("s", max_width_mm=[float(shown)])
        for side in ("max", "min"):
            assert verdict(f'limit = "max_width", {side} = "{limit} mm"', one) == "accept"
        for comparison, count in (("<=", 1), (">=", 1), ("<", 0), (">", 0)):
            where = f'limit = "count", where = "max_width {comparison} {limit} mm", max = 0'
            assert verdict(where, one) == ("reject" if count else "accept")
    on_edge = part("s", area_mm2=[0.8], area_mm2_u=[0.1])
    assert verdict('limit = "area", max = "1 mm2"', on_edge, guard=2) == "accept"


@given(st.floats(0, 10), st.floats(0, 10), st.floats(0, 3), st.floats(0, 3))
def test_more_uncertainty_never_makes_a_verdict_surer(
    value: float, limit: float, small: float, large: float
) -> None:
    small, large = sorted((small, large))
    clause = f'limit = "area", max = "{limit} mm2"'
    sure, unsure = (
        verdict(clause, part("s", area_mm2=[value], area_mm2_u=[u]), guard=2)
        for u in (small, large)
    )
    assert unsure in (sure, "review")


@pytest.mark.parametrize(
    ("limit", "one", "why"),
    [
        ('limit = "area", max = "1 mm2"', part("s", scale=None, area=[1]), "no scale|none"),
        ('limit = "contrast", max = 9', part("s", area=[1]), "'contrast' was not measured"),
        ('limit = "area", max = "1 px2"', part("s", area=[np.nan]), "empty"),
        ('limit = "area", max = "1 px2"', part("s", area=[np.inf]), "empty"),
        ('limit = "p_value", min = 0.01', part(), "p-value"),
        ('limit = "count", where = "contrast > 1", max = 0', part("s", area=[1]), "contrast"),
        ('limit = "density", max = "1 /mm2"', part("s", scale=None, area=[1]), "scale"),
        ('limit = "count", zone = "mm", max = 0', part("s", scale=None, area=[1]), "scale"),
        ('limit = "area", max = "1 px2"', MeasuredPart("x", (), {}, np.empty((0, 2)), (0, 0), unjudged="torn"), "torn"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_never_accepted(limit: str, one: MeasuredPart, why: str) -> None:
    found = judge(parse_spec(f"limits = [\n{{ {limit} }}\n]\n{ZONES}"), one)
    assert found.verdict is None
    import re

    assert re.search(why, found.reason)


def test_a_lonely_defect_keeps_every_distance() -> None:
    one = part("s", nearest_distance=[np.inf])
    assert verdict('limit = "nearest_distance", min = "5 px"', one) == "accept"
    assert verdict('limit = "spacing", min = "5 px"', one) == "accept"


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ('{ limit = "count", max = 9 }', "accept"),
        ('{ limit = "count", zone = "rim", where = "area > 9 px2", max = 9 }', "accept"),
        ('{ limit = "count", class = "scratch", zone = "rim", max = 9 }', "accept"),
        ('{ limit = "score", weights = { "scratch.count" = 1 }, max = 9 }', "accept"),
        ('{ limit = "score", weights = { "scratch.count" = 1 }, class = "stain", max = 9 }', "review"),
        ('{ limit = "score", weights = { "stain.count" = 1 }, max = 9 }', "review"),
        ('{ limit = "p_value", min = 0.01 }', "review"),
        ('{ limit = "count", class = "scratch", min = 0 }', "accept"),
        ('{ limit = "count", class = "scratch", max = 0 }', "reject"),
    ],
)  # fmt: skip
def test_a_class_that_no_clause_covers_is_reviewed(limits: str, expected: str) -> None:
    stains = '{ limit = "area", class = "stain", max = "20 px2" }'
    spec = parse_spec(f"limits = [\n{stains},\n{limits}\n]\n{ZONES}")
    for classes, area in (("scs", [1, 2, 3]), ("c", [2])):
        one = replace(part(classes, area=area), p_value=0.5)
        found = judge(spec, one)
        assert found.verdict == expected
        if expected == "review":
            (finding,) = found.findings
            scratches = tuple(k for k, letter in enumerate(classes) if letter == "c")
            assert finding.defects == scratches
            assert finding.clause == "no clause covers 'scratch'"
            assert judge(spec, one, decided=["scratch"]).verdict == "accept"
    assert judge(spec, replace(part("s", area=[1]), p_value=0.5)).verdict == "accept"


def test_a_defect_of_no_clause_does_not_soften_a_reject() -> None:
    spec = parse_spec('limits = [{ limit = "area", class = "stain", max = "20 px2" }]')
    found = judge(spec, part("cs", area=[2, 21]))
    assert [one.outcome for one in found.findings] == ["reject", "review"]
    assert found.verdict == "reject"


def test_p_values_are_for_the_unknown() -> None:
    for p, expected in ((0.2, "accept"), (0.03, "review"), (0.001, "reject")):
        one = MeasuredPart("x", (), {}, np.empty((0, 2)), (9, 9), p_value=p)
        assert verdict('limit = "p_value", min = 0.01, review = 0.05', one) == expected
