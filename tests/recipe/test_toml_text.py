"""Single entries of TOML are found and changed, and everything else stays as a person left it."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.data.toml_file import TomlLines
from flawline.recipe.toml_text import edit_toml, toml_value

TEXT = """\
# ours   [threshold]
schema = 1
part = "a # b"   # the part

  [ threshold ]  # by Anna, 3 May
reject = 3.0    # was 2.9 [before]
  review=2.0
"odd key" = 'x = 1'
basis = \"\"\"
reject = 9
[fake]
\"\"\"

# on the region:
[region_of_interest]
polygons = [  # a corner
  [[1, 2], [3, 4], [5, 6]], # ] one
  [[1, 2], [3, 4], [5, "]"]],
]
# mask = "region.png"
inline = { a = 1, b = { c = 2 } }
dotted.one = 1
"""


def changed_lines(before, after):
    return [
        (one, other)
        for one, other in zip(before.splitlines(), after.splitlines(), strict=True)
        if one != other
    ]


def test_one_value_changes_and_its_comment_stays():
    edited = edit_toml(TEXT, {("threshold", "reject"): 3.2})
    assert changed_lines(TEXT, edited) == [
        ("reject = 3.0    # was 2.9 [before]", "reject = 3.2    # was 2.9 [before]")
    ]


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("part",), 'tab\t "x" \x7f \u00fc', 'part = "tab\\t \\"x\\" \\u007f \u00fc"   # the part'),
        (("threshold", "review"), 1, "  review=1"),
        (("threshold", "odd key"), True, '"odd key" = true'),
        (("region_of_interest", "inline", "b", "c"), 3, "inline = { a = 1, b = { c = 3 } }"),
        (("region_of_interest", "dotted", "one"), [1, 2], "dotted.one = [1, 2]"),
        (("region_of_interest", "mask"), "m.png", 'mask = "m.png"'),
    ],
)
def test_every_way_to_write_an_entry_is_found(path, value, line):
    ((_, new),) = changed_lines(TEXT, edit_toml(TEXT, {path: value}))
    assert new == line


def test_values_of_several_lines_are_replaced_whole():
    edited = edit_toml(
        TEXT, {("region_of_interest", "polygons"): [], ("threshold", "basis"): "none"}
    )
    assert tomllib.loads(edited)["region_of_interest"]["polygons"] == []
    assert "fake" not in edited
    assert "# one" not in edited
    assert "# on the region:" in edited


def test_new_entries_come_to_the_end_of_their_section_and_new_sections_to_the_end():
    edited = edit_toml(TEXT, {("threshold", "region"): 2.5, ("light", "method"): "none"})
    lines = edited.splitlines()
    assert lines[lines.index("region = 2.5") - 1] == '"""'
    assert lines[-2:] == ["[light]", 'method = "none"']
    assert edit_toml("# only a comment", {("a",): 1}) == "a = 1\n# only a comment"
    assert edit_toml("a = 1", {("b", "c"): 2}) == "a = 1\n\n[b]\nc = 2\n"


def test_none_takes_an_entry_out():
    edited = edit_toml(TEXT, {("threshold", "reject"): None, ("threshold", "basis"): None})
    assert len(edited.splitlines()) == len(TEXT.splitlines()) - 5
    assert "reject" not in tomllib.loads(edited)["threshold"]
    assert edit_toml(TEXT, {("no", "such"): None}) == TEXT


def test_windows_line_ends_stay():
    edited = edit_toml(TEXT.replace("\n", "\r\n"), {("threshold", "reject"): 3.2})
    assert edited == edit_toml(TEXT, {("threshold", "reject"): 3.2}).replace("\n", "\r\n")


def test_what_cannot_be_changed_in_place_is_said():
    with pytest.raises(ValueError, match="no section"):
        edit_toml("[[a]]\nb = 1\n", {("a", "b"): 2})
    with pytest.raises(ValueError, match="cannot be written"):
        edit_toml("a = 1\n", {("a",): float("nan")})
    with pytest.raises(ValueError, match="at most 200000 characters"):
        edit_toml("a = 1\n" + "#" * 200_000, {("a",): 2})
    with pytest.raises(ValueError, match="at most 32 levels"):
        edit_toml("a = " + "[" * 120 + "]" * 120, {("b",): 2})
    with pytest.raises(ValueError, match="Invalid value"):
        edit_toml("a = \n", {("a",): 1})


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("schema",), 2),
        (("threshold",), 5),
        (("threshold", "reject"), 6),
        (("threshold", "basis"), 9),
        (("region_of_interest", "polygons"), 16),
        (("region_of_interest", "inline", "b", "c"), 21),
        (("threshold", "missing"), 5),
        (("missing",), None),
    ],
)
def test_the_line_of_an_entry(path, line):
    assert TomlLines(TEXT).of(*path) == line


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
scalars = (
    st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(names, values, max_size=5), values)
def test_whatever_is_written_is_read_again_and_changed_alone(table, value):
    text = "".join(f"{toml_value({key: item})[2:-2]}\n" for key, item in table.items())
    assert tomllib.loads(text) == table
    assert [p for p in TomlLines(text).paths() if len(p) == 1] == [(key,) for key in table]
    for key in table:
        assert tomllib.loads(edit_toml(text, {(key,): value})) == {**table, key: value}
