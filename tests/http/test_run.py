"""make run, start and stop: what they make, leave, survive and say."""
import contextlib
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from harness import APPLICATIONS, ROOT, SERVER_USER, Product, as_server_user, scratch, until

TRESTLE = ROOT / "bin" / "trestle"


def processes(path):
    """Ids of the processes whose command line names the path."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(path).encode() in entry.read_bytes() and int(entry.parent.name) != os.getpid():
                found.append(int(entry.parent.name))
        except OSError:
            pass
    return found


def say(environment, verb="start", program=TRESTLE):
    """The command's exit code and everything it printed."""
    done = subprocess.run([program, verb], env={**os.environ, **environment}, cwd="/", capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module", name="own")
def own_product():
    """A product that only these tests stop and start; .said is what its first start printed."""
    made = Product()
    made.said = made.start()
    yield made
    made.stop()
    shutil.rmtree(made.var, ignore_errors=True)


def in_service(product):
    return product.get("/health/ready", app="videoplanet").status == 200


def trusted(product, name, port):
    """The answer to GET /health/live for that host name, with only our own authority trusted."""
    context = ssl.create_default_context(cafile=product.var / "tls" / "ca.pem")
    with socket.create_connection(("127.0.0.1", port), 10) as plain, context.wrap_socket(plain, server_hostname=name) as tls:
        tls.sendall(f"GET /health/live HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        return tls.recv(4096)


def test_clients_that_trust_the_authority_accept_every_address(own):
    for index, app in enumerate((None, *APPLICATIONS)):
        assert trusted(own, "localhost", own.https + index).startswith(b"HTTP/1.1 200")
        assert trusted(own, "127.0.0.1", own.https + index).startswith(b"HTTP/1.1 200")
        if app:
            assert trusted(own, f"{app}.localhost", own.https).startswith(b"HTTP/1.1 200")


def test_the_authority_vouches_for_localhost_only(own, tmp_path):
    """A certificate for another name, made with the authority's stolen key, is refused."""
    tls = own.var / "tls"
    subprocess.run(["openssl", "req", "-new", "-key", tls / "server.key", "-subj", "/CN=x", "-out", tmp_path / "request"], check=True)
    for name, accepted in (("videoplanet.localhost", True), ("bank.example", False)):
        (tmp_path / "names").write_text(f"subjectAltName=DNS:{name}\n")
        subprocess.run(["openssl", "x509", "-req", "-in", tmp_path / "request", "-CA", tls / "ca.pem", "-CAkey", tls / "ca.key",
                        "-set_serial", "7", "-extfile", tmp_path / "names", "-out", tmp_path / "certificate"],
                       check=True, capture_output=True)
        done = subprocess.run(["openssl", "verify", "-CAfile", tls / "ca.pem", tmp_path / "certificate"], capture_output=True,
                              check=False)
        assert (done.returncode == 0) == accepted, name


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_http2_on_tls_and_old_tls_refused(own):
    context = ssl.create_default_context(cafile=own.var / "tls" / "ca.pem")
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", own.https), 10) as plain, context.wrap_socket(plain, server_hostname="localhost") as tls:
        assert tls.selected_alpn_protocol() == "h2" and tls.version() == "TLSv1.3"
    old = ssl.create_default_context(cafile=own.var / "tls" / "ca.pem")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", own.https), 10) as plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain, server_hostname="localhost")


def test_the_ports_are_on_loopback_only(own):
    addresses = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()
    for address in (a for a in addresses if ":" not in a):
        for port in (own.https, own.http, own.https + 1, own.http + 1):
            with pytest.raises(OSError):
                socket.create_connection((address, port), 2).close()


def test_the_printed_request_works(own):
    command = re.search(r"^ *(curl (?:.*\\\n)*.*)", own.said, re.M).group(1)
    assert str(own.https + 1) in command
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    assert "vridge_session" in done.stdout
    for name in ("owner@", "manager@", "member@", "outsider@videoplanet.test", "Trestle-sample-1"):
        assert name in own.said


def test_the_portal_lists_the_applications(own):
    page = own.get("/")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for asset, kind in (("portal.js", "text/javascript"), ("portal.css", "text/css"), ("trestle.svg", "image/svg+xml")):
        answer = own.get(f"/{asset}")
        assert answer.status == 200 and answer.headers["content-type"].startswith(kind)
    listed = own.get("/applications.json").json()["applications"]
    assert [(a["name"], a["https"], a["http"]) for a in listed] == [(a, *own.ports(a)) for a in APPLICATIONS]
    for app in APPLICATIONS:
        assert own.get(f"/health/applications/{app}").status == 200
    for path in ("/", "/index.html", "/applications.json"):
        refused = own.post(path)
        assert refused.status == 405 and refused.headers["allow"] == "GET,HEAD,OPTIONS", "pages are read"
    assert own.get("/health/applications/nothing").status == 404


def test_secrets_are_for_the_servers_user_only(own):
    files = [*own.password_files(), own.var / "tls" / "ca.key", own.var / "tls" / "server.key"]
    assert len(files) == 4 * 6 + 2
    for file in files:
        assert file.stat().st_mode & 0o077 == 0, file
        assert file.owner() == SERVER_USER
    for directory in ("keys", "secrets", "postgres"):
        assert (own.var / directory).stat().st_mode & 0o077 == 0, directory
    for app in APPLICATIONS:
        key = (own.var / "keys" / app / "token").read_text()
        assert re.fullmatch(r"[A-Za-z0-9_-]{86}", key)


def test_nothing_runs_as_root(own):
    pids = processes(own.var)
    assert len(pids) >= 2
    for pid in pids:
        assert os.stat(f"/proc/{pid}").st_uid != 0


def test_the_database_wants_a_password_and_listens_on_no_port(own):
    assert own.sql("show listen_addresses", app="postgres") == [""]
    conninfo = f"host={own.var}/run dbname=videoplanet user=videoplanet_login"
    wrong = subprocess.run(as_server_user(["env", "PGPASSWORD=wrong", "psql", conninfo, "-c", "select 1"]), capture_output=True,
                           text=True, check=False, cwd="/")
    assert wrong.returncode != 0 and "password authentication failed" in wrong.stderr
    password = (own.var / "secrets" / "videoplanet_login.password").read_text()
    right = subprocess.run(as_server_user(["env", f"PGPASSWORD={password}", "psql", conninfo, "-Atc", "select 1"]),
                           capture_output=True, text=True, check=False, cwd="/")
    assert right.stdout == "1\n", right.stderr
    methods = own.sql("select distinct auth_method from pg_hba_file_rules order by 1", app="postgres")
    assert methods == ["peer", "scram-sha-256"]


def test_starting_twice_says_so(own):
    code, said = say(own.environment)
    assert code == 0 and "running already" in said
    code, said = say(own.environment, "run")
    assert code == 1 and "make stop" in said
    code, said = say({"TRESTLE_VAR": str(own.var)}, "status")
    assert code == 0 and f"https://localhost:{own.https + 1}" in said


def test_a_second_start_is_quick_and_keeps_the_data(own):
    own.sql("create table public.kept (n int)")
    key = (own.var / "keys" / "videoplanet" / "token").read_bytes()
    certificate = (own.var / "tls" / "server.pem").read_bytes()
    took = []
    while len(took) < 3 and min(took, default=9) >= 5:  # the machine may be busy with something else
        own.run("stop")
        assert processes(own.var) == []
        started = time.monotonic()
        own.start()
        took.append(time.monotonic() - started)
    assert min(took) < 5, took
    assert in_service(own)
    assert own.sql("select to_regclass('public.kept')") == ["kept"]
    assert (own.var / "keys" / "videoplanet" / "token").read_bytes() == key
    assert (own.var / "tls" / "server.pem").read_bytes() == certificate


def test_stopping_twice_is_no_error(own):
    own.run("stop")
    code, said = say(own.environment, "stop")
    assert code == 0 and "was not running" in said
    code, said = say(own.environment, "status")
    assert code == 3 and "not running" in said
    own.start()


def test_process_ids_that_now_belong_to_others_are_no_hindrance(own):
    own.run("stop")
    for path in (own.var / "run" / "httpd.pid", own.var / "postgres" / "data" / "postmaster.pid"):
        path.write_text(f"{os.getpid()}\n")
        shutil.chown(path, SERVER_USER)
    own.start()
    assert in_service(own)


def test_a_crash_of_everything_is_recovered_from(own):
    for pid in processes(own.var):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    until(lambda: not processes(own.var), 10)
    own.start()
    assert in_service(own)
    assert own.sql("select to_regclass('public.kept')") == ["kept"]


def test_a_crash_of_postgres_alone_is_mended_by_a_start(own):
    own.stop_database()
    code, said = say(own.environment)
    assert code == 0, said
    assert in_service(own)


@pytest.mark.parametrize("verb,says", [("stop", "has stopped"), ("start", "Trestle runs")])
def test_what_a_killed_httpd_leaves_is_ended(own, verb, says):
    """Children whose parent was killed keep the ports. One here is stuck. Who only names our configuration lives on."""
    left = own.children()
    os.kill(left[0], signal.SIGSTOP)
    os.kill(own.parent(), signal.SIGKILL)
    with subprocess.Popen(as_server_user(["tail", "-f", own.var / "run" / "httpd.conf"]), stdout=subprocess.DEVNULL) as bystander:
        try:
            until(lambda: not (pathlib.Path("/proc") / str(own.parent()) / "exe").exists(), 5)
            assert set(left) <= set(processes(own.var))
            code, said = say(own.environment, "status")
            assert code == 1 and "not running as a whole" in said and "make start puts it in order" in said
            assert re.search(rf"httpd: killed.*\b{left[0]}\b", said) and re.search(r"PostgreSQL: process \d+", said), said
            code, said = say(own.environment, verb)
            assert code == 0 and says in said, said
            assert not set(left) & set(processes(own.var))
            assert bystander.poll() is None
        finally:
            bystander.kill()
    assert verb == "start" or processes(own.var) == []
    own.start()
    assert in_service(own)


@pytest.mark.parametrize("verb,says", [("stop", "has stopped"), ("start", "Trestle runs")])
def test_what_a_killed_postgres_leaves_is_ended(own, verb, says):
    """A query that goes on and on does not see that its postmaster has gone; one that is stuck sees nothing at all."""
    psql = subprocess.Popen([TRESTLE, "psql", "videoplanet", "-AtXc", "select pg_backend_pid()", "-c",
                             "select count(*) from generate_series(1, 100000000000)"], cwd=ROOT, env={**os.environ, **own.environment},
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        backend = int(psql.stdout.readline())
        postmaster = int((own.var / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(backend, signal.SIGSTOP)
        os.kill(postmaster, signal.SIGKILL)
        until(lambda: not (pathlib.Path("/proc") / str(postmaster) / "exe").exists(), 5)
        code, said = say(own.environment, "status")
        assert code == 1 and re.search(rf"PostgreSQL: killed.*\b{backend}\b", said) and re.search(r"httpd: process \d+", said), said
        code, said = say(own.environment, verb)
        assert code == 0 and says in said, said
        assert not (pathlib.Path("/proc") / str(backend) / "exe").exists()
    finally:
        psql.kill()
        psql.communicate()
    own.start()
    assert in_service(own)


def test_graceful_restarts_with_slow_clients_leave_room_for_new_ones(own):
    """Each slow client keeps its old child from ending, so that several generations live side by side."""
    with contextlib.ExitStack() as slow:
        for _ in range(3):
            before = own.children()
            for _ in range(16):
                client = slow.enter_context(socket.create_connection(("127.0.0.1", own.http), 10))
                client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            time.sleep(0.2)  # until a thread reads: nothing tells from outside
            own.graceful()
            until(lambda: len(set(own.children()) - set(before)) >= 2, 5, "no new children")  # pylint: disable=cell-var-from-loop
            assert own.get("/health/live", timeout=3).status == 200
        assert len(own.children()) > 4
    assert "AH03490" not in (own.var / "log" / "error.log").read_text()
    until(lambda: len(own.children()) <= 4, 30)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def test_a_taken_port_is_named_with_the_mend(own):
    own.run("stop")
    cases = [(socket.AF_INET, "127.0.0.1", own.http + 2, True, "HTTP of mentoring"),
             (socket.AF_INET, "127.0.0.1", own.https + 2, False, "HTTPS of mentoring"),
             (socket.AF_INET, "0.0.0.0", own.https, True, "HTTPS of portal")]
    if has_ipv6():
        cases.append((socket.AF_INET6, "::1", own.https + 4, True, "HTTPS of maplestory"))
    try:
        for family, address, port, listening, purpose in cases:
            with socket.socket(family) as taken:
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, listening)
                taken.bind((address, port))
                if listening:
                    taken.listen()
                code, said = say(own.environment)
            assert code == 1 and f"port {port} ({purpose})" in said and "make run HTTPS_PORT=" in said, said
            assert "AH0" not in said
            assert processes(own.var) == []
    finally:
        own.start()


def test_https_where_its_address_says(own):
    own.run("stop")
    try:
        code, said = say({**own.environment, "HTTPS_ADDRESS": "192.0.2.1"})
        assert code == 1 and "192.0.2.1 is no address of this machine" in said and "HTTPS_ADDRESS=127.0.0.1" in said and "AH0" not in said
        for address in ("127.0.0.2", "*", *(["::1"] if has_ipv6() else [])):
            code, said = say({**own.environment, "HTTPS_ADDRESS": address})
            assert code == 0, said
            socket.create_connection(("127.0.0.2" if address == "*" else address, own.https + 1), 2).close()
            own.run("stop")
    finally:
        own.start()


@pytest.mark.parametrize("settings,mend", [
    ({"HTTPS_PORT": "80"}, "HTTPS_PORT=9443"),
    ({"HTTPS_PORT": "x"}, "HTTPS_PORT=9443"),
    ({"HTTPS_PORT": "08443"}, "HTTPS_PORT=9443"),
    ({"HTTPS_PORT": "0"}, "HTTPS_PORT=9443"),
    ({"HTTP_PORT": "70000"}, "HTTP_PORT=9443"),
    ({"HTTP_PORT": "65532"}, "HTTP_PORT=9443"),
    ({"HTTP_PORT": "-8080"}, "HTTP_PORT=9443"),
    ({"HTTPS_PORT": "8443", "HTTP_PORT": "8443"}, "leave more room"),
    ({"HTTPS_PORT": "9000", "HTTP_PORT": "9003"}, "leave more room"),
    ({"HTTPS_ADDRESS": "everywhere"}, "127.0.0.1"),
    ({"HTTPS_ADDRESS": "1.2.3"}, "127.0.0.1"),
    ({"HTTPS_ADDRESS": "256.0.0.1"}, "127.0.0.1"),
    ({"HTTPS_ADDRESS": "1::2::3"}, "127.0.0.1"),
    ({"TRESTLE_VAR": "/tmp/" + "long/" * 20}, "TRESTLE_VAR=/srv"),
])
def test_wrong_settings_name_the_mend(settings, mend):
    code, said = say(settings)
    assert code == 1 and mend in said
    assert said.startswith("trestle: ") and "bin/" not in said, said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the servers to another user")
@pytest.mark.parametrize("user", ["root", "nobody-there"])
def test_a_wrong_user_names_the_mend(user):
    code, said = say({"TRESTLE_USER": user, "TRESTLE_VAR": "/nonexistent/var"})
    assert code == 1 and "TRESTLE_USER=www-data" in said


@pytest.fixture
def clone():
    """A copy of what `make run` needs, in a directory whose name has a blank."""
    path = scratch("a clone")
    for name in ("bin", "conf", "htdocs", "sql"):
        shutil.copytree(ROOT / name, path / name)
    modules = path / "var" / "build" / "release" / "modules"
    modules.parent.mkdir(parents=True)
    shutil.copytree(ROOT / "var" / "build" / "release" / "modules", modules, ignore=lambda d, names: [n for n in names if not n.endswith(".so")])
    for directory in (path, path / "var"):
        shutil.chown(directory, os.geteuid(), os.getegid())
    yield path
    for pid in processes(path):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(path, ignore_errors=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the servers to another user")
def test_a_clone_that_the_user_cannot_reach(clone):
    clone.chmod(0o700)
    code, said = say({}, program=clone / "bin" / "trestle")
    assert code == 1
    assert f"cannot reach {clone}" in said and "chmod" in said and SERVER_USER in said and "TRESTLE_USER" in said


@pytest.mark.parametrize("line,said_of_it", [
    ("# Ports: +2", "mentoring.conf"),
    ("# Ports: +0", "from 1 to 999"),
    ("# Ports: +08", "from 1 to 999"),
    ("# Ports: +1000", "from 1 to 999"),
    ("# Ports: 5", "does not say its ports"),
])
def test_ports_of_applications_that_cannot_be(clone, line, said_of_it):
    other = clone / "conf" / "apps" / "other.conf"
    other.write_text(f"# other: not of use.\n{line}\n")
    code, said = say({}, program=clone / "bin" / "trestle")
    assert code == 1 and str(other) in said and said_of_it in said and "# Ports: +5" in said, said
    assert said.startswith("trestle: ") and "bin/" not in said


def test_run_from_a_half_made_place_until_ctrl_c(clone):
    """A start that was cut short is completed; Ctrl-C ends all processes; nothing outside var/ is touched."""
    listing = lambda: sorted((str(p), p.stat().st_mtime_ns) for p in clone.rglob("*") if clone / "var" not in (p, *p.parents) and p != clone)
    half = Product()
    shutil.rmtree(half.var)
    environment = {**os.environ, "HTTPS_PORT": str(half.https), "HTTP_PORT": str(half.http)}
    environment.pop("TRESTLE_VAR", None)
    for path in ("postgres/data.new", "keys/videoplanet", "run", "log", "tls", "secrets"):
        (clone / "var" / path).mkdir(parents=True)
    (clone / "var/postgres/data.new/PG_VERSION").write_text("15\n")
    (clone / "var/keys/videoplanet/token").write_text("")
    (clone / "var/keys/videoplanet/token.new").write_text("half")
    (clone / "var/tls/server.pem").write_text("half")
    for path in (clone / "var").rglob("*"):
        if "build" not in path.parts:
            shutil.chown(path, SERVER_USER)
    before = listing()
    console = clone / "var" / "console"
    with open(console, "wb") as out:
        running = subprocess.Popen([clone / "bin" / "trestle", "run"], env=environment, cwd="/", stdout=out, stderr=out,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
    until(lambda: "Ctrl-C stops it" in console.read_text() or running.poll() is not None, 60)
    assert running.poll() is None, console.read_text()
    for name in ("keys", "secrets", "postgres"):
        assert (clone / "var" / name).stat().st_mode & 0o077 == 0
    assert trusted_copy(clone, half.https + 1).startswith(b"HTTP/1.1 200")
    os.killpg(running.pid, signal.SIGINT)
    assert running.wait(30) == 0
    assert "Stopping" in console.read_text()
    until(lambda: not processes(clone), 10)
    assert listing() == before


def trusted_copy(clone, port):
    class Place:  # pylint: disable=too-few-public-methods
        var = clone / "var"
    return trusted(Place, "localhost", port)


def test_ctrl_c_in_a_terminal_ends_make_run(own):
    own.run("stop")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execvpe("make", ["make", "run"], own.environment)
    try:
        shown = b""
        while b"Ctrl-C stops it" not in shown:
            assert select.select([terminal], [], [], 120)[0], shown
            shown += os.read(terminal, 4096)
        assert in_service(own)
        os.write(terminal, b"\x03")
        with contextlib.suppress(OSError):  # the terminal's end
            while select.select([terminal], [], [], 60)[0] and (more := os.read(terminal, 4096)):
                shown += more
        os.waitpid(pid, 0)
        assert b"Stopping" in shown
        assert processes(own.var) == []
    finally:
        os.close(terminal)
        own.start()


def test_ctrl_c_at_any_moment_leaves_nothing(own):
    """Also while it starts, and while it says where it runs: each Ctrl-C comes a little later than the last."""
    own.run("stop")
    for delay in (0.05, 0.3, 0.6, 0.9, 1.2):
        running = subprocess.Popen([TRESTLE, "run"], env={**os.environ, **own.environment}, cwd="/", stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        time.sleep(delay)
        os.killpg(running.pid, signal.SIGINT)
        said = running.communicate(timeout=60)[0].decode()
        assert running.returncode in (0, 130, -signal.SIGINT) and "trestle:" not in said, said
        assert say(own.environment, "status")[0] == 3
    own.start()


def test_run_ends_when_a_server_ends(own):
    own.run("stop")
    console = own.var / "console"
    with open(console, "wb") as out:
        running = subprocess.Popen([TRESTLE, "run"], env=own.environment, cwd="/", stdout=out, stderr=out,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        until(lambda: "Ctrl-C stops it" in console.read_text() or running.poll() is not None, 60)
        own.stop_database()
        assert running.wait(30) == 1
        assert "ended by itself" in console.read_text()
        assert processes(own.var) == []
    finally:
        own.start()


def test_nothing_is_missing_so_nothing_is_installed():
    done = subprocess.run([ROOT / "bin" / "trestle-packages", "test"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "" and done.stderr == ""


def test_var_is_ignored_by_git():
    done = subprocess.run(["git", "check-ignore", "-q", "var/keys/videoplanet/token"], cwd=ROOT, check=False)
    assert done.returncode == 0
