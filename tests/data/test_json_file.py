"""JSON of others is parsed within bounds."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.data.json_file import parse_json

_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    _scalars.filter(lambda value: value not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_what_json_holds_is_parsed(value: object) -> None:
    text = json.dumps(value)
    assert parse_json(text) == parse_json(text.encode()) == json.loads(text)


def test_levels_are_counted() -> None:
    for deepest in ("1", "[]"):
        assert parse_json("[" * 31 + deepest + "]" * 31)
    assert parse_json('{"a":' * 32 + "1" + "}" * 32)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 33 + "1" + "]" * 33, "32 levels"),
        ("[" * 34 + "]" * 34, "32 levels"),
        ('{"a":' * 40 + "1" + "}" * 40, "32 levels"),
        ("[" * 100_000 + "]" * 100_000, "32 levels"),
        ("[" * 100_000, "32 levels|Expecting"),
        ("[" + "[]," * 3_000_000 + "1]", "5000000 values"),
        ("[NaN]", "NaN"),
        ("[-Infinity]", "Infinity"),
        ("[1e999]", "too large"),
        ("9" * 5000, "5000 digits"),
        ("{", "Expecting"),
        ("", "Expecting"),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    for form in (text, text.encode()):
        with pytest.raises(ValueError, match=words):
            parse_json(form)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        parse_json(b'["\xff"]')
