"""Searches by numbers give the same whether the few are looked up or all are read."""

from __future__ import annotations

import pytest

from flawline.records import rare
from flawline.records.record import DefectRecord
from flawline.records.where import Where
from helpers.inspected_records import record

COUNT = 60
BOUNDS = [
    {"least": {"score": 6.0}},
    {"most": {"score": 0.5}},
    {"least": {"score": 2.0}, "most": {"score": 3.0}},
    {"most": {"p_value": 0.03}},
    {"most": {"p_value": 0.5}},
    {"least": {"defects": 2}},
    {"least": {"largest_area": 40.0}},
    {"least": {"total_area": 90.0}, "names": {"lot": "L5"}},
    {"least": {"count_stain": 2}, "verdict": ("reject",)},
    {"least": {"count_crack": 1}},
    {"least": {"count_nothing": 1}},
    {"most": {"count_stain": 1}},
    {"least": {"largest_area_stain": 60.0}, "names": {"station": "s1"}},
    {"least": {"score": 5.0, "largest_area_crack": 2.0}, "names": {"product": "b"}},
]


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
@pytest.mark.parametrize("few", [0, 3, 4000])
def test_a_search_finds_the_same_however_it_is_done(store, monkeypatch, bounds, few):
    crack = (DefectRecord("crack", None, {"area": 3.0}),)
    made = [
        record(n, product="ab"[n % 2], **({"defects": crack} if n == 57 else {}))
        for n in range(COUNT)
    ]
    store.add(made)
    monkeypatch.setattr(rare, "FEW", few)
    found = [kept.record.image for kept in store.page(Where(**bounds), count=COUNT).items]
    assert found == [one.image for one in reversed(made) if _meets(one, bounds)]


def _meets(one, bounds):
    names, verdict = bounds.get("names", {}), bounds.get("verdict", ())
    return (
        all(_number(one, name) >= bound for name, bound in bounds.get("least", {}).items())
        and all(_number(one, name) <= bound for name, bound in bounds.get("most", {}).items())
        and all(getattr(one, name) == value for name, value in names.items())
        and (not verdict or one.verdict in verdict)
    )


def _number(one, name):
    areas = [defect.measures["area"] for defect in one.defects]
    if name.startswith(("count_", "largest_area_")):
        kind, _, label = name.rpartition("_")
        own = [d.measures["area"] for d in one.defects if d.label == label]
        return len(own) if kind == "count" else max(own, default=0.0)
    known = {
        "defects": len(areas),
        "largest_area": max(areas, default=-1),
        "total_area": sum(areas),
    }
    return known[name] if name in known else getattr(one, name)
