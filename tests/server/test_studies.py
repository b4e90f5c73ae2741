"""Studies of records: the form follows the call, a job runs it, the page shows what it found."""

from __future__ import annotations

import pytest

from flawline.errors import UsageError
from flawline.server.study_kinds import read_settings, study_kind, study_kinds, usual_settings
from flawline.server.work.study_job import without_styles
from helpers.charted_house import HOSTILE, fill_charts

CAPABILITY = {"study": "capability", "settings": {"measure": "length", "lsl": "49.5", "usl": 50.6}}


@pytest.fixture
def filled(served):
    """The server with 80 parts."""
    fill_charts(served.state)
    return served


def run(client, body):
    job = client.post("/api/studies", json=body)
    assert job.status_code == 202, job.text
    client.get(f"/api/jobs/{job.json()['id']}/events")
    return client.get(f"/api/jobs/{job.json()['id']}").json()


def test_every_study_of_records_is_there_with_its_settings():
    kinds = study_kinds()
    assert {"capability", "gauge", "steps"} <= kinds.keys()
    assert "pod" not in kinds
    for kind in kinds.values():
        assert kind.about
        assert {field.name for field in kind.fields}.isdisjoint(
            {"store", "table", "where", "track"}
        )
        assert all(field.help for field in kind.fields), kind.name
        assert not any(field.help.startswith("as for") for field in kind.fields), kind.name
    lsl = next(field for field in kinds["capability"].fields if field.name == "lsl")
    assert (lsl.kind, lsl.required) == ("number", False)


def test_settings_are_read_as_the_call_takes_them():
    kind = study_kind("capability")
    given = {"measure": "length", "lsl": "1.5", "transform": "", "by": None}
    assert read_settings(kind, given) == {"measure": "length", "lsl": 1.5}
    assert read_settings(study_kind("steps"), {"order": "cast, coat"}) == {
        "order": ("cast", "coat")
    }
    for wrong in (
        {"lsl": "1"},
        {"measure": "x", "lsl": "far"},
        {"measure": "x", "table": "/etc/passwd"},
    ):
        with pytest.raises(UsageError):
            read_settings(kind, wrong)
    with pytest.raises(UsageError, match="expected a study of"):
        study_kind("os")


def test_the_records_suggest_settings(filled):
    kind = usual_settings(study_kind("capability"), filled.state.store)
    measure = next(field for field in kind.fields if field.name == "measure")
    assert measure.default == "score"
    assert set(measure.choices) == {"score", "brightness", "largest_area", "length", "defects"}


def test_a_study_is_run_kept_and_read(filled):
    client = filled.client("engineer")
    job = run(client, {**CAPABILITY, "q": "product:plate"})
    assert job["state"] == "done", job
    assert (job["who"], job["result"]["q"]) == ("engineer", "product:plate")
    assert job["result"]["settings"] == {"measure": "length", "lsl": 49.5, "usl": 50.6}
    page = client.get(f"/studies/{job['id']}").text
    assert job["result"]["finding"] in page.replace("&#39;", "'")
    assert "What this rests on" in page
    assert page.count("<figure>") == 5
    assert "style=" not in page
    report = client.get(f"/api/studies/{job['id']}/report")
    assert "sandbox" in report.headers["content-security-policy"]
    found = client.get(f"/api/studies/{job['id']}").json()
    assert found["document"]["study"] == "capability"
    assert job["result"]["finding"] in client.get("/studies").text.replace("&#39;", "'")
    chart = client.get("/control/chart", params={"measure": "length", "q": "product:plate"}).text
    assert job["result"]["finding"] in chart.replace("&#39;", "'")
    assert "Nobody has studied length" in client.get("/control/chart?measure=length").text
    again = client.get("/studies/new", params={"study": "capability", "lsl": "49.5"}).text
    assert 'name="lsl" type="number" step="any" value="49.5"' in again


def test_a_study_that_fails_says_why(filled):
    client = filled.client("engineer")
    job = run(client, {"study": "capability", "settings": {"measure": "length"}})
    assert job["state"] == "failed"
    page = client.get(f"/studies/{job['id']}").text
    assert "Nothing came of the study." in page
    assert job["error"]["message"][:30] in page.replace("&#39;", "'")
    for body in (
        {"study": "nothing"},
        {**CAPABILITY, "q": "verdict:reject"},
        {**CAPABILITY, "q": "x:"},
    ):
        assert client.post("/api/studies", json=body).status_code == 422
    assert client.get(f"/api/studies/{job['id']}").status_code == 404


def test_an_empty_store_says_what_comes_next(served):
    page = served.client("engineer").get("/studies").text
    assert "There is nothing to study yet." in page


def test_names_that_hold_markup_run_nothing(served):
    fill_charts(served.state, product=HOSTILE, measures={HOSTILE: 1.0, "length": 2.0})
    client = served.client("engineer")
    run(
        client, {"study": "capability", "settings": {"measure": "score", "usl": 9, "unit": HOSTILE}}
    )
    number = client.get("/api/studies").json()["studies"][0]["id"]
    new = {"study": "capability", "measure": HOSTILE, "q": HOSTILE}
    for path, query in (("/studies", {}), (f"/studies/{number}", {}), ("/studies/new", new)):
        answer = client.get(path, params=query)
        assert answer.status_code == 200, path
        assert "<img src=x" not in answer.text, path
        assert "<script>alert" not in answer.text, path


def test_styles_of_drawings_become_attributes():
    svg = (
        "<svg><style>*{x: y}</style><g style=\"fill: none; font-family: 'A'; stroke: red\"/></svg>"
    )
    assert without_styles(svg) == '<svg><g fill="none" stroke="red"/></svg>'
