"""Requests that are sent again: done once, answered alike."""

from __future__ import annotations

import pytest

from flawline.records.engine import writing
from helpers.charted_house import fill_charts

DECISION = {"verdict": "accept", "why": "only dust"}
KEY = {"Idempotency-Key": "4711"}


@pytest.fixture
def filled(served):
    """The server with 80 parts."""
    fill_charts(served.state)
    return served


def decide(client, number=1, key=KEY, body=DECISION):
    return client.post(f"/api/records/{number}/decisions", json=body, headers=key)


def test_a_decision_that_is_sent_again_is_taken_once(filled):
    client = filled.client("operator")
    first, again = decide(client), decide(client)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(filled.state.store.get(1).decisions) == 1
    decide(client, key={"Idempotency-Key": "4712"})
    decide(client, number=2)
    decide(filled.client("engineer"))
    assert [len(filled.state.store.get(n).decisions) for n in (1, 2)] == [3, 1]


def test_a_key_belongs_to_one_request(filled):
    client = filled.client("operator")
    decide(client)
    other = decide(client, body={"verdict": "reject", "why": "a crack"})
    assert (other.status_code, other.json()["error"]["code"]) == (422, "key-used")
    assert len(filled.state.store.get(1).decisions) == 1


def test_what_was_refused_may_be_sent_again(filled):
    client = filled.client("operator")
    assert decide(client, body={"verdict": "accept", "why": ""}).status_code == 422
    assert decide(client).status_code == 201
    assert decide(client, number=999).status_code == 404
    assert decide(filled.client("viewer")).status_code == 403
    assert decide(filled.client()).status_code == 401


def test_jobs_and_entries_are_made_once(filled):
    client = filled.client("engineer")
    body = {"study": "capability", "settings": {"measure": "length", "lsl": 49}}
    made = [client.post("/api/studies", json=body, headers=KEY).json()["id"] for _ in range(2)]
    assert made[0] == made[1]
    entry = {"measure": "score", "text": "dropped", "inspection": 31}
    made = [client.post("/api/charts/notes", json=entry, headers=KEY).json() for _ in range(2)]
    assert made[0] == made[1]
    assert len(filled.state.store.charts.of("score")) == 1


def test_uploads_are_taken_once(filled, good_picture):
    client = filled.client("operator")
    files = [("files", (f"{n}.png", good_picture)) for n in range(12)]
    made = [client.post("/api/rank", files=files, headers=KEY).json()["id"] for _ in range(2)]
    assert made[0] == made[1]
    other = client.post("/api/rank", files=files[:11], headers=KEY)
    assert other.json()["error"]["code"] == "key-used"


def test_a_request_that_is_not_answered_yet_is_not_done_twice(filled):
    client = filled.client("operator")
    decide(client)
    with writing(filled.state.store.engine) as connection:
        connection.exec_driver_sql("UPDATE answer SET status = NULL")
    again = decide(client)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "in-progress")
    assert again.headers["retry-after"] == "1"
    assert len(filled.state.store.get(1).decisions) == 1


def test_secrets_are_not_kept_and_keys_are_names(filled):
    admin = filled.client("admin")
    body = {"name": "Eva", "role": "viewer"}
    refused = admin.post("/api/accounts", json=body, headers=KEY)
    assert (refused.status_code, "secret" in refused.text) == (422, True)
    for key in ("", "x" * 201):
        assert decide(admin, key={"Idempotency-Key": key}).status_code == 422
