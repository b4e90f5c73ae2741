"""Trainings on pages: choosing pictures, progress, cancelling, doing it again, curves as they come."""

from __future__ import annotations

import io
import threading
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flawline.server.pictures import jpeg
from helpers.discs import disc
from helpers.served_browser import House, ServedPage

from .conftest import png

FORM = {"part": "disc 4", "effort": "none"}


def archive(count: int = 14) -> list[Any]:
    """Discs in a zip, as a form sends them."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for k in range(count):
            made.writestr(f"good/{k}.png", png(disc(k)))
    return [("files", ("discs.zip", data.getvalue()))]


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Trainings wait in their first stage until they are cancelled; set the event to let later ones through."""
    from flawline.api import train

    whole, go_on = train.train_anomaly, threading.Event()

    def waiting(source: Any, *, track: Any, **more: Any) -> Any:
        def steps() -> Any:
            for step in range(10_000):
                if go_on.is_set():
                    return
                yield step
                threading.Event().wait(0.01)

        list(track(steps(), title="trying something", total=10_000))
        return whole(source, track=track, **more)

    monkeypatch.setattr(train, "train_anomaly", waiting)
    return go_on


def over(client: Any, number: str) -> dict[str, Any]:
    """Wait until a job is over."""
    client.get(f"/api/jobs/{number}/events")
    return dict(client.get(f"/api/jobs/{number}").json())


def test_a_cancelled_training_is_done_again_with_the_same_pictures(served, held):
    client = served.client("engineer")
    number = client.post("/api/train", files=archive(), data=FORM).json()["id"]
    assert client.post(f"/api/train/{number}/again").status_code == 404
    client.post(f"/api/jobs/{number}/cancel")
    assert over(client, number)["state"] == "cancelled"
    page = client.get(f"/train/{number}").text
    assert "The training was cancelled." in page
    assert "Train again with the same pictures" in page
    held.set()
    second = client.post(f"/api/train/{number}/again").json()["id"]
    found = over(client, second)
    assert (found["state"], found["result"]["part"]) == ("done", "disc 4")
    # The pictures went on to the second one, and are gone when a recipe came of them.
    assert "Train again" not in client.get(f"/train/{number}").text
    assert client.post(f"/api/train/{number}/again").status_code == 404
    place = served.state.jobs.place(second)
    assert not (place / "pictures").exists()
    assert client.post(f"/api/train/{second}/again").status_code == 404


def test_a_training_on_a_ranking_is_done_again(served, held):
    client = served.client("engineer")
    ranking = client.post("/api/rank", files=archive()).json()["id"]
    over(client, ranking)
    marks = {f"good/{k}.png": "good" for k in range(14)}
    client.put(f"/api/rank/{ranking}/marks", json={"marks": marks})
    page = client.get("/train", params={"ranking": ranking}).text
    assert "Learn from the 14 good ones of discs.zip." in page
    number = client.post(f"/api/rank/{ranking}/learn", json=FORM).json()["id"]
    client.post(f"/api/jobs/{number}/cancel")
    over(client, number)
    held.set()
    second = client.post(f"/api/train/{number}/again").json()["id"]
    assert over(client, second)["state"] == "done"
    client.delete(f"/api/jobs/{ranking}")
    third = client.post(f"/api/rank/{ranking}/learn", json=FORM)
    assert third.status_code == 404
    assert "Train again" not in client.get(f"/train/{number}").text


def test_what_training_on_masks_needs_is_said(served, monkeypatch):
    from flawline.errors import DependencyError
    from flawline.jobs.train.segment import extra
    from flawline.server.pages import train_page

    def missing() -> None:
        raise DependencyError("training segmenters: no torch", hint="pip install 'flawline[train]'")

    monkeypatch.setattr(extra, "require_extra", missing)
    train_page.segment_hint.cache_clear()
    client = served.client("engineer")
    try:
        page = client.get("/train").text
        assert "this server cannot yet: pip install &#39;flawline[train]&#39;" in page
        form = {**FORM, "kind": "masks"}
        found = over(client, client.post("/api/train", files=archive(), data=form).json()["id"])
        assert (found["state"], found["error"]["hint"]) == (
            "failed",
            "pip install 'flawline[train]'",
        )
    finally:
        train_page.segment_hint.cache_clear()


def test_a_part_without_a_name_is_that_of_its_pictures(served):
    client = served.client("engineer")
    data = {"effort": "none"}
    found = over(client, client.post("/api/train", files=archive(), data=data).json()["id"])
    assert found["result"]["part"] == "discs"
    assert client.post("/api/train", data={**FORM, "folder": "/etc"}).status_code == 404
    wrong = client.post("/api/train", files=archive(), data={**FORM, "effort": "heroic"})
    assert wrong.status_code == 422


def epoch(number: int) -> dict[str, Any]:
    """The record of an epoch as a segmenter's training tells it."""
    return {
        "epoch": number,
        "losses": {"total": 1 / number},
        "validation_loss": 1.2 / number,
        "iou": {"background": 0.99, "stain": 1 - 1 / number, "scratch": None},
        "mean_iou": 1 - 1 / number,
        "best": True,
    }


def test_curves_and_examples_appear_while_it_trains(page: ServedPage, house: House) -> None:
    steps = [threading.Event() for _ in range(2)]

    def work(track: Any, folder: Path) -> dict[str, Any]:
        track.tell(epochs=[epoch(1)])
        assert steps[0].wait(60)
        (folder / "examples").mkdir()
        (folder / "examples" / "2.jpg").write_bytes(jpeg(np.full((40, 120, 3), 99, np.uint8)))
        track.tell(epochs=[epoch(1), epoch(2), epoch(3)], example=2)
        assert steps[1].wait(60)
        raise RuntimeError("no recipe")

    job = house.state.jobs.start("train", "<b>disc</b>", "eva", work)
    page.open(f"/train/{job.id}")
    page.until(lambda: "Epoch 1: loss 1.000" in page.text("[data-live-words]"), "the first epoch")
    steps[0].set()
    page.until(
        lambda: (
            "Epoch 3: loss 0.333, mean IoU 66.7 %, the best so far."
            in page.text("[data-live-words]")
        ),
        "the third",
    )
    lines = page.all("[data-curve=loss] polyline")
    assert [len(line.get_attribute("points").split()) for line in lines] == [3, 3]
    # A class that was not measured has no curve.
    assert len(page.all("[data-curve=iou] polyline")) == 1
    image = page.find("[data-examples] img")
    page.until(lambda: page.script("return arguments[0].naturalWidth", image) == 120, "examples")
    assert page.faults() == []
    steps[1].set()
    page.until(lambda: "No recipe came of it." in page.text(), "the end")
    assert "Epoch 3" in page.text("[data-live-words]")
    house.state.jobs.remove(job.id)
