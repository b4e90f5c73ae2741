"""Who may do what: every address by every role, and what lets nobody in."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.routing import APIRoute

from flawline.records.accounts import ROLES
from flawline.server.access import COOKIE
from flawline.server.app import PAGES, ROUTES
from flawline.server.credentials import digest, new_secret
from flawline.server.errors import ServerError
from flawline.server.rate_limit import RateLimit
from flawline.server.routes import sample

OPEN = {
    "/health",
    "/ready",
    "/sign-in",
    "/api/sign-in",
    "/api/sign-in/link",
    "/palette.css",
}
NEEDS = {
    ("POST", "/api/inspect"): "operator",
    ("POST", "/api/inspect/many"): "operator",
    ("POST", "/api/trigger"): "operator",
    ("POST", "/api/jobs/{number}/cancel"): "operator",
    ("DELETE", "/api/jobs/{number}"): "operator",
    ("POST", "/api/records/{number}/decisions"): "operator",
    ("POST", "/api/rank"): "operator",
    ("POST", "/api/sample"): "engineer",
    ("POST", "/api/alerts/acknowledgements"): "operator",
    ("POST", "/api/charts/notes"): "operator",
    ("POST", "/api/studies"): "engineer",
    ("GET", "/studies/new"): "engineer",
    ("POST", "/api/records/{number}/replay"): "operator",
    ("POST", "/api/charts/entries"): "engineer",
    ("POST", "/api/charts/entries/{number}/undo"): "operator",
    ("GET", "/review"): "operator",
    ("GET", "/review/disagreements"): "operator",
    ("GET", "/rank"): "operator",
    ("GET", "/rank/{number}"): "operator",
    ("PUT", "/api/rank/{number}/marks"): "operator",
    ("POST", "/api/rank/{number}/learn"): "engineer",
    ("POST", "/api/train"): "engineer",
    ("POST", "/api/train/{number}/activate"): "engineer",
    ("POST", "/api/train/{number}/again"): "engineer",
    ("POST", "/api/recipes/{product}/versions"): "engineer",
    ("POST", "/api/compare"): "engineer",
    ("GET", "/train"): "engineer",
    ("GET", "/compare"): "engineer",
    ("POST", "/api/recipes"): "engineer",
    ("POST", "/api/recipes/{product}/activate"): "engineer",
    ("GET", "/api/recipes/{product}/file"): "engineer",
    ("POST", "/api/labels"): "operator",
    ("PATCH", "/api/labels/{number}"): "operator",
    ("POST", "/api/labels/{number}/refresh"): "operator",
    ("PUT", "/api/labels/{number}/suspects"): "operator",
    ("PUT", "/api/labels/{number}/pictures/{key}/mask"): "operator",
    ("POST", "/api/labels/{number}/pictures/{key}/wand"): "operator",
    ("POST", "/api/labels/{number}/pictures/{key}/proposals"): "operator",
    ("DELETE", "/api/labels/{number}/pictures/{key}/suspects"): "operator",
    ("DELETE", "/api/labels/{number}"): "engineer",
    ("POST", "/api/labels/{number}/restore"): "engineer",
    ("POST", "/api/labels/{number}/audit"): "engineer",
    ("POST", "/api/labels/{number}/train"): "engineer",
    ("GET", "/api/accounts"): "admin",
    ("POST", "/api/accounts"): "admin",
    ("PATCH", "/api/accounts/{name}"): "admin",
    ("POST", "/api/accounts/{name}/link"): "admin",
    ("GET", "/api/audit"): "admin",
    ("GET", "/people"): "admin",
}
"""What needs more than a viewer; a new address that is not named here is a viewer's."""


def addresses():
    """Every address: method and path."""
    found = [
        (method, route.path)
        for module in (*ROUTES, *PAGES)
        for route in module.router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods)
    ]
    assert len(found) > 40
    return found


def ask(client, method, path):
    path = re.sub(r"\{\w+\}", "999", path)
    return client.request(method, path, follow_redirects=False)


def test_strangers_reach_health_and_the_sign_in_only(served):
    stranger = served.client()
    for method, path in addresses():
        answer = ask(stranger, method, path)
        if path in OPEN:
            assert answer.status_code not in (401, 403), path
        elif answer.status_code == 303:
            assert answer.headers["location"].startswith("/sign-in?to="), path
        else:
            assert answer.status_code == 401, (method, path)
            assert answer.json()["error"]["code"] == "sign-in"
    assert stranger.get("/openapi.json").status_code == 200


@pytest.mark.parametrize("role", ROLES)
def test_every_address_by_every_role(served, role, monkeypatch):
    def refused(*_):
        raise ServerError("no lot is drawn here", code="usage")

    monkeypatch.setattr(sample, "start_sample", refused)
    client = served.client(role)
    for method, path in addresses():
        if path in OPEN or "events" in path or path == "/api/sign-out":
            continue
        answer = ask(client, method, path)
        least = NEEDS.get((method, path), "viewer")
        allowed = ROLES.index(role) >= ROLES.index(least)
        assert (answer.status_code == 403) is not allowed, (method, path, answer.text[:200])
        assert answer.status_code != 500, (method, path, answer.text[:200])


