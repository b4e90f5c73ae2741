"""Every entry of a TOML text is found in its line, however it is written."""

import time
import tomllib
import tracemalloc

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
        "a = " + "[" * 31 + "]" * 31 + "\n",
        "a." * 31 + "b = 1",
        "[" + "a." * 30 + "b]",
        "a = [" + "[1, 2]," * 100_000 + "]",
        "a = [" + ("[" * 30 + "]" * 30 + ",") * 500 + "]",
        'a = "' + "\\\\" * 200_000 + '"',
        "# " + "a" * 500_000 + "\n" + "a = 1",
        "\n".join(f"[a{n}]" for n in range(20_000)),
        "\n".join(f"k{n}." + "a." * 30 + "b = 1" for n in range(3000)),
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
        ("a = " + "[" * 5000 + "]" * 5000, "32 levels"),
        ("a = " + "[" * 5000, "32 levels"),
        ("a = " + "{ a = " * 40 + "1" + " }" * 40, "32 levels"),
        ("x = 1\n" + "a." * 100_000 + "b = 1", r"32 levels .*\(at line 2, column 1\)"),
        ("x = 1\n\n[[ 'a' . " + "a." * 100_000 + "b]]", r"32 levels .*\(at line 3"),
        ("x = { y = [1, { " + "a." * 40 + "b = 1 }] }", r"32 levels .*\(at line 1, column 17"),
        ("x = { " + "a." * 20 + "b = { " + "a." * 20 + "b = 1 } }", "32 levels"),
        ('"a" . ' * 40 + "b = 1", "32 levels"),
        ("a\t.\t" * 40 + "b = 1", "32 levels"),
        ("a = 0x" + "f" * 5000, r"at most 1000 characters \(at line 1, column 5"),
        ("a" * 1001 + " = 1", "at most 1000 characters"),
        ("#" * 2_000_001, "longer than"),
        ('"' * 1_000_001, "."),
        ('a = "' + '\\"' * 90_000, "."),
        ("a = '''" + "\n" * 1_000_000, "."),
        ('a = """' + '\\" ""' * 30_000, "."),
    ],
)
def test_texts_that_are_refused_before_they_take_memory(text: str, words: str) -> None:
    tracemalloc.start()
    with pytest.raises(ValueError, match=words):
        read_toml(text)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


def test_dots_and_brackets_in_strings_and_comments_do_not_count() -> None:
    dots = ".".join(map(str, range(60)))
    lines = [f'a = "{dots}[[["  # {dots}', f"b = '{dots}'", 'c = """', dots, "[" * 50 + '"""']
    found = read_toml("\n".join([*lines, "d = 1.5"]))
    assert (found["a"], found["b"], found["d"]) == (f"{dots}[[[", dots, 1.5)
