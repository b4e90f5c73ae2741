"""Messages, an output that fails as it is asked to, and records that hold what it is owed."""

from __future__ import annotations

import json

import pytest

from flawline.outputs.events import message_id
from flawline.outputs.sending import Sending
from flawline.records import open_store
from flawline.records.owed import Owed


@pytest.fixture
def said():
    return []


@pytest.fixture
def store(tmp_path):
    with open_store(str(tmp_path / "records.db")) as opened:
        yield opened


@pytest.fixture
def owe(store):
    """Enters messages for the output "place" into the records."""

    def owe(*messages, address="place"):
        store.deliveries.add([Owed(address, message_id(m), json.dumps(m)) for m in messages])

    return owe


@pytest.fixture
def sending(store, said):
    """Begins to send to an output what the records owe "place"."""

    def sending(output, *, address="place", owing=store.deliveries, **more):
        return Sending(output, address, owing, say=said.append, **more)

    return sending
