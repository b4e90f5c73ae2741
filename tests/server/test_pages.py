"""Pages as a browser gets them: all states, names that are hostile, and no address elsewhere."""

from __future__ import annotations

import re

import pytest

NAME = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


def send(client, picture, **fields):
    files = {"picture": ("a.png", picture)}
    return client.post("/api/inspect", files=files, data=fields)


def test_the_first_start_shows_what_to_do(tmp_path):
    from datetime import UTC, datetime

    from starlette.testclient import TestClient

    from flawline.server.app import server_app
    from flawline.server.credentials import digest, new_secret
    from flawline.server.settings import ServeSettings
    from flawline.server.state import opened_state

    settings = ServeSettings(tmp_path / "empty", hosts=("testserver",))
    with opened_state(settings) as state:
        now, secret = datetime.now(UTC), new_secret()
        owner = state.store.accounts.add("a", "admin", now)
        state.store.accounts.let_in(owner, "token", digest(secret), now)
        client = TestClient(server_app(state), headers={"Authorization": f"Bearer {secret}"})
        page = client.get("/").text
        assert "What do you have?" in page
        for path in ("/rank", "/recipes", "/records", "/review", "/account", "/people", "/docs"):
            answer = client.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == 200, path
        missing = client.get("/records/7", headers={"Accept": "text/html"})
        assert missing.status_code == 404
        assert "There is no inspection 7" in missing.text
        assert client.get("/nowhere", headers={"Accept": "text/html"}).status_code == 404


def test_pages_with_hostile_names_run_nothing(served, good_picture, bad_picture):
    client = served.client("admin")
    for picture in (good_picture, bad_picture):
        answer = send(client, picture, part=NAME, lot=NAME, station=NAME, name=NAME)
        assert answer.status_code == 200
    served.state.products.get("disc").station.flush()
    number = client.get("/api/records").json()["records"][0]["id"]
    client.post("/api/accounts", json={"name": NAME, "role": "viewer"})
    client.post(f"/api/records/{number}/decisions", json={"verdict": "review", "why": NAME})
    pages = ("/", "/records", "/records?view=table", f"/records/{number}", "/people", "/account")
    for path in (*pages, "/recipes", "/recipes/disc", "/rank", "/review", f"/records?q={NAME}"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "<img src=x" not in answer.text, path
        assert "<script>alert" not in answer.text, path
        elsewhere = re.findall(r"""(?:src|href)=["']?(https?:)?//""", answer.text)
        assert not elsewhere, path
        assert "style=" not in answer.text, path


@pytest.mark.parametrize(
    ("back", "goes"),
    [
        ("/records", "/records"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil", "/"),
    ],
)
def test_signing_in_leads_nowhere_else(served, back, goes):
    page = served.client().get("/sign-in", params={"to": back}).text
    assert f'data-to="{goes}"' in page


def test_the_line_says_what_is_the_matter(served, good_picture, bad_picture):
    client = served.client("operator")
    send(client, bad_picture)
    served.state.products.get("disc").station.flush()
    assert client.get("/api/line").json()["sentence"] == "1 of the last 1 picture rejected."
    assert "1 of the last 1 picture rejected." in client.get("/").text


def test_a_wrong_search_is_explained_on_the_page(served):
    page = served.client("viewer").get("/records", params={"q": "colour:red"}).text
    assert "expected a word that can be searched for" in page


def test_a_ranking_is_shown(served, tmp_path):
    from helpers.discs import disc, spoilt
    from helpers.full_house import png

    client = served.client("operator")
    files = [("files", (f"{k}.png", png(disc(k)))) for k in range(14)]
    files.append(("files", ("odd.png", png(spoilt(3, size=32)))))
    job = client.post("/api/rank", files=files).json()
    assert '"state": "done"' in client.get(f"/api/jobs/{job['id']}/events").text
    ranking = client.get(f"/api/rank/{job['id']}").json()["ranking"]
    assert ranking[0]["image"] == "odd.png"
    page = client.get(f"/rank/{job['id']}").text
    assert "15 pictures, the most anomalous first." in page
    assert client.get(f"/api/rank/{job['id']}/pictures/1").headers["content-type"] == "image/jpeg"
    marks = {f"{k}.png": "good" for k in range(12)} | {"odd.png": "bad"}
    address = f"/api/rank/{job['id']}"
    assert client.put(f"{address}/marks", json={"marks": marks}).json()["odd.png"] == "bad"
    assert client.put(
        f"{address}/marks", json={"marks": {"3.png": ""}}
    ).json().keys() == marks.keys() - {"3.png"}
    assert client.put(f"{address}/marks", json={"marks": {"3.png": "odd"}}).status_code == 422
    assert 'data-mark="bad"' in client.get(f"/rank/{job['id']}").text
    engineer = served.client("engineer")
    training = engineer.post(f"{address}/learn", json={"part": "disc 2"}).json()
    assert '"state": "done"' in engineer.get(f"/api/jobs/{training['id']}/events").text
    result = engineer.get(f"/api/jobs/{training['id']}").json()["result"]
    assert "11 good pictures" in " ".join(result["messages"])
    assert result["verdict"] in engineer.get(f"/train/{training['id']}").text
    made = engineer.post(f"/api/train/{training['id']}/activate", json={}).json()
    assert made == {"product": "disc 2", "recipe": result["recipe"], "before": None}
    assert engineer.get(f"/api/train/{training['id']}/report").status_code == 200
    report = client.get(f"/api/rank/{job['id']}/report")
    assert "sandbox" in report.headers["content-security-policy"]
    assert client.delete(f"/api/jobs/{job['id']}").status_code == 204
    assert client.get(f"/rank/{job['id']}", headers={"Accept": "text/html"}).status_code == 404
