from __future__ import annotations

import pytest

from flawline.errors import SpecError
from flawline.specification.parse import parse_spec

WHOLE = """
# what the customer signed
[spec]
name = "heat sink, gold side"
version = 3
guard = 2

limits = [
  { limit = "area", class = "stain", max = "0.2 mm2", review = "0.1 mm2" },  # every stain
  { limit = "count", class = "stain", zone = "face", where = "area > 0.05 mm2 and solidity > 0.5", max = 3 },
  { limit = "total area", class = "stain", max = "2 %" },
  { limit = "nearest_distance", min = "1 mm" },
  { limit = "spacing", class = "stain", min = "2 mm" },
  { limit = "density", zone = "rim", max = "0.5 /cm2" },
  { limit = "score", weights = { "stain.area" = 1, "scratch.count" = 5 }, unit = "mm", max = 10 },
  { limit = "p_value", min = 0.01, review = 0.05 },
]

[spec.zones]
face = { polygon = [[0, 0], [40, 0], [40, 25]], unit = "mm" }
rim = { ring = [20, 12, 18, 20], unit = "px" }
"""


def one(limit: str, rest: str = "") -> str:
    return f"limits = [\n  {{ {limit} }},\n]\n{rest}"


def two(first: str, second: str) -> str:
    return f'limits = [\n  {{ limit = "count", {first} }},\n  {{ limit = "count", {second} }},\n]'


FACE = "[zones]\nface = {polygon=[[0,0],[1,0],[1,1]], unit='px'}"


def test_every_key_of_a_specification() -> None:
    spec = parse_spec(WHOLE, classes=["stain", "scratch"], has_scale=True)
    assert (spec.name, spec.version, spec.guard) == ("heat sink, gold side", "3", 2)
    assert [limit.line for limit in spec.limits] == list(range(9, 17))
    area, count, total, near, spacing, density, score, p_value = spec.limits
    assert (area.quantity, area.most, area.review_most, area.unit) == ("each", 0.2, 0.1, "mm2")
    assert count.zone is not None
    assert count.zone.name == "face"
    assert [(c.column, c.comparison, c.value, c.unit) for c in count.where] == [
        ("area", ">", 0.05, "mm2"),
        ("solidity", ">", 0.5, "1"),
    ]
    assert (total.quantity, total.column, total.unit) == ("total", "area", "%")
    assert (near.least, spacing.least, density.unit) == (1, 2, "/cm2")
    assert score.weights == {("stain", "area"): 1, ("scratch", "count"): 5}
    assert (p_value.least, p_value.review_least) == (0.01, 0.05)
    assert "stain area at most 0.2 mm2" in area.text
    assert spec.needs_scale


def test_the_long_form_is_the_same() -> None:
    text = (
        '# one\n[[limits]]\nlimit = "area"\nmax = "5 px2"\n\n[[limits]]\nlimit = "count"\nmax = 2\n'
    )
    short = 'limits = [{ limit = "area", max = "5 px2" }, { limit = "count", max = 2 }]'
    long = parse_spec(text)
    assert [limit.line for limit in long.limits] == [2, 6]
    assert long.hash == parse_spec(short).hash
    assert not long.needs_scale


