"""Sets of pictures to label through the API: made, drawn on, in conflict, compared, exported."""

from __future__ import annotations

import io
import json
import time
import zipfile
from types import MappingProxyType

import numpy as np
import pytest
from PIL import Image

from flawline.jobs.label.mask_png import grey_png
from flawline.server.app import server_app
from flawline.server.label_sets import LabelSets
from flawline.server.settings import ServeSettings
from flawline.server.state import opened_state
from helpers.discs import disc, spoilt
from helpers.full_house import png
from helpers.label_sets import CLASSES, key, label_set, mark, write_parts
from helpers.served_app import served_app

MINE, THEIRS = mark((1, 20, 20, 28, 60)), mark((1, 20, 24, 28, 64), (2, 60, 60, 75, 80))


@pytest.fixture(scope="module")
def shared(tmp_path_factory, disc_recipe):
    with served_app(tmp_path_factory.mktemp("labels"), disc_recipe) as found:
        yield found


@pytest.fixture
def served(shared):
    """A server that the tests of this file share, without a set."""
    for one in shared.state.labels.list():
        shared.state.labels.remove(one.id)
    return shared


@pytest.fixture
def number(served, tmp_path):
    return label_set(served.state, tmp_path / "discs")


def put(client, number, name, mask, version=0, **query):
    address = f"/api/labels/{number}/pictures/{name}/mask"
    files = {"mask": ("mask.png", mask if isinstance(mask, bytes) else grey_png(mask))}
    return client.put(address, files=files, params=query, headers={"If-Match": f'"{version}"'})


def mask_of(client, number, name, **query):
    answer = client.get(f"/api/labels/{number}/pictures/{name}/mask", params=query)
    return np.asarray(Image.open(io.BytesIO(answer.content))), answer.headers["etag"]


def zipped_parts(**more):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for k in range(3):
            archive.writestr(f"part_{k}.png", png(disc(k)))
        for name, data in more.items():
            archive.writestr(name, data)
    return {"files": ("Discs.zip", buffer.getvalue())}


def test_a_zip_becomes_a_set_and_its_masks_a_zip(served):
    client = served.client("operator")
    made = client.post("/api/labels", files=zipped_parts(), data={"classes": "scratch, stain"})
    assert made.status_code == 201, made.text
    found = made.json()
    assert (found["title"], found["classes"]) == ("Discs", ["scratch", "stain"])
    assert found["counts"]["todo"] == found["counts"]["all"] == 3
    address = f"/api/labels/{found['id']}"
    rows = client.get(f"{address}/pictures").json()["pictures"]
    saved = put(client, found["id"], rows[0]["key"], MINE, done=True)
    assert saved.status_code == 200, saved.text
    assert saved.json()["state"] == "done"
    zipped = client.get(f"{address}/finished")
    with zipfile.ZipFile(io.BytesIO(zipped.content)) as archive:
        assert archive.namelist() == ["masks/part_0.png", "labels-coco.json"]
        picture = Image.open(io.BytesIO(archive.read("masks/part_0.png")))
        np.testing.assert_array_equal(np.asarray(picture), MINE)
        document = json.loads(archive.read("labels-coco.json"))
    assert [one["area"] for one in document["annotations"]] == [320]
    assert client.get(f"{address}/finished").content == zipped.content


def test_a_folder_is_chosen_by_its_name_alone(tmp_path, disc_recipe):
    from starlette.testclient import TestClient

    from flawline.server.state import first_link

    parts = write_parts(tmp_path / "parts")
    settings = ServeSettings(
        tmp_path / "server", hosts=("testserver",), folders=MappingProxyType({"discs": parts})
    )
    with opened_state(settings) as state:
        client = TestClient(server_app(state))
        begun = client.post("/api/sign-in/link", json={"link": first_link(state.store)}).json()
        client.headers["X-CSRF-Token"] = begun["csrf"]
        made = client.post("/api/labels", data={"folder": "discs", "classes": "stain"})
        assert made.json()["folder"] == "discs"
        assert str(tmp_path) not in made.text
        assert put(client, made.json()["id"], key(1), MINE, done=True).is_success
        for name in ("other", str(parts), "../parts"):
            refused = client.post("/api/labels", data={"folder": name})
            assert refused.status_code == 404, refused.text
        assert client.post("/api/labels", data={}).status_code == 422
    assert (parts / "masks" / "part_1.png").is_file()
    assert (parts / "labels-coco.json").is_file()


def test_what_somebody_else_saved_is_never_overwritten_unseen(served, number):
    anna, ben = served.client("operator"), served.client("engineer")
    assert put(anna, number, key(1), MINE).json()["version"] == 1
    refused = put(ben, number, key(1), THEIRS)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "label-conflict")
    assert "operator saved version 1" in refused.json()["error"]["message"]
    found, etag = mask_of(ben, number, key(1))
    np.testing.assert_array_equal(found, MINE)
    assert etag == '"1"'
    assert put(ben, number, key(1), THEIRS, version=1).json()["who"] == "engineer"
    shown = ben.get(f"/api/labels/{number}/pictures/{key(1)}").json()
    assert shown["first"] == "operator"
    np.testing.assert_array_equal(mask_of(ben, number, key(1), who="operator")[0], MINE)


