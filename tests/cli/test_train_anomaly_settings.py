"""The command learns with the settings that the call in Python has."""

import pytest

from flawline.api import train
from flawline.cli.main import run
from flawline.errors import UsageError
from flawline.jobs.train.setup.effort import FREE
from helpers.discs import write_discs


class Seen(UsageError):
    """Ends a training before its work."""


@pytest.fixture
def settings(monkeypatch):
    seen = []

    def note(source, settings, test, *, track):
        seen.append(settings)
        raise Seen("seen")

    monkeypatch.setattr(train, "train_and_test", note)
    return seen


def commanded(folder, settings, *options):
    assert run(["train", "anomaly", str(folder), "-o", str(folder / "r.flaw"), *options]) == 2
    return settings.pop()


def test_a_plain_command_tries_all_that_is_not_given_as_the_call_does(tmp_path, settings, capsys):
    write_discs(tmp_path, 2)
    found = commanded(tmp_path, settings)
    with pytest.raises(Seen):
        train.train_anomaly(tmp_path)
    assert found == settings.pop()
    assert found.search.free == FREE


@pytest.mark.parametrize(
    ("options", "left_out"),
    [
        (("--roi", "0,0 9,0 9,9"), "foreground"),
        (("--no-foreground",), "foreground"),
        (("--light", "flat"), "light"),
        (("--align", "none"), "alignment"),
        (("--window", "64"), "window"),
        (("--method", "patch-memory"), "method"),
    ],
)
def test_what_is_given_is_not_tried(tmp_path, settings, capsys, options, left_out):
    write_discs(tmp_path, 2)
    assert set(FREE) - set(commanded(tmp_path, settings, *options).search.free) == {left_out}
