"""Versions of a recipe: thresholds and specification, tried on the records first; evidence, comparison."""

from __future__ import annotations

import io
import zipfile

import pytest

from flawline.server.spec_problem import spec_problem
from helpers.discs import disc, spoilt

from .conftest import png

SPEC = 'limits = [\n  { limit = "count", max = 0 },\n]\n'


def versions(client):
    return client.get("/api/recipes/disc").json()["versions"]


def change(client, **more):
    """A change of the version that judges now."""
    return {"recipe": client.get("/api/recipes/disc").json()["recipe"], **more}


def judged(served, good=6, bad=3):
    """Judge some discs; returns a client of an engineer."""
    client = served.client("engineer")
    for k in range(good + bad):
        picture = png(disc(500 + k) if k < good else spoilt(500 + k))
        client.post("/api/inspect", files={"picture": (f"{k}.png", picture)})
    served.state.products.get("disc").station.flush()
    return client


def test_thresholds_are_saved_as_a_version_and_brought_back(served):
    client = served.client("engineer")
    first = versions(client)[0]
    scores = client.get("/api/recipes/disc/scores").json()
    limit = scores["good"][-2]["score"]
    body = change(client, review=limit, reject=limit)
    made = client.post("/api/recipes/disc/versions", json=body).json()
    assert made["before"] == first["recipe"]
    now = client.get("/api/recipes/disc").json()
    assert (now["version"], now["recipe"], now["before"]) == (2, made["recipe"], first["recipe"])
    assert now["thresholds"]["review"] == limit
    assert "no promise is made" in now["thresholds"]["basis"]
    assert f"rejects 1 of {len(scores['good'])} good" in now["sentence"]
    assert served.state.products.get("disc").inspector.recipe.sha256 == made["recipe"]
    back = client.post("/api/recipes/disc/activate", json={"recipe": first["recipe"]}).json()
    assert back["before"] == made["recipe"]
    assert [(one["version"], one["active"]) for one in versions(client)] == [(2, False), (1, True)]


