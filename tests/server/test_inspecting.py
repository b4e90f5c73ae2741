"""Pictures are judged, recorded once, decided about and shown."""

from __future__ import annotations

import io
import threading
import zipfile

import pytest
from PIL import Image

from flawline.server.errors import ServerError
from flawline.server.work_queue import WorkQueue


def send(client, picture, key=None, **fields):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(
        "/api/inspect", files={"picture": ("a.png", picture)}, data=fields, headers=headers
    )


def test_a_picture_is_judged_and_recorded(served, good_picture, bad_picture):
    client = served.client("operator")
    good = send(client, good_picture, lot="L7", part="0042").json()
    bad = send(client, bad_picture, lot="L8").json()
    assert (good["product"], bad["verdict"]) == ("disc", "reject")
    assert bad["defects"]
    served.state.products.get("disc").station.flush()
    listed = client.get("/api/records").json()["records"]
    assert [one["lot"] for one in listed] == ["L8", "L7"]
    found = client.get("/api/records", params={"q": "lot:L7 part:0042"}).json()["records"]
    assert [one["verdict"] for one in found] == [good["verdict"]]
    number = listed[0]["id"]
    picture = client.get(f"/api/records/{number}/picture")
    assert Image.open(io.BytesIO(picture.content)).size == (96, 96)
    small = client.get(f"/api/records/{number}/picture", params={"side": 48})
    assert Image.open(io.BytesIO(small.content)).size == (48, 48)
    heat = Image.open(io.BytesIO(client.get(f"/api/records/{number}/heat").content))
    # It glows at the squares, and is clear in a corner.
    assert heat.mode == "RGBA"
    alpha = heat.getchannel("A")
    assert alpha.getpixel((0, 0)) == 0
    assert max(alpha.tobytes()) > 200


def test_a_repeated_key_is_recorded_once(served, good_picture):
    client = served.client("operator")
    first, second = (send(client, good_picture, key="k1").json() for _ in range(2))
    assert first == second
    send(client, good_picture, key="k2")
    served.state.products.get("disc").station.flush()
    assert len(client.get("/api/records").json()["records"]) == 2


@pytest.mark.parametrize(
    ("picture", "code"),
    [(b"", "image"), (b"no picture", "image"), (b"\x89PNG\r\n\x1a\n" + bytes(50), "image")],
)
def test_what_is_no_picture_is_an_error_and_a_record(served, picture, code):
    client = served.client("operator")
    answer = send(client, picture, lot="L9")
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["code"].startswith(code)
    served.state.products.get("disc").station.flush()
    kept = client.get("/api/records").json()["records"]
    assert [one["verdict"] for one in kept] == [None]


def test_an_unknown_product_is_named(served, good_picture):
    answer = send(served.client("operator"), good_picture, product="other")
    assert answer.status_code == 404
    assert answer.json()["error"]["hint"] == "products with a recipe: disc"


def test_decisions_are_in_the_name_of_whoever_is_signed_in(served, bad_picture):
    client = served.client("operator")
    send(client, bad_picture)
    served.state.products.get("disc").station.flush()
    number = client.get("/api/records").json()["records"][0]["id"]
    body = {"verdict": "accept", "why": "a reflection", "who": "somebody else"}
    kept = client.post(f"/api/records/{number}/decisions", json=body).json()
    assert kept["decisions"][0]["who"] == "operator"
    assert kept["verdict"] == "reject"
    assert client.post("/api/records/99/decisions", json=body).status_code == 404
    assert (
        client.post(
            f"/api/records/{number}/decisions", json={"verdict": "x", "why": "y"}
        ).status_code
        == 422
    )


def test_many_pictures_are_judged_as_a_job(served, good_picture, bad_picture):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", good_picture)
        archive.writestr("b.png", bad_picture)
        archive.writestr("c.png", b"no picture")
    client = served.client("operator")
    files = {"files": ("parts.zip", buffer.getvalue())}
    job = client.post("/api/inspect/many", files=files, data={"lot": "L3"}).json()
    events = client.get(f"/api/jobs/{job['id']}/events").text
    assert '"state": "done"' in events
    result = client.get(f"/api/jobs/{job['id']}").json()["result"]
    assert result["counts"]["reject"] == 1
    assert [one["image"] for one in result["unjudged"]] == ["c.png"]
    assert len(client.get("/api/records", params={"q": "lot:L3"}).json()["records"]) == 3


def test_names_of_uploads_stay_inside(served, good_picture):
    client = served.client("operator")
    files = [
        ("files", (name, good_picture)) for name in ("../../x.png", "/etc/x.png", "a/../b.png")
    ]
    job = client.post("/api/inspect/many", files=files).json()
    client.get(f"/api/jobs/{job['id']}/events")
    place = served.state.jobs.place(job["id"])
    sent = place / "pictures"
    names = sorted(path.relative_to(sent).as_posix() for path in sent.rglob("*.png"))
    assert names == ["a/b.png", "etc/x.png", "x.png"]
    assert not list(served.state.settings.data.parent.glob("x.png"))


def test_too_much_at_once_is_refused_and_nothing_grows():
    import asyncio

    queue = WorkQueue(1, 1)
    go = threading.Event()

    async def crowd():
        first = asyncio.create_task(queue.run(go.wait))
        second = asyncio.create_task(queue.run(lambda: 2))
        await asyncio.sleep(0)
        with pytest.raises(ServerError) as refused:
            await queue.run(lambda: 3)
        assert (refused.value.code, refused.value.retry_after) == ("busy", 1)
        go.set()
        assert await first
        return await second

    assert asyncio.run(crowd()) == 2
    assert queue.inside == 0
    queue.close()
    with pytest.raises(ServerError, match="stops"):
        asyncio.run(queue.run(lambda: 1))


def test_a_body_that_is_too_large_is_refused(tmp_path, disc_recipe):
    from starlette.testclient import TestClient

    from flawline.server.app import server_app
    from flawline.server.settings import ServeSettings
    from flawline.server.state import opened_state

    settings = ServeSettings(tmp_path / "small", hosts=("testserver",), most_upload=1000)
    with opened_state(settings) as state:
        client = TestClient(server_app(state))
        answer = client.post("/api/sign-in", content=bytes(2000))
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too-large")


def test_figures_for_prometheus(served, good_picture):
    client = served.client("operator")
    send(client, good_picture)
    text = client.get("/metrics").text
    assert 'flawline_verdicts_total{product="disc",verdict=' in text
    assert 'flawline_stage_seconds_count{stage="model"} 1.0' in text


def test_a_recipe_is_uploaded_brought_back_and_downloaded(served, disc_recipe, good_picture):
    client = served.client("engineer")
    before = client.get("/api/recipes/disc").json()["recipe"]
    damaged = client.post("/api/recipes", files={"file": ("x.flaw", b"PK\x03\x04 no recipe")})
    assert damaged.status_code == 422, damaged.text
    made = client.post(
        "/api/recipes",
        files={"file": ("x.flaw", disc_recipe.read_bytes())},
        data={"product": "new"},
    )
    assert made.status_code == 201, made.text
    assert send(client, good_picture, product="new").json()["product"] == "new"
    back = client.post("/api/recipes/new/activate", json={"recipe": before})
    assert back.json()["recipe"] == before
    assert client.post("/api/recipes/new/activate", json={"recipe": "0" * 64}).status_code == 404
    assert client.get("/api/recipes/disc/file").content[:2] == b"PK"
    assert [one["product"] for one in client.get("/api/recipes").json()["products"]] == [
        "disc",
        "new",
    ]
