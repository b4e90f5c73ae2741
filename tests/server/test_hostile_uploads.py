"""Uploads that are hostile: each is answered with a verdict or a clear error, and recorded, and the server goes on.

The inputs are those that `benchmarks/hostile.py` gives to the command line.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SLOW = ("million pixels", "grows to", "2000 pages", "20000 scans", "many comments")
"""Those that take seconds to draw; the command line is given them by the benchmark."""


@pytest.fixture(scope="module")
def drawings() -> list[tuple[str, Any]]:
    """Names of hostile pictures and functions that draw their bytes."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        from hostile_inputs import pictures
    finally:
        sys.path.remove(str(BENCHMARKS))
    kinds = (pictures.jpegs, pictures.pngs, pictures.tiffs, pictures.others)
    return [(name, draw) for kind in kinds for name, draw, _ in kind()]


def test_hostile_pictures_get_clear_errors_and_are_recorded(served: Any, drawings: Any) -> None:
    client = served.client("operator")
    drawn = [(name, draw()) for name, draw in drawings if not any(word in name for word in SLOW)]
    assert len(drawn) > 180
    refused = judged = 0
    for number, (name, data) in enumerate(drawn):
        answer = client.post(
            "/api/inspect",
            files={"picture": (f"{name}.png", data)},
            headers={"Idempotency-Key": f"hostile {number}"},
        )
        if answer.status_code == 200:
            judged += 1
            assert answer.json()["verdict"] in ("accept", "review", "reject"), name
            continue
        refused += 1
        assert answer.status_code == 422, (name, answer.status_code, answer.text[:200])
        error = answer.json()["error"]
        assert error["code"] != "internal", (name, error)
        assert error["message"], name
    assert refused > 100
    served.state.products.get("disc").station.flush()
    assert served.state.store.count() == len(drawn)
    assert client.get("/health").status_code == 200


def test_what_is_no_archive_or_recipe_is_refused(served: Any, good_picture: bytes) -> None:
    client = served.client("admin")
    for name, data in (("a.zip", b"PK\x03\x04 cut"), ("a.zip", good_picture), ("a.flaw", b"")):
        recipe = client.post("/api/recipes", files={"file": (name, data)})
        assert recipe.status_code == 422, (name, recipe.text)
        job = client.post("/api/rank", files={"files": (name, data)}).json()
        client.get(f"/api/jobs/{job['id']}/events")
        ended = client.get(f"/api/jobs/{job['id']}").json()
        assert ended["state"] == "failed", name
        assert ended["error"]["code"] != "internal", (name, ended["error"])