def test_a_change_of_another_version_is_not_saved_over_it(served):
    client = served.client("engineer")
    stale = change(client, review=1.0, reject=2.0)
    client.post("/api/recipes/disc/versions", json=change(client, review=3.0, reject=4.0))
    refused = client.post("/api/recipes/disc/versions", json=stale)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "changed")
    assert versions(client)[0]["active"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"review": 5.0, "reject": 1.0}, "expected at most reject"),
        ({"spec": 'limits = [{ limit = "colour", max = 1 }]'}, "unknown column 'colour'"),
        ({"spec": "limits = ["}, "not TOML"),
        ({"spec": "spec = 3"}, "expected a table"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(served, body, words):
    client = served.client("engineer")
    for path in ("versions", "what-if"):
        answer = client.post(f"/api/recipes/disc/{path}", json=change(client, **body))
        assert answer.status_code == 422, path
        assert words in answer.json()["error"]["message"]
    assert len(versions(client)) == 1


def test_what_would_change_is_what_changes(served):
    client = judged(served)
    records = client.get("/api/records").json()["records"]
    accepted = {one["id"] for one in records if one["verdict"] == "accept"}
    assert len(accepted) > 3
    strict = client.post(
        "/api/recipes/disc/what-if", json=change(client, review=-1e6, reject=-1e6)
    ).json()
    assert (strict["looked"], strict["more"], strict["untold"]) == (9, False, 0)
    assert {one["id"] for one in strict["changed"]} == {
        one["id"] for one in records if one["verdict"] != "reject"
    }
    assert {one["after"] for one in strict["changed"]} == {"reject"}
    same = client.post("/api/recipes/disc/what-if", json=change(client)).json()
    assert same["count"] == 0
    # A version that differs in its thresholds alone judged these parts too.
    client.post("/api/recipes/disc/versions", json=change(client, review=1e6, reject=1e6))
    again = client.post(
        "/api/recipes/disc/what-if", json=change(client, review=-1e6, reject=-1e6)
    ).json()
    assert (again["looked"], again["count"]) == (9, strict["count"])


def test_a_specification_is_checked_where_it_is_wrong(served):
    client = served.client("viewer")
    address = "/api/recipes/disc/spec"
    assert client.get(address).json()["classes"] == ["anomaly"]
    good = client.post(f"{address}/check", json={"text": SPEC}).json()
    assert good["ok"]
    assert good["clauses"] == [{"text": "count at most 0", "line": 2}]
    written = client.post(f"{address}/text", json={"table": good["table"]}).json()["text"]
    assert written == SPEC
    wrong = SPEC.replace("max = 0", 'max = "3 px"')
    found = client.post(f"{address}/check", json={"text": wrong}).json()
    assert not found["ok"]
    assert (found["problem"]["clause"], found["problem"]["line"]) == (0, 2)
    empty = client.post(f"{address}/check", json={"text": "  "}).json()
    assert empty == {"ok": True, "clauses": [], "table": {}}
    for table in ({"x": None}, {"x": [{"y": None}]}):
        assert client.post(f"{address}/text", json={"table": table}).status_code == 422


@pytest.mark.parametrize(
    ("clause", "field"),
    [
        ('{ limit = "area", max = "5 furlongs" }', "max"),
        ('{ limit = "area", min = "-3 px2" }', "min"),
        ('{ limit = "areal", max = "5 px2" }', "limit"),
        ('{ limit = "area", class = "stain", max = "5 px2" }', "class"),
        ('{ limit = "area", zone = "rim", max = "5 px2" }', "zone"),
        ('{ limit = "area", where = "area is large", max = "5 px2" }', "where"),
        ('{ limit = "area" }', "max"),
        ('{ limit = "score", max = 3 }', "weights"),
    ],
)
def test_the_field_of_an_error_is_named(clause, field):
    from flawline.errors import SpecError
    from flawline.specification.parse import parse_spec

    text = f'limits = [\n  {{ limit = "count", max = 3 }},\n  {clause},\n]\n'
    with pytest.raises(SpecError) as refused:
        parse_spec(text, classes=["anomaly"], has_scale=False)
    found = spec_problem(refused.value, text)
    assert (found["clause"], found["field"], found["line"]) == (1, field, 3)


def test_a_specification_is_saved_and_taken_away(served):
    client = judged(served)
    saved = client.post("/api/recipes/disc/versions", json=change(client, spec=SPEC))
    assert saved.status_code == 201
    assert client.get("/api/recipes/disc/spec").json()["text"] == SPEC
    bad = client.post("/api/inspect", files={"picture": ("x.png", png(spoilt(901)))}).json()
    assert any("count at most 0" in reason for reason in bad["reasons"])
    client.post("/api/recipes/disc/versions", json=change(client, spec=""))
    assert client.get("/api/recipes/disc/spec").json()["text"] == ""


def test_a_training_keeps_the_pictures_that_it_was_judged_by(served):
    client = served.client("engineer")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for k in range(14):
            made.writestr(f"good/{k}.png", png(disc(k)))
        for k in range(4):
            made.writestr(f"bad/{k}.png", png(spoilt(1000 + k)))
    form = {"part": "disc 3", "effort": "none"}
    job = client.post("/api/train", files=[("files", ("a.zip", data.getvalue()))], data=form)
    number = job.json()["id"]
    assert '"state": "done"' in client.get(f"/api/jobs/{number}/events").text
    made = client.post(f"/api/train/{number}/activate", json={}).json()
    scores = client.get("/api/recipes/disc 3/scores").json()
    assert scores["pictures"]
    assert (len(scores["bad"]), len(scores["good"])) == (4, 14)
    found = client.get("/api/recipes/disc 3").json()
    missed = found["metrics"]["defective"]["escape"]
    assert sum(row["score"] <= scores["review"] for row in scores["bad"]) == missed["count"]
    address = f"/api/evidence/{made['recipe']}/pictures/{scores['bad'][0]['picture']}"
    assert client.get(address).headers["content-type"] == "image/jpeg"
    assert client.get(f"{address}/heat").headers["content-type"] == "image/png"
    # A version with other thresholds has the same evidence, and counts by it.
    top = scores["bad"][-1]["score"]
    body = {"recipe": made["recipe"], "review": top, "reject": top}
    other = client.post("/api/recipes/disc 3/versions", json=body).json()["recipe"]
    assert client.get(address.replace(made["recipe"], other)).status_code == 200
    assert "misses 4 of 4 known bad" in client.get("/api/recipes/disc 3").json()["sentence"]
    for path in ("../x", "a" * 64, "a" * 63 + "/"):
        assert client.get(f"/api/evidence/{path}/pictures/0").status_code == 404
    page = client.get("/recipes/disc 3").text
    assert "bad/0.png" in page


def test_two_versions_are_compared_on_the_same_pictures(served):
    client = served.client("engineer")
    client.post("/api/recipes/disc/versions", json=change(client, review=1e6, reject=1e6))
    both = [one["recipe"] for one in versions(client)]
    page = client.get(
        "/compare", params={"first": f"disc:{both[1]}", "second": f"disc:{both[0]}"}
    ).text
    assert "disc version 1 beside disc version 2" in page
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for k in range(8):
            made.writestr(f"good/{k}.png", png(disc(900 + k)))
            made.writestr(f"bad/{k}.png", png(spoilt(900 + k)))
    form = {"first": f"disc:{both[1]}", "second": f"disc:{both[0]}"}
    job = client.post("/api/compare", files=[("files", ("a.zip", data.getvalue()))], data=form)
    number = job.json()["id"]
    assert '"state": "done"' in client.get(f"/api/jobs/{number}/events").text
    result = client.get(f"/api/jobs/{number}").json()["result"]
    assert result["names"] == ["disc version 1", "disc version 2"]
    assert result["pictures"] == 16
    assert "disc version 2 is worse than disc version 1" in result["finding"]
    assert result["finding"] in client.get(f"/compare/{number}").text
    assert client.get(f"/api/compare/{number}/report").status_code == 200
    same = {"first": f"disc:{both[0]}", "second": f"disc:{both[0]}"}
    files = [("files", ("a.zip", data.getvalue()))]
    assert client.post("/api/compare", files=files, data=same).json()["error"]["code"] == "usage"
    wrong = {"first": "disc:" + "0" * 64, "second": f"disc:{both[0]}"}
    assert client.post("/api/compare", files=files, data=wrong).status_code == 404


@pytest.mark.parametrize("name", ["disc/left", "disc\\left", "..", "a\tb"])
def test_a_name_that_no_address_holds_is_refused(served, name):
    client = served.client("engineer")
    file = client.get("/api/recipes/disc/file").content
    answer = client.post(
        "/api/recipes", files={"file": ("part.flaw", file)}, data={"product": name}
    )
    assert answer.status_code == 422
    assert "without / and \\" in answer.json()["error"]["message"]
    assert served.state.products.names() == ("disc",)
    assert client.post("/api/train", data={"part": name}).status_code == 422


def test_the_list_offers_the_version_before(served):
    client = served.client("engineer")
    assert "Bring back" not in client.get("/recipes").text
    client.post("/api/recipes/disc/versions", json=change(client, review=1e6, reject=1e6))
    assert "Bring back version 1" in client.get("/recipes").text
    assert "Bring back" not in served.client("viewer").get("/recipes").text
