"""The whole product as `make start` brings it up, beside any other, with a var directory and ports of its own."""
import json
import os
import shutil
import signal
import subprocess

from .httpd import Httpd
from .paths import ROOT, as_server_user, free_port, keep, remove, scratch
from .postgres import BIN

APPLICATIONS = ("videoplanet", "mentoring", "mobilegpt", "maplestory")
SAMPLE_PASSWORD = "Trestle-sample-1"


class Product(Httpd):
    """with Product() as product: product.login("owner"), product.get("/projects/project_list", app="videoplanet", token=…)"""

    def __init__(self):  # pylint: disable=super-init-not-called
        self.var = scratch("var")
        self.https = free_port(2 * (len(APPLICATIONS) + 1))
        self.http = self.https + len(APPLICATIONS) + 1
        self.environment = {**os.environ, "TRESTLE_VAR": str(self.var), "HTTPS_PORT": str(self.https),
                            "HTTP_PORT": str(self.http)}

    def run(self, verb, check=True):
        """bin/trestle VERB; its completed process."""
        return subprocess.run([ROOT / "bin" / "trestle", verb], cwd=ROOT, env=self.environment, check=check,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def start(self):
        done = self.run("start", check=False)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return done.stdout

    def stop(self):
        self.run("stop", check=False)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if kind is None:
            remove(self.var)
        else:
            keep(self.var)
            shutil.rmtree(self.var / "postgres", ignore_errors=True)

    def ports(self, app=None):
        """(HTTPS, HTTP) of the portal or of an application."""
        offset = 0 if app is None else APPLICATIONS.index(app) + 1
        return self.https + offset, self.http + offset

    def request(self, method, path, body=None, headers=None, app=None, tls=True, token=None, timeout=30, **more):
        """One request; a dict as body is sent as JSON, a token as bearer."""
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return super().request(method, path, body=body, headers=headers, port=self.ports(app)[0 if tls else 1], tls=tls,
                               timeout=timeout)

    def login(self, name, app="videoplanet"):
        """The session token of a sample account."""
        answer = self.post("/users/login", {"email": f"{name}@{app}.test", "password": SAMPLE_PASSWORD}, app=app)
        assert answer.status == 201, answer.body
        return answer.json()["vridge_session"]

    def password_files(self):
        """Every file under var that must not be readable by others."""
        return [p for d in ("keys", "secrets") for p in (self.var / d).rglob("*") if p.is_file()]

    def sql(self, statement, app="videoplanet"):
        """Runs one statement as superuser in an application's database; the lines of its unaligned output."""
        done = subprocess.run([ROOT / "bin" / "trestle", "psql", app, "-AtXc", statement], cwd=ROOT, env=self.environment,
                              check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return done.stdout.splitlines()

    def parent(self):
        """Process id of httpd's parent."""
        return int((self.var / "run" / "httpd.pid").read_text())

    def children(self):
        """Process ids of httpd's children."""
        with open(f"/proc/{self.parent()}/task/{self.parent()}/children", encoding="ascii") as f:
            return [int(p) for p in f.read().split()]

    def graceful(self):
        """Graceful restart; returns at once."""
        os.kill(self.parent(), signal.SIGUSR1)

    def _postgres(self, *arguments):
        subprocess.run(as_server_user([BIN / "pg_ctl", "-s", "-w", "-D", self.var / "postgres" / "data", *arguments]),
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    def stop_database(self, mode="immediate"):
        """Ends PostgreSQL; immediate is like a crash."""
        self._postgres("stop", "-m", mode)

    def start_database(self):
        self._postgres("start", "-l", self.var / "log" / "postgres.log")

    def restart_database(self):
        """A crash and a start."""
        self.stop_database()
        self.start_database()