def test_second_opinions_are_compared(served, number):
    anna, ben = served.client("operator"), served.client("engineer")
    put(anna, number, key(1), MINE, done=True)
    rows = ben.get(f"/api/labels/{number}/pictures", params={"queue": "second"}).json()
    assert [one["key"] for one in rows["pictures"]] == [key(1)]
    put(ben, number, key(1), THEIRS, done=True, own=True)
    address = f"/api/labels/{number}/pictures/{key(1)}"
    compared = ben.get(f"{address}/comparison", params={"one": "operator", "other": "engineer"})
    assert compared.json() == {
        "iou": pytest.approx(288 / 652),
        "by_class": {"scratch": pytest.approx(0.8182, abs=1e-4), "stain": 0.0},
        "one_only": 32,
        "other_only": 332,
        "both": 288,
        "renamed": 0,
    }
    rows = ben.get(f"/api/labels/{number}/pictures", params={"queue": "disagreements"}).json()
    assert [one["agreement"] for one in rows["pictures"]] == [0.0]


@pytest.mark.parametrize(
    ("mask", "version", "code"),
    [
        (b"", "0", "image-empty"),
        (b"GIF89a no picture", "0", "image"),
        (grey_png(np.zeros((5, 5), np.uint8)), "0", "image-mask-size"),
        (grey_png(np.full((96, 96), 9, np.uint8)), "0", "image-mask-value"),
        (png(disc(3)), "0", "image-mask"),
        (grey_png(MINE), "latest", "usage"),
        (grey_png(MINE), "7", "label-conflict"),
    ],
)
def test_masks_that_cannot_be_taken(served, number, mask, version, code):
    answer = put(served.client("operator"), number, key(0), mask, version)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["code"].startswith(code), answer.text


def test_the_wand_takes_a_click_and_a_box(served, number):
    client = served.client("operator")
    address = f"/api/labels/{number}/pictures/{key(1)}/wand"
    region = client.post(address, json={"x": 48, "y": 70, "tolerance": 40}).json()["region"]
    width, height = region["box"][2:]
    assert sum(region["runs"]) == width * height
    assert sum(region["runs"][1::2]) == region["area"] > 500
    boxed = client.post(address, json={"box": [20, 20, 60, 60]}).json()["region"]
    assert boxed["area"] > 50
    assert client.post(address, json={"x": 5000, "y": 1}).json() == {"region": None}
    for body in ({"x": -1}, {"tolerance": 999}, {"box": [1, 2]}, {"box": "all"}):
        assert client.post(address, json=body).status_code == 422
    assert client.post(address, json={"box": [10**9, 0, 10**9, 5]}).json() == {"region": None}


def test_a_recipe_proposes_and_an_audit_suspects(served, number):
    client = served.client("operator")
    address = f"/api/labels/{number}/pictures/{key(1)}"
    regions = client.post(f"{address}/proposals", params={"product": "disc"}).json()["regions"]
    assert regions
    assert {one["label"] for one in regions} == {"anomaly"}
    assert regions[0]["class"] is None
    assert regions[0]["outlines"]
    assert client.post(f"{address}/proposals", params={"product": "x"}).status_code == 404
    document = {
        "images": [{"id": 1, "file_name": "images/part_1.png", "height": 96, "width": 96}],
        "categories": [{"id": 1, "name": "scratch"}],
        "annotations": [
            {
                "image_id": 1,
                "category_id": 1,
                "segmentation": {"size": [96, 96], "counts": [0, 30, 96 * 96 - 30]},
                "score": 0.97,
                "kind": "missing",
                "given": "background",
            }
        ],
    }
    sent = client.put(
        f"/api/labels/{number}/suspects", files={"file": ("a.json", json.dumps(document))}
    )
    assert sent.json()["counts"]["suspects"] == 1
    (one,) = client.get(f"{address}/suspects").json()["regions"]
    assert (one["class"], one["given"], one["area"]) == (1, "background", 30)
    assert client.delete(f"{address}/suspects").status_code == 204
    assert client.get(f"/api/labels/{number}").json()["counts"]["suspects"] == 0
    wrong = client.put(f"/api/labels/{number}/suspects", files={"file": ("a.json", b"[1]")})
    assert wrong.json()["error"]["code"] == "annotations"


def test_training_says_what_to_install_or_how_many_masks_are_missing(served, number):
    client = served.client("engineer")
    for what in ("train", "audit"):
        refused = client.post(f"/api/labels/{number}/{what}", json={"minutes": 1})
        assert refused.status_code == 422
        error = refused.json()["error"]
        assert (
            "[train]" in error["hint"] or "expected at least 4 finished masks" in error["message"]
        )


