"""The product with a part gone: bounded waiting, clear refusals, recovery without a restart."""
import time

import pytest

from harness import APPLICATIONS, SAMPLE_PASSWORD, Load, until


def get(product, path, token=None):
    started = time.monotonic()
    answer = product.get(path, app="videoplanet", token=token)
    return answer, time.monotonic() - started


def test_database_away_and_back(product):
    token = product.login("owner")
    assert get(product, "/health/ready")[0].status == 200
    product.stop_database()
    try:
        answer, took = get(product, "/health/ready")
        assert answer.status == 503 and took < 1.5
        assert get(product, "/health/live")[0].status == 200
        for _ in range(3):
            answer, took = get(product, "/projects/project_list", token)
            assert answer.status == 503 and answer.json()["code"] == "SERVICE_UNAVAILABLE"
            assert int(answer.headers["retry-after"]) >= 1
            assert took < 4
        answer = product.post("/users/login", {"email": "owner@videoplanet.test", "password": SAMPLE_PASSWORD}, app="videoplanet")
        assert answer.status == 503 and "retry-after" in answer.headers and "set-cookie" not in answer.headers
        for app in APPLICATIONS:
            assert product.get("/health/ready", app=app).status == 503
        assert product.get("/").status == 200, "the portal needs no database"
    finally:
        product.start_database()
    back = time.monotonic()
    until(lambda: get(product, "/projects/project_list", token)[0].status == 200, 10)
    assert time.monotonic() - back < 3
    until(lambda: get(product, "/health/ready")[0].status == 200, 10)


def test_a_crash_under_load_gives_right_answers_or_503(product):
    token = product.login("owner")
    project = get(product, "/projects/project_list", token)[0].json()["result"][0]["id"]

    def request(_):
        answer = product.get(f"/projects/detail/{project}", app="videoplanet", token=token, tls=False)
        if answer.status == 200:
            return "right" if answer.json()["result"]["id"] == project else "wrong"
        return answer.status if "retry-after" in answer.headers else f"{answer.status} without Retry-After"

    with Load(4, request) as load:
        load.wait_for(50)
        product.restart_database()
        right = load.results["right"]
        started = time.monotonic()
        until(lambda: load.results["right"] > right + 4, 10)
        assert time.monotonic() - started < 2
    assert set(load.results) <= {"right", 503}, load.results


def test_pending_migrations_are_not_ready(product):
    product.sql("update trestle.migration set checksum = reverse(checksum) where name like 'core/0001%'")
    try:
        answer, _ = get(product, "/health/ready")
        assert answer.status == 503
        assert answer.json()["checks"]["migrations"]["status"] == "unhealthy"
        assert answer.json()["checks"]["database"]["status"] == "healthy"
    finally:
        product.sql("update trestle.migration set checksum = reverse(checksum) where name like 'core/0001%'")
    assert get(product, "/health/ready")[0].status == 200


def test_graceful_restart_under_load_loses_no_request(product):
    token = product.login("owner")

    def request(_):
        return product.get("/health/ready", app="videoplanet", token=token, tls=False).status

    with Load(4, request) as load:
        for _ in range(3):
            old = set(product.children())
            product.graceful()
            load.wait_for(20)
            until(lambda: not old & set(product.children()), 60, "old children stay")
    assert set(load.results) == {200}, load.results
