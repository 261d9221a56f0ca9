"""Long loads against the whole product: memory stays flat, connections stay bounded, restarts lose nothing."""
import re
import subprocess
import time

import pytest

from harness import Load, resident, until

pytestmark = pytest.mark.soak

REQUESTS = 200_000
# One line per kind of request; {token} and {id} are filled in. What a day brings: hits, refusals, mistakes.
MIX = """
wrk.headers["Authorization"] = nil
local requests = {{}}
local function add(method, path, token, body)
  local headers = {{}}
  if token then headers["Authorization"] = "Bearer " .. token end
  if body then headers["Content-Type"] = "application/json" end
  requests[#requests + 1] = wrk.format(method, path, headers, body)
end
init = function()
  for _ = 1, 12 do add("GET", "/projects/detail/{id}", "{token}") end
  add("GET", "/projects/detail/{id}")
  add("GET", "/projects/detail/{id}", "{bad}")
  add("GET", "/projects/detail/999999999", "{token}")
  add("GET", "/projects/detail/xyz", "{token}")
  add("GET", "/nothing", "{token}")
  add("DELETE", "/projects/project_list", "{token}")
  add("POST", "/users/login", nil, "{{broken")
  add("GET", "/health/ready")
end
local i = 0
request = function() i = i % #requests + 1 return requests[i] end
"""


def test_children_do_not_grow_over_200_000_mixed_requests(product):
    token = product.login("owner")
    project = product.get("/projects/project_list", app="videoplanet", token=token).json()["result"][0]["id"]
    script = product.var / "mix.lua"
    script.write_text(MIX.format(token=token, bad=token[:-6] + "AAAAAA", id=project))
    url = f"http://127.0.0.1:{product.ports('videoplanet')[1]}"

    def load(requests):
        done = 0
        while done < requests:
            out = subprocess.run(["wrk", "-t2", "-c16", "-d10s", "-s", script, url], capture_output=True, text=True, check=True)
            done += int(re.search(r"(\d+) requests in", out.stdout).group(1))
            assert "Socket errors" not in out.stdout, out.stdout
        return done

    load(REQUESTS)  # every thread has met every kind of request: its memory is what it needs
    before = {pid: resident(pid) for pid in product.children()}
    done = load(REQUESTS)
    after = {pid: resident(pid) for pid in product.children()}
    kept = before.keys() & after.keys()
    assert kept, "children were replaced"
    growth = {pid: after[pid] - before[pid] for pid in kept}
    print(f"{done} requests; KiB before {before}, after {after}")
    assert max(growth.values()) < 768, f"KiB grown: {growth}"


def test_graceful_restarts_under_load_lose_no_request(product):
    token = product.login("owner")
    project = product.get("/projects/project_list", app="videoplanet", token=token).json()["result"][0]["id"]

    def request(_):
        return product.get(f"/projects/detail/{project}", app="videoplanet", token=token, tls=False).status

    with Load(8, request) as load:
        for _ in range(20):
            old = set(product.children())
            product.graceful()
            load.wait_for(20)
            until(lambda: not old & set(product.children()), 60, "old children stay")
    assert set(load.results) == {200}, load.results
    assert load.results[200] > 400


def test_the_database_restarted_under_load(product):
    token = product.login("owner")
    project = product.get("/projects/project_list", app="videoplanet", token=token).json()["result"][0]["id"]

    def request(_):
        answer = product.get(f"/projects/detail/{project}", app="videoplanet", token=token, tls=False)
        if answer.status == 200:
            return "right" if answer.json()["result"]["id"] == project else "wrong"
        return answer.status if answer.status != 503 or "retry-after" in answer.headers else "503 without Retry-After"

    with Load(8, request) as load:
        for _ in range(5):
            load.wait_for(100)
            product.restart_database()
            back = time.monotonic()
            right = load.results["right"]
            until(lambda: load.results["right"] > right + 8, 10)
            assert time.monotonic() - back < 2
    assert set(load.results) <= {"right", 503}, load.results
