"""Rankings through the API: what the contact sheet is made of, and where pictures may come from."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from flawline.core.drawing import thumbnail
from flawline.server.app import server_app
from flawline.server.settings import ServeSettings
from flawline.server.state import opened_state
from flawline.server.work.contact_sheet import TILE, TILES, nearest
from helpers.discs import disc, spoilt, write

from .conftest import png

NAMES = ("<img src=x onerror=alert(1)>.png", "=1+1.png", "plain.png")


def ranked(client, files=None, **form):
    """Rank and return the address of the ranking."""
    answer = client.post("/api/rank", files=files, data=form)
    assert answer.status_code == 202, answer.text
    job = answer.json()["id"]
    assert '"state": "done"' in client.get(f"/api/jobs/{job}/events").text
    return f"/api/rank/{job}"


def archive():
    """Eleven discs and a spoilt one, some of hostile names."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for k in range(11):
            made.writestr(f"{k}.png" if k >= 3 else NAMES[k], png(disc(k)))
        made.writestr("odd.png", png(spoilt(3, left=60, top=12, size=24)))
    return [("files", ("parts.zip", data.getvalue()))]


@pytest.fixture
def ranking(served):
    client = served.client("operator")
    return client, ranked(client, archive())


def test_the_sheet_says_where_each_picture_stands(ranking):
    client, address = ranking
    sheet = client.get(f"{address}/sheet").json()
    rows = sheet["pictures"]
    assert [row["rank"] for row in rows] == list(range(1, 13))
    odd = rows[0]
    assert (odd["image"], odd["size"], sheet["marks"]) == ("odd.png", [96, 96], {})
    assert odd["reasons"]
    # The squares lie at the upper right.
    assert odd["place"][0] > 0.5 > odd["place"][1]
    assert 0 < odd["spot"] < 0.5
    places = np.array([row["at"] for row in rows])
    assert np.abs(places).max() == 1
    assert len({tuple(place) for place in places.tolist()}) > 6
    heat = Image.open(io.BytesIO(client.get(f"{address}/pictures/1/heat").content))
    assert heat.mode == "RGBA"
    assert max(heat.getchannel("A").tobytes()) == 255
    whole = Image.open(io.BytesIO(client.get(f"{address}/pictures/1/whole").content))
    assert whole.size == (96, 96)
    tiles = Image.open(io.BytesIO(client.get(f"{address}/tiles/0").content))
    assert tiles.size == (TILE * TILES, TILE)
    for path in (
        "pictures/13",
        "pictures/0/whole",
        "pictures/13/like",
        "tiles/1",
        "pictures/13/heat",
    ):
        assert client.get(f"{address}/{path}").status_code == 404, path


def test_tiles_show_the_pictures_in_their_order(ranking):
    client, address = ranking
    tiles = np.asarray(Image.open(io.BytesIO(client.get(f"{address}/tiles/0").content)), float)
    for rank in (1, 7):
        picture = Image.open(io.BytesIO(client.get(f"{address}/pictures/{rank}").content))
        own = thumbnail(np.asarray(picture), TILE)
        tile = tiles[:, (rank - 1) * TILE : rank * TILE]
        assert np.abs(tile - own).mean() < 6


def test_likeness_is_by_features():
    places = np.array([[0.0, 0], [3, 0], [0.5, 0], [0, 0.5]])
    assert nearest(places, 1) == [(3, 0.5), (4, 0.5), (2, 3.0)]


def test_like_pictures_are_listed(ranking):
    client, address = ranking
    like = client.get(f"{address}/pictures/1/like", params={"count": 20}).json()["like"]
    assert sorted(one["rank"] for one in like) == list(range(2, 13))
    distances = [one["distance"] for one in like]
    assert distances == sorted(distances)
    assert len(client.get(f"{address}/pictures/1/like", params={"count": 3}).json()["like"]) == 3


def test_marks_are_a_table_that_no_spreadsheet_runs(ranking):
    client, address = ranking
    client.put(f"{address}/marks", json={"marks": {"odd.png": "bad", "=1+1.png": "good"}})
    rows = client.get(f"{address}/marks.csv").text.splitlines()
    assert rows[0] == "rank,image,score,label,mark"
    assert rows[1].startswith("1,odd.png,")
    assert rows[1].endswith(",bad")
    assert sum(",'=1+1.png," in row and row.endswith(",good") for row in rows) == 1


def test_hostile_names_are_text_on_the_page(ranking):
    client, address = ranking
    page = client.get(f"/rank/{address.rpartition('/')[2]}").text
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;.png" in page


def test_a_folder_is_chosen_by_the_name_that_the_server_knows(tmp_path, served):
    for k in range(10):
        write(tmp_path / "shared" / f"{k}.png", disc(k))
    settings = ServeSettings(
        tmp_path / "other", hosts=("testserver",), folders={"press 3": tmp_path / "shared"}
    )
    with opened_state(settings) as state:
        served = type(served)(state, lambda role: _client(state, role))
        client = served.client("operator")
        assert "press 3" in client.get("/rank").text
        address = ranked(client, folder="press 3")
        assert client.get(f"{address}/pictures/1/whole").status_code == 200
        for name in (str(tmp_path / "shared"), "../shared", "press 4", "/etc"):
            answer = client.post("/api/rank", data={"folder": name})
            assert answer.status_code == 404
            assert "press 3" in answer.json()["error"]["hint"]
        # The folder is the station's: ranking and removing it leaves the pictures.
        number = address.rpartition("/")[2]
        assert client.delete(f"/api/jobs/{number}").status_code == 204
        assert len(list((tmp_path / "shared").iterdir())) == 10


def _client(state, role):
    from datetime import UTC, datetime

    from starlette.testclient import TestClient

    from flawline.server.credentials import digest, new_secret

    now, secret = datetime.now(UTC), new_secret()
    found = state.store.accounts.find(role) or state.store.accounts.add(role, role, now)
    state.store.accounts.let_in(found, "token", digest(secret), now)
    return TestClient(server_app(state), headers={"Authorization": f"Bearer {secret}"})


def test_neither_files_nor_a_folder_is_refused(served):
    client = served.client("operator")
    assert client.post("/api/rank").json()["error"]["code"] == "usage"
    both = client.post("/api/rank", files=archive(), data={"folder": "x"})
    assert both.json()["error"]["message"].endswith("got both")


def test_what_cannot_be_ranked_says_why(served):
    client = served.client("operator")
    job = client.post("/api/rank", files=[("files", ("a.zip", b"no zip"))]).json()["id"]
    assert '"state": "failed"' in client.get(f"/api/jobs/{job}/events").text
    page = client.get(f"/rank/{job}").text
    assert "The pictures could not be ranked." in page
    assert client.get(f"/api/rank/{job}/sheet").status_code == 404


def test_a_folder_that_is_not_there_stops_the_start(tmp_path):
    from flawline.errors import UsageError

    with pytest.raises(UsageError, match="`folder` calls 'x'"):
        ServeSettings(tmp_path, folders={"x": tmp_path / "nowhere"})


def test_folders_are_read_from_the_command(tmp_path, capsys):
    from flawline.cli.main import run

    for text in ("castings", "=x", "a=", "a=."):
        given = ["--folder", text] if text != "a=." else ["--folder", "a=.", "--folder", "a=/"]
        assert run(["serve", "--data", str(tmp_path), *given]) == 2
        assert "--folder takes NAME=FOLDER" in capsys.readouterr().err
