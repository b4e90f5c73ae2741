"""Requests drawn from the OpenAPI document: no fault of the server, and no answer that is not JSON where it fails.

Schemathesis draws a few requests for every operation, the same every time.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from schemathesis import openapi
from starlette.testclient import TestClient

from flawline.server.work.runner import JobRunner

EXAMPLES = 3
ENDLESS = ("/events",)
"""Answers that go on until somebody leaves."""


@pytest.fixture
def operations(served: Any) -> Any:
    """The operations of the API, and an admin's client."""
    client = served.client("admin")
    schema = openapi.from_dict(client.get("/openapi.json").json())
    return client, [found.ok() for found in schema.get_all_operations()]


def test_no_request_of_the_document_ends_in_a_fault(
    operations: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, found = operations
    # The requests are what is tested; jobs that they begin end at once.
    ended = {"state": "cancelled"}
    monkeypatch.setattr(JobRunner, "_run", lambda self, number, work: self._set(number, **ended))
    assert len(found) > 30
    asked = set()
    for operation in found:
        if operation.path.endswith(ENDLESS):
            continue

        @seed(1)
        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @_given(operation)
        def ask(case: Any) -> None:
            answer = _send(client, case)
            place = f"{case.method} {case.formatted_path}"
            assert answer.status_code < 500, (place, answer.text[:300])
            if answer.status_code >= 400 and "json" in answer.headers.get("content-type", ""):
                assert set(answer.json()["error"]) == {"code", "message", "hint"}, place
            asked.add(case.operation.label)

        ask()
    assert len(asked) > 30


def _given(operation: Any) -> Any:
    from hypothesis import given

    return given(case=operation.as_strategy())


def _send(client: TestClient, case: Any) -> Any:
    call = case.as_transport_kwargs(base_url="http://testserver")
    call["headers"] = {
        **dict(call.get("headers") or {}),
        "Authorization": client.headers["Authorization"],
    }
    call.pop("cookies", None)
    if isinstance(call.get("data"), bytes | str):
        call["content"] = call.pop("data")
    return client.request(**call)
