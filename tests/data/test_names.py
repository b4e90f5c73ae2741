"""Natural order and the meaning of labels."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.data.labels import label_meaning, meaning
from flawline.data.names import natural_key, stem, suffix, why_passed_over
from flawline.errors import UsageError

PART = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0\1"), min_size=1, max_size=8
) | st.from_regex(r"[ab_]{0,2}[0-9]{1,4}[ab.]{0,2}", fullmatch=True)
PATH = st.lists(PART, min_size=1, max_size=4).map("/".join)


@given(st.integers(0, 10**12), st.integers(0, 10**12), PART, PART)
def test_numbers_sort_by_value(one: int, other: int, before: str, after: str) -> None:
    before = before.rstrip("0123456789") + "_"
    after = "_" + after.lstrip("0123456789")
    keys = [natural_key(f"{before}{number}{after}") for number in (one, other)]
    assert (keys[0] < keys[1]) == (one < other)


@given(PATH, PATH)
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assert (natural_key(one) == natural_key(other)) == (one == other)


@given(st.lists(PATH, max_size=30))
def test_order_keeps_folders_together(paths: list[str]) -> None:
    tops = [path.split("/")[0] for path in sorted(paths, key=natural_key) if "/" in path]
    changes = sum(a != b for a, b in pairwise(tops))
    assert changes <= max(len(set(tops)) - 1, 0)


@given(st.lists(PATH, unique=True, max_size=20), st.randoms())
def test_order_does_not_depend_on_the_input_order(paths: list[str], random: Random) -> None:
    shuffled = list(paths)
    random.shuffle(shuffled)
    assert sorted(paths, key=natural_key) == sorted(shuffled, key=natural_key)


def test_known_order() -> None:
    names = ["a/1.png", "a/2.png", "a/02.png", "a/10.png", "a/b/1.png", "a 1.png", "b2", "b10"]
    backwards = names[::-1]
    assert sorted(backwards, key=natural_key) == names


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a/b.PNG", None),
        ("a/b.jpeg", None),
        ("a.b/c", "not a picture file"),
        ("a.png/b.csv", "not a picture file"),
        ("x.zip", "nested archive"),
        ("x.TAR.gz", "nested archive"),
        ("__MACOSX/a/._b.png", "system file"),
        ("a/__MACOSX/b.png", "system file"),
        ("Thumbs.db", "system file"),
        (".DS_Store", "system file"),
        (".a.png", "hidden file"),
        (".git/a.png", "hidden file"),
        ("a/.git/a.png", "hidden file"),
        ("a\udcff.png", "name is not valid Unicode"),
    ],
)
def test_what_is_passed_over(name: str, reason: str | None) -> None:
    assert why_passed_over(name) == reason


def test_stem_and_suffix() -> None:
    assert [stem(name) for name in ("a/b.png", "a.b/c", "a/b.tar.gz")] == ["b", "c", "b.tar"]
    assert [suffix(name) for name in ("a/b.PNG", "a.b/c", "c.")] == [".png", "", "."]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("good", False),
        ("OK", False),
        ("ok_front", False),
        ("Pass-2", False),
        ("part ok", False),
        ("defect free", False),
        ("free_of_defects", False),
        ("no_defect", False),
        ("non-defective", False),
        ("bad", True),
        ("def_front", True),
        ("NG1", True),
        ("not ok", True),
        ("not_good", True),
        ("scrap", True),
        ("Anomaly", True),
        ("nonconforming", True),
        ("abnormal", True),
        ("crack", None),
        ("token", None),
        ("goodness", None),
        ("good_or_bad", None),
        ("1", None),
        ("", None),
    ],
)
def test_label_meaning(label: str, expected: bool | None) -> None:
    assert label_meaning(label) is expected


def test_unknown_labels_beside_good_ones_are_bad() -> None:
    assert meaning(["free", "crack", "fray"]) == {"crack": True, "fray": True, "free": False}
    assert meaning(["ok_a", "ok_b", "dent"]) == {"dent": True, "ok_a": False, "ok_b": False}


def test_unknown_labels_stay_unknown_otherwise() -> None:
    assert meaning(["a", "b"]) == {"a": None, "b": None}
    assert meaning(["good", "bad", "unsure"]) == {"bad": True, "good": False, "unsure": None}
    assert meaning(["bad", "other"]) == {"bad": True, "other": None}
    assert meaning([]) == {}


LABELS = st.lists(st.sampled_from(["good", "ok_x", "bad", "crack", "Dent", "free"]), unique=True)


@given(LABELS, st.data())
def test_stated_meanings_win(labels: list[str], data: st.DataObject) -> None:
    good = data.draw(st.lists(st.sampled_from(labels), unique=True)) if labels else []
    rest = [label for label in labels if label not in good]
    bad = data.draw(st.lists(st.sampled_from(rest), unique=True)) if rest else []
    found = meaning(labels, [name.upper() for name in good], bad)
    assert set(found) == set(labels)
    assert all(found[label] is False for label in good)
    assert all(found[label] is True for label in bad)
    assert found == meaning(reversed(labels), good, bad)


def test_stated_labels_must_exist() -> None:
    with pytest.raises(UsageError, match="no labels"):
        meaning([], ["good"])
    with pytest.raises(UsageError, match="'gud'"):
        meaning(["good", "bad"], ["gud"])
