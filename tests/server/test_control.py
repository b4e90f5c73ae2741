"""Charts of records: what the API gives, what people enter, and that names run nothing."""

from __future__ import annotations

import pytest

from helpers.charted_house import HOSTILE, MOVED, ODD, fill_charts

CHART = {"measure": "score"}


@pytest.fixture
def charted(served):
    """The server with 80 parts whose chart shows signals."""
    fill_charts(served.state)
    return served


def body(**changes):
    return {"measure": "score", "text": "dropped", "inspection": ODD + 1, **changes}


def test_measures_with_signals_come_first(charted):
    found = charted.client("viewer").get("/api/charts", params={"q": "product:plate"}).json()
    assert found["finding"].startswith("4 of 5 measures show signals, first score. Part 0030")
    open_ = [one["open_signals"] > 0 for one in found["charts"]]
    assert open_ == sorted(open_, reverse=True)
    names = {one["measure"] for one in found["charts"]}
    assert names | {one["measure"] for one in found["uncharted"]} == {
        *("score", "defects", "brightness", "largest_area", "length")
    }


def test_every_point_knows_its_pictures(charted):
    client = charted.client("viewer")
    found = client.get("/api/charts/chart", params=CHART).json()
    assert found["series"] == "score"
    assert [one["triggered"] for one in found["signals"]] == [ODD]
    assert found["points"][ODD]["inspections"] == [ODD + 1]
    point = client.get("/api/charts/point", params={**CHART, "inspection": ODD + 1}).json()
    assert [one["part"] for one in point["records"]] == ["0030"]
    assert [one["place"] for one in point["beside"]] == list(range(ODD - 3, ODD + 4))
    lots = {**CHART, "by": "lot", "chart": "xbar-r", "inspection": ODD + 1}
    point = client.get("/api/charts/point", params=lots).json()
    assert (point["name"], len(point["records"])) == ("L1", 20)
    missing = client.get("/api/charts/point", params={**CHART, "inspection": 999})
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not-found")


def test_a_cause_settles_a_signal_and_is_counted(charted):
    client = charted.client("operator")
    made = client.post("/api/charts/notes", json=body(text="dropped"))
    assert (made.status_code, made.json()["who"]) == (201, "operator")
    found = client.get("/api/charts/chart", params=CHART).json()
    assert [one["open"] for one in found["signals"]] == [False]
    assert found["finding"] == "In control but for 1 signal with a known cause."
    key = charted.state.store.alerts.list()[0].alert.key
    client.post("/api/alerts/acknowledgements", json={"key": key, "note": "dropped"})
    causes = client.get("/api/charts/causes").json()
    assert [(bar["name"], bar["count"]) for bar in causes["bars"]] == [("dropped", 2)]
    assert client.post(f"/api/charts/entries/{made.json()['id']}/undo").status_code == 200
    assert client.get("/api/charts/chart", params=CHART).json()["signals"][0]["open"]


def test_points_are_set_aside_stages_begun_and_limits_frozen_by_engineers(charted):
    client = charted.client("engineer")
    before = client.get("/api/charts/chart", params=CHART).json()
    aside = client.post("/api/charts/entries", json=body(kind="set aside")).json()
    after = client.get("/api/charts/chart", params=CHART).json()
    assert after["set_aside"] == ["0030"]
    assert after["limits"]["sigma"] < before["limits"]["sigma"]
    stage = body(kind="stage", text="new lamp", measure="brightness", inspection=MOVED + 1)
    client.post("/api/charts/entries", json=stage)
    staged = client.get("/api/charts/chart", params={"measure": "brightness"}).json()
    assert [one["name"] for one in staged["stages"]] == ["start", "new lamp"]
    freeze = body(kind="limits", text="as it should be", inspection=None)
    frozen = client.post("/api/charts/entries", json=freeze).json()
    judged = client.get("/api/charts/chart", params={**CHART, "last": 40}).json()
    assert judged["frozen"]["id"] == frozen["id"]
    assert judged["limits"]["centre"] == after["limits"]["centre"]
    again = client.post("/api/charts/entries", json=freeze)
    assert again.json()["error"]["message"] == "the limits are frozen already"
    operator = charted.client("operator")
    for number in (aside["id"], frozen["id"]):
        assert operator.post(f"/api/charts/entries/{number}/undo").status_code == 403
        assert (
            client.post(f"/api/charts/entries/{number}/undo").json()["undone"]["who"] == "engineer"
        )
    assert client.get("/api/charts/chart", params=CHART).json()["frozen"] is None


def test_span_and_products_are_settings_of_the_page(charted):
    client = charted.client("viewer")
    asked = {**CHART, "chart": "ma", "span": 7}
    assert client.get("/api/charts/chart", params=asked).json()["limits"]["span"] == 7
    page = client.get("/control/chart", params=asked).text
    assert '<input name="span" type="number" min="2" max="100" value="7">' in page
    assert "span=7" in page, "the links of the points keep it"
    assert client.get("/api/charts/chart", params={**asked, "span": 1}).status_code == 422
    runs = {**CHART, "chart": "z-mr", "product_sigma": "constant"}
    found = client.get("/api/charts/chart", params=runs).json()
    assert found["limits"]["product_sigma"] == "constant"
    assert [one["name"] for one in found["limits"]["products"]] == ["plate"]
    assert "one for all" in client.get("/control/chart", params=runs).text
    assert client.get("/api/charts/chart", params={**runs, "product_sigma": "x"}).status_code == 422


def test_what_cannot_be_charted_is_explained(charted):
    client = charted.client("engineer")
    asked = {
        "store-measure": {"measure": "nothing"},
        "usage": {**CHART, "q": "verdict:reject"},
    }
    for code, query in asked.items():
        assert client.get("/api/charts/chart", params=query).json()["error"]["code"] == code
    for wrong in ({"chart": "pie"}, {"rules": "99"}, {"last": 1}, {"every": 1}):
        assert client.get("/api/charts/chart", params={**CHART, **wrong}).status_code == 422
    for wrong in ({"inspection": None}, {"inspection": 999}, {"text": " "}, {"kind": "guess"}):
        sent = {**body(kind="set aside"), **wrong}
        assert client.post("/api/charts/entries", json=sent).status_code in (404, 422)
    page = client.get("/control/chart", params={**CHART, "point": 999})
    assert "is not among the points of this chart" in page.text


def test_a_series_is_given_as_columns(charted):
    found = charted.client("viewer").get("/api/series", params={"measure": "length", "last": 5})
    assert found.json()["id"] == [76, 77, 78, 79, 80]
    assert len(found.json()["length"]) == 5


def test_an_empty_store_says_what_comes_next(served):
    page = served.client("viewer").get("/control").text
    assert "There is nothing to chart yet." in page
    assert "Judge pictures, and each of their measures gets a chart here." in page
    assert "No inspection fits lot:L9" in served.client("viewer").get("/control?q=lot:L9").text


def test_names_that_hold_markup_run_nothing(served):
    fill_charts(served.state, product=HOSTILE, part=HOSTILE, lot=HOSTILE)
    client = served.client("engineer")
    client.post("/api/charts/entries", json=body(kind="stage", text=HOSTILE))
    client.post("/api/charts/notes", json=body(text=HOSTILE))
    asked = (
        "/control",
        "/control/chart?measure=score",
        f"/control/chart?measure=score&point={ODD + 1}",
    )
    for path in (*asked, f"/control?q={HOSTILE[2:8]}"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "<img src=x" not in answer.text, path
        assert "<script>alert" not in answer.text, path
        assert "style=" not in answer.text, path
