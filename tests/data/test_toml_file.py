"""Every entry of a TOML text is found in its line, however it is written."""

import time
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.data.toml_file import TomlLines, read_toml

LIMITS = """\
max = 3
[spec]
# max = 4
text = '''
[[spec.limits]]
max = 5
'''

[[spec.limits]]
limit = "area"
max = "0.2 mm2"
  [spec.limits.more]
  deep.er = 1

[[ spec . limits ]]  # two
"max" = [ # ]
  { x = 1 }, { y = [
    2,
    { z = "}" } ] },
]
[spec.other]
max = 1
"""
INLINE = """\
limits = [
  { limit = "area", class = "max", max = 1 },  # { max = 2 }
  { limit = "}", where = '''
max = 1
''', max = 2 }, { max = 3 },

  {
max = 4 },
]
"""


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        (LIMITS, ("max",), 1),
        (LIMITS, ("spec",), 2),
        (LIMITS, ("spec", "text"), 4),
        (LIMITS, ("spec", "limits"), 9),
        (LIMITS, ("spec", "limits", 0), 9),
        (LIMITS, ("spec", "limits", 0, "max"), 11),
        (LIMITS, ("spec", "limits", 0, "more"), 12),
        (LIMITS, ("spec", "limits", 0, "more", "deep"), 13),
        (LIMITS, ("spec", "limits", 0, "more", "deep", "er"), 13),
        (LIMITS, ("spec", "limits", 1), 15),
        (LIMITS, ("spec", "limits", 1, "missing"), 15),
        (LIMITS, ("spec", "limits", 1, "max"), 16),
        (LIMITS, ("spec", "limits", 1, "max", 1), 17),
        (LIMITS, ("spec", "limits", 1, "max", 1, "y", 0), 18),
        (LIMITS, ("spec", "limits", 1, "max", 1, "y", 1, "z"), 19),
        (LIMITS, ("spec", "other", "max"), 22),
        (LIMITS, ("spec", "none"), 2),
        (LIMITS, ("none",), None),
        (LIMITS, (), None),
        (INLINE, ("limits",), 1),
        (INLINE, ("limits", 0, "max"), 2),
        (INLINE, ("limits", 1), 3),
        (INLINE, ("limits", 1, "where"), 3),
        (INLINE, ("limits", 1, "max"), 5),
        (INLINE, ("limits", 2), 5),
        (INLINE, ("limits", 9), 1),
    ],
)
def test_the_line_of_an_entry(text: str, path: tuple[str | int, ...], line: int | None) -> None:
    assert TomlLines(text).of(*path) == line
    assert TomlLines(text.replace("\n", "\r\n")).of(*path) == line


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=5)


@given(st.lists(st.tuples(names, st.sampled_from(["1", "'#['", '"]"', "[[1],\n2]", "{ a = 1 }"]))))
def test_every_top_entry_is_found(entries: list[tuple[str, str]]) -> None:
    expected: dict[str, int] = {}
    lines: list[str] = []
    for name, value in dict(entries).items():
        quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        expected[name] = len(lines) + 1
        lines += f"{quoted} = {value} # x = [".split("\n")
    text = "\n".join(lines)
    assert list(tomllib.loads(text)) == list(expected)
    found = TomlLines(text)
    assert {name: found.of(name) for name in expected} == expected


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 200 + "]" * 200 + "\n",
        "a." * 99 + "b = 1",
        "[" + "a." * 99 + "b]",
        "a = [" + "[1, 2]," * 100_000 + "]",
        "a = [" + ("[" * 150 + "]" * 150 + ",") * 500 + "]",
        'a = "' + "\\\\" * 200_000 + '"',
        "# " + "a" * 500_000 + "\n" + "a = 1",
        "\n".join(f"[a{n}]" for n in range(20_000)),
    ],
)
def test_long_and_deep_texts_are_read_in_time(text: str) -> None:
    read_toml(text)
    began = time.process_time()
    found = TomlLines(text)
    assert found.paths()
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = [\n", "Invalid value"),
        ("a = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
        ("x = 1\n" + "a." * 100_000 + "b = 1", r"at most 100 parts \(at line 2"),
        ("x = 1\n\n[[ 'a' . " + "a." * 100_000 + "b]]", r"at most 100 parts \(at line 3"),
    ],
)
def test_texts_that_are_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_toml(text)