def test_a_set_is_put_away_and_brought_back(served, number, tmp_path):
    client = served.client("engineer")
    put(client, number, key(1), MINE, done=True)
    assert client.delete(f"/api/labels/{number}").status_code == 204
    assert client.get("/api/labels").json()["sets"] == []
    assert client.get(f"/api/labels/{number}").status_code == 404
    assert (tmp_path / "discs" / "masks" / "part_1.png").is_file()
    assert client.post(f"/api/labels/{number}/restore").json()["counts"]["done"] == 1
    assert client.post("/api/labels/other/restore").status_code == 404


def test_pictures_come_in_pages_small_and_whole(served, number, tmp_path):
    client = served.client("viewer")
    address = f"/api/labels/{number}/pictures"
    page = client.get(address, params={"offset": 4, "count": 4, "around": key(5)}).json()
    assert (page["total"], page["place"], len(page["pictures"])) == (6, 5, 2)
    image = client.get(f"{address}/{key(1)}/image")
    assert Image.open(io.BytesIO(image.content)).size == (96, 96)
    small = client.get(f"{address}/{key(1)}/image", params={"side": 64})
    assert max(Image.open(io.BytesIO(small.content)).size) <= 160
    assert client.get(f"{address}/{'0' * 20}/image").status_code == 404
    (tmp_path / "discs" / "images" / "part_9.png").write_bytes(png(spoilt(9)))
    assert client.get(address).json()["total"] == 6
    served.client("operator").post(f"/api/labels/{number}/refresh")
    assert client.get(address).json()["total"] == 7


def test_a_set_whose_pictures_are_gone_is_named_and_the_others_stay(served, number, tmp_path):
    import shutil

    label_set(served.state, tmp_path / "others")
    served.state.labels.close()
    shutil.rmtree(tmp_path / "discs")
    sets = {one["id"]: one for one in served.client("viewer").get("/api/labels").json()["sets"]}
    assert sets[number]["problem"] == "the pictures of this set are no longer where they were"
    assert sorted(one["pictures"] or 0 for one in sets.values()) == [0, 6]
    page = served.client("viewer").get("/label")
    assert page.status_code == 200
    assert sets[number]["problem"] in page.text
    assert str(tmp_path) not in page.text
    assert served.client("engineer").delete(f"/api/labels/{number}").status_code == 204


def test_classes_are_renamed_and_hostile_names_stay_text(served, number):
    client = served.client("operator")
    name = '"><img src=x onerror=alert(1)>'
    changed = client.patch(f"/api/labels/{number}", json={"classes": [*CLASSES, name]})
    assert changed.json()["classes"][2] == name
    page = client.get(f"/label/{number}").text
    assert "<img src=x" not in page
    assert client.patch(f"/api/labels/{number}", json={"classes": ["one"]}).status_code == 422


def test_archives_that_leave_their_folder_are_refused_and_leave_nothing(served):
    client = served.client("operator")
    files = zipped_parts(**{"../../outside.png": png(disc(9))})
    answer = client.post("/api/labels", files=files)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["code"].startswith("archive")
    assert client.get("/api/labels").json()["sets"] == []
    root = served.state.settings.data
    assert not list(root.parent.rglob("outside.png"))
    assert list((root / "labels").glob("[!.]*")) == []


def test_thousands_of_pictures_are_listed_by_page(served, tmp_path):
    folder = tmp_path / "many" / "images"
    folder.mkdir(parents=True)
    data = png(disc(1))
    for number in range(3000):
        (folder / f"{number}.png").write_bytes(data)
    from flawline.data.image import DEFAULT_IMAGE_LIMITS
    from flawline.jobs.label.new_set import set_of_folder

    number = served.state.labels.make(
        "Many",
        "eva",
        CLASSES,
        "",
        lambda wish, place: set_of_folder(wish, folder.parent, place, DEFAULT_IMAGE_LIMITS),
    )
    answer = served.client("viewer").get(f"/api/labels/{number}/pictures", params={"offset": 2990})
    assert [one["name"] for one in answer.json()["pictures"]][-1] == "images/2999.png"
    assert len(answer.content) < 20_000


def test_sets_are_opened_again_after_a_restart(served, number, tmp_path):
    put(served.client("operator"), number, key(1), MINE, done=True)
    again = LabelSets(served.state.settings.data / "labels", served.state.limits)
    assert [one.title for one in again.list()] == ["Discs"]
    assert again.get(number).label(key(1)).done
    again.close()


def test_the_coco_file_follows_without_being_asked(served, number, tmp_path):
    put(served.client("operator"), number, key(1), MINE, done=True)
    path = tmp_path / "discs" / "labels-coco.json"
    for _ in range(200):
        if path.is_file():
            break
        time.sleep(0.05)
    assert len(json.loads(path.read_text())["annotations"]) == 1