def test_the_hash_is_of_the_content() -> None:
    changed = WHOLE.replace("# what the customer signed", "# another remark")
    assert parse_spec(changed).hash == parse_spec(WHOLE).hash
    assert parse_spec(WHOLE.replace("max = 3 }", "max = 4 }")).hash != parse_spec(WHOLE).hash


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("limits = [", "not TOML", "clause"),
        ("", "line 1: expected at least one limit", "limits = ["),
        (one('limit = "aera", max = "1 px2"'), "line 2: unknown column 'aera'", "'area'"),
        (one('limit = "total aera", max = "1 px2"'), "line 2: unknown column 'aera'", "'area'"),
        (one('limit = "area", max = 1'), "line 2: area is not measured in plain", '"1 mm2"'),
        (one('limit = "area", max = "1 mm"'), "line 2: area is not measured in mm", '"1 mm2"'),
        (one('limit = "area", max = "1 furlong"'), "line 2: max: expected a number with", ""),
        (one('limit = "count", max = "3 px"'), "line 2: count is not measured in px", "max = 3"),
        (one('limit = "area", maxi = "1 px2"'), "line 2: unknown key of a limit 'maxi'", "'max'"),
        (one('limit = "area"'), "line 2: expected min, max or review", ""),
        (one('limit = "area", max = "1 px2", min = "2 px2"'), "line 2: min 2 is above max 1", ""),
        (one('limit = "area", max = "1 px2", review = "2 px2"'), "review 2 must lie below", ""),
        (one('limit = "p_value", min = 0.1, review = 0.01'), "review 0.01 must lie above", ""),
        (one('limit = "area", max = "1 px2", min = "2 mm2"'), "expected one unit", ""),
        (one('limit = "area", max = "-1 px2"'), "at least 0", ""),
        (one('limit = "area", max = "1 px2", zone = "fase"', FACE), "line 2: unknown zone 'fase'", "'face'"),
        (one('limit = "area", max = "1 px2", class = "stian"'), "line 2: unknown class 'stian'", "'stain'"),
        (one('limit = "area", max = "1 px2", where = "area more"'), "expected a condition", ""),
        (one('limit = "area", max = "1 px2", where = "aera > 1 px2"'), "unknown column 'aera'", "'area'"),
        (one('limit = "area", max = "1 px2", where = "area > 1"'), "area is measured in mm2", "1 mm2"),
        (one('limit = "score", max = 1'), "a score needs weights", ""),
        (one('limit = "score", max = 1, weights = { "stain.area" = 1 }'), "needs a unit", "mm"),
        (one('limit = "score", max = 1, weights = { "stain.aera" = 1 }'), "unknown column 'aera'", ""),
        (one('limit = "count", max = 1', "gard = 2"), "line 4: unknown key", "'guard'"),
        ('guard = "95"\n' + one('limit = "count", max = 1'), 'line 1: expected a probability of "50 %"', ""),
        ('guard = "100 %"\n' + one('limit = "count", max = 1'), "line 1: expected a probability", ""),
        ('guard = "x %"\n' + one('limit = "count", max = 1'), "line 1: expected a probability", ""),
        ("guard = 99\n" + one('limit = "count", max = 1'), "line 1: expected a coverage factor", ""),
        (one('limit = "count", max = 1', "[zones]\na = {}"), "line 5: the zone 'a' needs a unit", "mm"),
        (one('limit = "count", max = 1', "[zones]\na = {unit='px'}"), "line 5: expected either", ""),
        (one('limit = "count", max = 1', "[zones]\na = {unit='px', ring=[0,0,3,2]}"), "inner < outer", ""),
        (one('limit = "count", max = 1', "[zones]\na = {unit='px', polygon=[[0,0]]}"), "at least three", ""),
        (two("max = 1", "max = 2"), "line 3: .* states again what line 2", ""),
        (two("max = 1", "min = 2"), "line 3: .* cannot both hold", "lines 3 and 2"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_line(text: str, message: str, hint: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        parse_spec(text, classes=["stain", "scratch"])
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (one('limit = "area", max = "1 mm2"'), 2),
        (one('limit = "count", max = 1, where = "max_width > 1 mm"'), 2),
        (one('limit = "density", max = "1 /cm2"'), 2),
        (one('limit = "count", max = 1', '[zones]\na = {unit="mm", ring=[0,0,1,2]}'), 5),
    ],
)
def test_millimetres_need_a_scale(text: str, line: int) -> None:
    assert parse_spec(text).needs_scale
    with pytest.raises(SpecError, match=rf"line {line}: .* is in millimetres") as caught:
        parse_spec(text, has_scale=False)
    assert "`scale`" in caught.value.hint
