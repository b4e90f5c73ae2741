"""A segmenter is trained on a page: curves and examples as they come, cancelled, and gone on with."""

from __future__ import annotations

import io
import zipfile

import cv2
import numpy as np
import pytest

pytest.importorskip(
    "torch", reason="the extra [train] is not installed; `make test-train` runs this"
)
pytestmark = pytest.mark.train


def plates(count: int = 20) -> bytes:
    """A zip of grey plates with dark stains beside their masks."""
    rng, data = np.random.default_rng(3), io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for k in range(count):
            pixels = rng.normal(140, 6, (64, 64)).astype(np.uint8)
            mask = np.zeros((64, 64), np.uint8)
            if k % 4:
                place = rng.integers(14, 50, 2).tolist()
                cv2.circle(pixels, place, 7, 30, -1)
                cv2.circle(mask, place, 7, 255, -1)
            for folder, image in (("images", pixels), ("masks", mask)):
                made.writestr(f"{folder}/{k}.png", cv2.imencode(".png", image)[1].tobytes())
    return data.getvalue()


def test_a_segmenter_is_trained_cancelled_and_gone_on_with(served):
    client = served.client("engineer")
    assert "this server cannot yet" not in client.get("/train").text
    form = {"part": "plate", "kind": "masks", "minutes": "0.4"}
    number = client.post("/api/train", files=[("files", ("a.zip", plates()))], data=form).json()[
        "id"
    ]
    job = served.state.jobs.get(number)
    while job.state in ("waiting", "running") and not (job.live or {}).get("epochs"):
        job = served.state.jobs.wait(number, job, 60)
    assert job.state == "running", job.error
    client.post(f"/api/jobs/{number}/cancel")
    client.get(f"/api/jobs/{number}/events")
    assert served.state.jobs.get(number).state == "cancelled"
    assert "Go on" in client.get(f"/train/{number}").text
    second = client.post(f"/api/train/{number}/again").json()["id"]
    client.get(f"/api/jobs/{second}/events")
    found = served.state.jobs.get(second)
    assert found.state == "done", found.error
    # It went on: the first epoch that it told of is not the first one of all.
    assert found.live["epochs"][0]["epoch"] > 1
    example = found.live["example"]
    if example is not None:
        answer = client.get(f"/api/train/{second}/examples/{example}")
        assert answer.headers["content-type"] == "image/jpeg"
    made = client.post(f"/api/train/{second}/activate", json={}).json()
    assert made["product"] == "plate"
    page = client.get("/recipes/plate").text
    assert "Marked from probability" in page
    assert client.get(f"/train/{second}").status_code == 200
