"""station.toml is checked whole when it is read: every error names line, key, what is expected, and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from flawline.errors import UsageError
from flawline.outputs.file import File
from flawline.outputs.output import Chosen
from flawline.outputs.webhook import Webhook
from flawline.station.station_file import read_station_file

WHOLE = """\
recipe = "part.flaw"
[names]
station = "s1"
[records]
store = { env = "STORE" }
keep = "all"
[[feeds]]
folder = "in"
settle = 0
[[feeds]]
kind = "folder"
folder = "/other"
move_to = "judged"
[[outputs]]
kind = "file"
path = "v.jsonl"
events = ["judged"]
[[outputs]]
kind = "webhook"
url = "https://plant.example/x"
token = { file = "token" }
"""
SHORT = 'recipe = "part.flaw"\n[[feeds]]\nfolder = "in"\n'


@pytest.fixture
def read(tmp_path):
    """A function that reads a text as station.toml."""

    def read(text, **environment):
        path = tmp_path / "station.toml"
        path.write_text(text, encoding="utf-8")
        return read_station_file(path, environment)

    return read


def test_a_file_says_all_that_a_station_needs(read, tmp_path):
    (tmp_path / "token").write_text("s3cret\n", encoding="utf-8")
    plan = read(WHOLE, STORE="postgresql://ada:pw@host/line")
    assert plan.recipe == tmp_path / "part.flaw"
    assert plan.state == tmp_path / "flawline-station"
    assert plan.names == {"station": "s1"}
    assert plan.records.store == "postgresql://ada:pw@host/line"
    assert [feed.folder for feed in plan.feeds] == [tmp_path / "in", Path("/other")]
    assert plan.feeds[0].settings.settle == 0.0
    assert plan.feeds[1].settings.move_to == tmp_path / "judged"
    one, other = (output.opened(print) for output in plan.outputs)
    assert one == Chosen(File(tmp_path / "v.jsonl"), frozenset({"judged"}))
    assert other == Webhook("https://plant.example/x", "s3cret")
    assert "s3cret" not in repr(plan.outputs[1])


def test_a_short_file_has_neither_records_nor_outputs(read):
    plan = read(SHORT)
    assert (plan.records, plan.outputs, plan.names) == (None, (), {})


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("recipe = ", "reciped = "), 1, "reciped: there is no such entry"),
        (("recipe = ", "recipes = "), 1, "recipes: expected a section"),
        (('recipe = "part.flaw"', "recipe = 3"), 1, "recipe: expected the path"),
        (('recipe = "part.flaw"\n', ""), None, "recipe: expected the path of a file or folder, it"),
        (('folder = "in"', 'foldr = "in"'), 3, "feeds.foldr: there is no such entry"),
        (('folder = "in"', 'folder = "in"\nsettle = "1"'), 4, "expected a number of 0 to 3600, s"),
        (('folder = "in"', 'folder = "in"\nsettle = -1'), 4, "feeds.settle"),
        (('folder = "in"', 'folder = "in"\nmarker = "a/b"'), 2, "expected a `marker`"),
        (
            ('folder = "in"', 'kind = "tape"\nfolder = "in"'),
            3,
            "kind: expected folder or camera or mqtt, got",
        ),
        (('folder = "in"', 'kind = "camera"\nfolder = "in"'), 4, "there is no such entry"),
        (
            ('folder = "in"', 'kind = "camera"\ncamera = "0"\nevery = -1'),
            5,
            "expected a number of 0 to 86400",
        ),
        (
            (
                'folder = "in"',
                'kind = "camera"\ncamera = "0"\nevery = 1\n[feeds.trigger]\nurl = "mqtt://h"\ntopic = "t"',
            ),
            5,
            "feeds.every: a trigger says when",
        ),
        (
            ('folder = "in"', 'kind = "camera"\ncamera = "0"\n[feeds.trigger]\nurl = "mqtt://h"'),
            5,
            "expected the `topic`",
        ),
        (
            ('folder = "in"', 'kind = "camera"\ncamera = "0"\ntrigger = 3'),
            5,
            "feeds.trigger: expected a section",
        ),
        (
            ('folder = "in"', 'kind = "mqtt"\nurl = "mqtt://h"\ntopic = "t"\npassword = "pw"'),
            6,
            "a secret does not stand in this file",
        ),
        (('folder = "in"', 'kind = "mqtt"\nurl = "ftp://h"\ntopic = "t"'), 2, "expected a broker"),
        (('folder = "in"', 'folder = "in"\npart_from = "{lot}"'), 2, "needs the field {part}"),
        (("[[feeds]]", "[feeds]"), 2, "feeds: expected a list of sections"),
        (('[[feeds]]\nfolder = "in"\n', ""), None, "expected at least one feed"),
    ],
)
def test_a_wrong_entry_is_named_with_its_line(read, change, line, words):
    with pytest.raises(UsageError) as caught:
        read(SHORT.replace(*change))
    place = "station.toml: " if line is None else f"station.toml, line {line}: "
    assert place in caught.value.message
    assert words in caught.value.message
    assert caught.value.code == "station-file"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('[names]\nstatoin = "s1"\n', "line 5: names.statoin: there is no such entry"),
        ("[names]\nlot = 7\n", "line 5: names.lot: expected text"),
        ("names = 3\n", "line 4: feeds.names: there is no such entry"),
        ('[records]\nkeep = "some"\nstore = "a"\n', 'line 5: records.keep: expected "flagged"'),
        ("[records]\n", "records.store: expected the path"),
        ('[records]\nstore = "postgresql://ada:pw@h/x"\n', "a password does not stand"),
        ('[records]\nstore = { env = "NO" }\n', "line 5: records.store: the environment variable"),
        ("[records]\nstore = { env = 3 }\n", "expected the name of a variable or file, got 3"),
        ('[records]\nstore = { file = "none" }\n', "cannot be read: No such file"),
        ('[[feeds]]\nfolder = "in/deep"\n', "line 5: feeds.folder: another feed watches"),
        ('[[outputs]]\nkind = "fax"\n', "line 5: outputs.kind: expected console or file or"),
        ("[[outputs]]\n", "line 4: outputs.kind: expected console or file or webhook"),
        ('[answers]\nlate = "reject"\n', "answers.within: expected a finite number above 0"),
        ('[answers]\nwithin = 0.1\nlate = "accept"\n', 'line 6: answers.late: expected "reject"'),
        ('[[outputs]]\nkind = "modbus"\naddress = "x"\n', "line 4: expected HOST:PORT"),
        (
            '[[outputs]]\nkind = "modbus"\naddress = "0.0.0.0:502"\nevents = ["judged"]\n',
            "line 7: outputs.events: modbus gets answers and health alone",
        ),
        ('[[outputs]]\nkind = "console"\nevents = ["all"]\n', "line 6: outputs.events"),
        ('[[outputs]]\nkind = "console"\nevents = []\n', "line 6: outputs.events"),
        ('[[outputs]]\nkind = "file"\npath = "no/where/v"\n', "line 4: events cannot be written"),
        ('[[outputs]]\nkind = "webhook"\nurl = "ftp://x"\n', "line 4: expected a webhook"),
        (
            '[[outputs]]\nkind = "webhook"\nurl = "http://x"\ntoken = "plain"\n',
            "line 7: outputs.token: a secret does not stand in this file",
        ),
        ('[[outputs]]\nkind = "console"\n' * 2, "line 6: outputs: console is an output already"),
    ],
)
def test_what_is_wrong_in_sections_is_named(read, more, words):
    with pytest.raises(UsageError) as caught:
        read(SHORT + more)
    assert words in caught.value.message
    assert "pw" not in caught.value.message
    assert "plain" not in caught.value.message


@pytest.mark.parametrize("content", ["", "a = [", "\xff"])
def test_what_is_no_toml_or_not_there_is_refused(tmp_path, content):
    path = tmp_path / "station.toml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(UsageError, match="station"):
        read_station_file(path, {})
    with pytest.raises(UsageError, match="cannot be read"):
        read_station_file(tmp_path / "none.toml", {})
    with pytest.raises(UsageError, match="cannot be read"):
        read_station_file(tmp_path, {})
