"""A private httpd server."""
import dataclasses
import http.client
import os
import re
import shutil
import signal
import ssl
import subprocess
import time

from .paths import BUILD, MODULES, SERVER_USER, TRESTLE_MODULES, as_server_user, free_port, keep, remove, scratch

BASE_MODULES = ("authn_core", "authz_core", "authz_user", "unixd_static", "alias", "dir", "mime", "headers", "setenvif",
                "env", "status", "auth_basic", "authn_file", "rewrite", "log_config_static", "reqtimeout", "remoteip")
OURS = ("trestle", "problem", "pg", "auth_jwt", "identity", "rest", "prometheus")
# One level per line: what a quiet, healthy server never writes.
TROUBLE = re.compile(r"\[[\w-]*:(emerg|alert|crit|error|warn)\]|AddressSanitizer|LeakSanitizer|runtime error:|"
                     r"Segmentation fault|exit signal")


@dataclasses.dataclass
class Response:
    """An answer: status, headers (first value by lower-case name), all header pairs, body bytes."""
    status: int
    headers: dict
    pairs: list
    body: bytes

    def json(self):
        import json
        return json.loads(self.body)


class Httpd:
    """with Httpd("SetHandler …") as server: server.get("/path").status

    config   server configuration behind the base (text)
    mpm      event, worker or prefork
    ours     modules of the suite to load, in load order; modules: further modules of httpd
    tests    test modules to load: names under tests/modules
    expected regular expressions of trouble that may stand in the error log; others fail the with-block
    """

    def __init__(self, config="", mpm=None, ours=OURS, modules=(), tests=(), expected=(), env=None, workers=None):
        self.path = scratch("httpd")
        self.port = free_port()
        self.mpm = mpm or os.environ.get("MPM", "event")
        self.config, self.ours, self.modules, self.tests = config, ours, modules, tests
        self.expected = [re.compile(e) for e in expected]
        self.env, self.workers = env or {}, workers
        self.process = None
        self.error_log = self.path / "error.log"
        (self.path / "htdocs").mkdir()

    def configuration(self):
        """The whole text of httpd.conf."""
        built_in = subprocess.run(["apache2", "-l"], capture_output=True, text=True, check=True).stdout
        names = [m for m in (*BASE_MODULES, *self.modules) if not m.endswith("_static")]
        load = [f"LoadModule mpm_{self.mpm}_module {MODULES}/mod_mpm_{self.mpm}.so"]
        load += [f"LoadModule {m}_module {MODULES}/mod_{m}.so" for m in names if f"mod_{m}.c" not in built_in]
        load += [f"LoadModule {m}_module {TRESTLE_MODULES}/mod_{m}.so" for m in self.ours
                 if (TRESTLE_MODULES / f"mod_{m}.so").exists()]
        load += [f"LoadModule {m}_module {TRESTLE_MODULES}/../tests/mod_{m}.so" for m in self.tests]
        return "\n".join([*load, f"""
ServerRoot {self.path}
ServerName localhost
Listen 127.0.0.1:{self.port}
PidFile {self.path}/httpd.pid
ErrorLog {self.error_log}
LogLevel warn
CustomLog {self.path}/access.log "%h %t \\"%r\\" %>s %b"
DefaultRuntimeDir {self.path}
DocumentRoot {self.path}/htdocs
TypesConfig /dev/null
TraceEnable Off
KeepAliveTimeout 15
<Directory />
    AllowOverride None
    Require all granted
</Directory>
""", self.workers or "", self.config, ""])

    def write(self):
        """Writes httpd.conf."""
        (self.path / "httpd.conf").write_text(self.configuration(), encoding="utf-8")

    def _environment(self):
        env = {**os.environ, **self.env}
        if BUILD == "asan":
            runtime = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
            env["LD_PRELOAD"] = runtime.stdout.strip()
            env.setdefault("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=0:handle_segv=1")
            env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
        return env

    def _command(self, *arguments):
        return as_server_user(["apache2", "-f", str(self.path / "httpd.conf"), *arguments])

    def configtest(self):
        """`httpd -t`: (exit code, output)."""
        self.write()
        done = subprocess.run(self._command("-t"), capture_output=True, text=True, env=self._environment(), check=False)
        return done.returncode, done.stdout + done.stderr

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        keep(self.path)
        self.stop()
        if kind is None:
            trouble = self.trouble()
            assert not trouble, f"unexpected lines in {self.error_log}:\n" + "\n".join(trouble)
            remove(self.path)

    def trouble(self):
        """Lines of the error log that say trouble and were not expected."""
        text = self.error_log.read_text(errors="replace") if self.error_log.exists() else ""
        return [line for line in text.splitlines()
                if TROUBLE.search(line) and not any(e.search(line) for e in self.expected)]

    def log(self):
        """The error log's text."""
        return self.error_log.read_text(errors="replace")

    def start(self):
        """Starts the server and waits until its port answers."""
        self.write()
        if os.geteuid() == 0:
            for path in self.path.rglob("*"):
                shutil.chown(path, SERVER_USER, SERVER_USER)
        console = open(self.path / "console", "ab")
        self.process = subprocess.Popen(self._command("-DFOREGROUND"), env=self._environment(), stdout=console,
                                        stderr=console, start_new_session=True)
        console.close()
        deadline = time.monotonic() + 30
        while True:
            if self.process.poll() is not None:
                raise RuntimeError("httpd ended at once:\n" + (self.path / "console").read_text()
                                   + (self.log() if self.error_log.exists() else ""))
            try:
                self.raw_connect().close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _settle(self):
        """Waits until the server has closed what its clients have closed: a worker that is just doing so when SIGTERM
        arrives makes the event MPM touch a socket that is gone."""
        deadline = time.monotonic() + 1
        mine = f":{self.port:04X} "
        while time.monotonic() < deadline:
            with open("/proc/net/tcp", encoding="ascii") as f:
                if not any(mine in line[:22] and line.split()[3] == "08" for line in f):
                    return
            time.sleep(0.005)

    def stop(self):
        """Ends the server and waits for its last process."""
        self._settle()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
                raise

    def graceful(self):
        """Graceful restart; returns at once."""
        self.process.send_signal(signal.SIGUSR1)

    def children(self):
        """Process ids of the children."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as f:
            return [int(p) for p in f.read().split()]

    def raw_connect(self, timeout=30):
        """A plain socket to the server."""
        import socket
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def request(self, method, path, body=None, headers=None, port=None, tls=False, timeout=30):
        """One request on a connection of its own."""
        if tls:
            connection = http.client.HTTPSConnection("127.0.0.1", port or self.port, timeout=timeout,
                                                     context=ssl._create_unverified_context())
        else:
            connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            data = answer.read()
            pairs = answer.getheaders()
            first = {}
            for name, value in pairs:
                first.setdefault(name.lower(), value)
            return Response(answer.status, first, pairs, data)
        finally:
            connection.close()

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, body=body, **more)
