"""Messages, an output that fails on request, and records with its messages."""

from __future__ import annotations

import json

import pytest

from flawline.outputs.events import message_id
from flawline.outputs.sending import Sending
from flawline.records import open_store
from flawline.records.owed import Owed


@pytest.fixture
def notes():
    return []


@pytest.fixture
def store(tmp_path):
    with open_store(str(tmp_path / "records.db")) as opened:
        yield opened


@pytest.fixture
def owe(store):
    """A function that writes messages for the output "place" into the records."""

    def owe(*messages, address="place"):
        store.deliveries.add([Owed(address, message_id(m), json.dumps(m)) for m in messages])

    return owe


@pytest.fixture
def sending(store, notes):
    """A function that starts sending the messages of "place" to an output."""

    def sending(output, *, address="place", owing=store.deliveries, **more):
        return Sending(output, address, owing, say=notes.append, **more)

    return sending
