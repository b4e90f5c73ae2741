"""Pages and addresses of records: searches, one part, exports, and what other recipes say."""

from __future__ import annotations

import csv
import io

import polars as pl
import pytest

from flawline.errors import UsageError
from flawline.server.search import parse_search, search_of, word_for, words_of
from helpers.charted_house import COUNT, HOSTILE, ODD, fill_charts


@pytest.fixture
def filled(served):
    """The server with 80 parts."""
    fill_charts(served.state)
    return served


def send(client, picture, **fields):
    answer = client.post("/api/inspect", files={"picture": ("a.png", picture)}, data=fields)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("words", [["lot:a b", 'part:"x"'], ["it's", "lot:\\"], [HOSTILE]])
def test_the_words_of_a_search_come_back(words):
    assert words_of(search_of(words)) == words
    assert parse_search(word_for("lot", words[0])).names == {"lot": words[0]}


def test_areas_of_classes_and_decisions_are_searched_for(filled):
    assert dict(parse_search("stain.area>=20").least) == {"largest_area_stain": 20.0}
    assert parse_search("decided:no").decided is False
    with pytest.raises(UsageError):
        parse_search("decided:perhaps")
    client = filled.client("viewer")
    for text, count in (("stain.area>20", 1), ("stain.area>200", 0), ("defects>0 decided:no", 1)):
        found = client.get("/api/records", params={"q": text}).json()["records"]
        assert len(found) == count, text


def test_the_page_says_what_was_found_and_lets_words_be_taken_away(filled):
    page = filled.client("viewer").get("/records", params={"q": "verdict:reject lot:L1"}).text
    assert "1 of the last 1 picture rejected" in page
    assert (
        'href="/records?q=lot%3AL1&amp;view=gallery" aria-label="verdict:reject, take away"' in page
    )
    assert 'href="/records?q=verdict%3Areject&amp;view=gallery"' in page
    more = filled.client("viewer").get("/records").text
    assert "data-older" in more
    after = more.split("after=")[1].split('"')[0]
    older = filled.client("viewer").get(f"/records?after={after}").text
    assert older.count('class="card"') == COUNT - 60


def test_a_part_is_shown_with_its_steps_and_decisions(served, good_picture, bad_picture):
    client = served.client("operator")
    send(client, good_picture, part="A7", step="cast", captured="2026-03-01T06:00:00Z")
    send(client, bad_picture, part="A7", step="coat", captured="2026-03-01T07:00:00Z")
    served.state.products.get("disc").station.flush()
    page = client.get("/part", params={"name": "A7"}).text
    assert "Part A7: 2 pictures in 2 steps; rejected at last at coat:" in page
    assert page.index("cast <span") < page.index("coat <span")
    number = client.get("/api/records").json()["records"][0]["id"]
    client.post(f"/api/records/{number}/decisions", json={"verdict": "accept", "why": "a hair"})
    assert "accepted by operator at last at coat: a hair." in client.get("/part?name=A7").text
    missing = client.get("/part?name=B", headers={"Accept": "text/html"})
    assert missing.status_code == 404
    assert "There is no inspection of the part" in missing.text.replace("there is", "There is")


def test_each_recipe_is_asked_again(served, bad_picture):
    client = served.client("operator")
    send(client, bad_picture, part="A7")
    served.state.products.get("disc").station.flush()
    kept = client.get("/api/records").json()["records"][0]
    assert kept["recipe"][:12] in client.get("/part?name=A7").text
    address = f"/api/records/{kept['id']}/replay"
    found = client.post(address, json={}).json()
    assert (found["verdict"], found["same"], found["differences"]) == ("reject", True, [])
    assert client.post(address, json={"recipe": kept["recipe"]}).json() == found
    unknown = client.post(address, json={"recipe": "0" * 64})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "picture-missing")
    assert client.post(address, json={"recipe": "../x"}).status_code == 422
    assert len(client.get("/api/records").json()["records"]) == 1


def test_what_a_search_finds_is_taken_out_as_tables(filled):
    client = filled.client("viewer")
    answer = client.get("/api/records/export", params={"q": "lot:L1"})
    assert answer.headers["content-disposition"] == 'attachment; filename="inspections.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["part"] for row in rows] == [f"{number:04}" for number in range(20, 40)]
    table = client.get("/api/records/export", params={"form": "parquet"}).content
    assert pl.read_parquet(io.BytesIO(table)).height == COUNT
    defects = client.get("/api/records/export", params={"table": "defects"}).text
    assert defects.splitlines()[1].startswith(f"{ODD + 1},cam/{ODD:04}.png")
    assert client.get("/api/records/export", params={"table": "x"}).status_code == 422
    assert client.get("/api/records/export", params={"q": "colour:red"}).status_code == 422


def test_names_that_hold_markup_run_nothing(served):
    fill_charts(served.state, product=HOSTILE, part=HOSTILE, lot=HOSTILE)
    client = served.client("operator")
    for path, query in (
        ("/records", {"q": word_for("lot", HOSTILE)}),
        ("/records", {"view": "table"}),
        ("/part", {"name": HOSTILE}),
        ("/records/3", {}),
    ):
        answer = client.get(path, params=query)
        assert answer.status_code == 200, path
        assert "<img src=x" not in answer.text, path
        assert "<script>alert" not in answer.text, path
    assert "'" not in client.get("/api/records/export").text.splitlines()[1][:1]