def test_a_token_allows_no_more_than_its_role_and_its_owner(served):
    now, secret = datetime.now(UTC), new_secret()
    owner = served.state.store.accounts.add("anna", "engineer", now)
    served.state.store.accounts.let_in(owner, "token", digest(secret), now, role="viewer")
    client = served.client()
    client.headers["Authorization"] = f"Bearer {secret}"
    assert client.get("/api/records").status_code == 200
    assert client.post("/api/rank").status_code == 403
    served.state.store.accounts.change("anna", disabled=True, when=now)
    assert client.get("/api/records").status_code == 401


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Basic eDp4", "Bearer " + "y" * 5000])
def test_wrong_tokens_let_nobody_in(served, header):
    assert served.client().get("/api/records", headers={"Authorization": header}).status_code == 401


def session(served, role="operator"):
    now, secret = datetime.now(UTC), new_secret()
    found = served.state.store.accounts.add("eva", role, now)
    served.state.store.accounts.let_in(
        found, "session", digest(secret), now, expires=now + timedelta(hours=1)
    )
    client = served.client()
    client.cookies.set(COOKIE, secret)
    return client, secret


def test_a_form_of_another_site_changes_nothing(served, good_picture):
    client, _ = session(served)
    files = {"picture": ("a.png", good_picture)}
    refused = client.post("/api/inspect", files=files)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "csrf")
    page = client.get("/review").text
    csrf = page.split('name="csrf" content="')[1].split('"')[0]
    assert client.post("/api/inspect", files=files, headers={"X-CSRF-Token": csrf}).is_success
    assert not client.post(
        "/api/inspect", files=files, headers={"X-CSRF-Token": csrf[:-1]}
    ).is_success


def test_sessions_end(served):
    client, secret = session(served)
    assert client.get("/api/records").status_code == 200
    served.state.store.accounts.end(digest(secret), datetime.now(UTC))
    assert client.get("/api/records").status_code == 401
    later = datetime.now(UTC) + timedelta(hours=2)
    assert served.state.store.accounts.credential_of(digest(secret), "session", later) is None


def test_the_first_link_lets_in_once_and_a_password_from_then_on(served):
    from flawline.server.state import first_link

    secret = first_link(served.state.store)
    assert secret is not None
    assert first_link(served.state.store) is None
    client = served.client()
    begun = client.post("/api/sign-in/link", json={"link": secret})
    assert begun.json()["role"] == "admin"
    headers = {"X-CSRF-Token": begun.json()["csrf"]}
    assert client.get("/api/me").json() == {"name": "admin", "role": "admin", "has_password": False}
    short = client.put("/api/me/password", json={"password": "short"}, headers=headers)
    assert short.status_code == 422
    long = {"password": "a long enough one"}
    assert client.put("/api/me/password", json=long, headers=headers).status_code == 204
    # A new password ends all sessions.
    assert client.get("/api/me").status_code == 401
    other = served.client()
    assert other.post("/api/sign-in/link", json={"link": secret}).status_code == 401
    wrong = other.post("/api/sign-in", json={"name": "admin", "password": "another one, long"})
    nobody = other.post("/api/sign-in", json={"name": "nobody", "password": "another one, long"})
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.json() == nobody.json()
    right = other.post("/api/sign-in", json={"name": "admin", **long})
    assert right.is_success
    assert "httponly" in right.headers["set-cookie"].lower()
    assert "samesite=strict" in right.headers["set-cookie"].lower()
    done = [one.what for _, one in served.state.store.accounts.actions()]
    assert done[:3] == ["sign in", "sign-in refused", "sign-in refused"]


def test_guessing_passwords_is_slowed_down(served):
    client = served.client()
    codes = [
        client.post("/api/sign-in", json={"name": "x", "password": "y" * 12}).status_code
        for _ in range(7)
    ]
    # Both the address and the name count each try, ten in all at once.
    assert 429 not in codes[:5] or codes.index(429) >= 5
    limit = RateLimit(3, 10.0, clock=lambda: 100.0)
    for _ in range(3):
        limit.check("a")
    with pytest.raises(ServerError) as refused:
        limit.check("a")
    assert refused.value.retry_after == 11
    limit.check("b")


def test_other_names_of_the_server_are_refused(served):
    answer = served.client("viewer").get("/api/records", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (421, "host")


def test_headers_keep_pages_from_loading_elsewhere(served):
    for path in ("/health", "/sign-in", "/api/records", "/nowhere", "/static/page.css"):
        headers = served.client().get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff"
