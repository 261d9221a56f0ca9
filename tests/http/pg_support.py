"""What the tests of mod_pg share: a server with one pool and the test handler."""
import contextlib
import re
import time

from harness import Httpd

LOCATIONS = """
PgUse app
<Location /q>
    SetHandler pgtest
</Location>
<Location /status>
    SetHandler server-status
</Location>
"""


def pool(conninfo, directives="", name="app"):
    """A <PgPool> section."""
    return f'<PgPool {name}>\n    PgConnect "{conninfo}"\n{directives}\n</PgPool>\n'


def workers(mpm, children=1, threads=16):
    """MPM settings that keep exactly so many children."""
    if mpm == "prefork":
        return (f"StartServers {children}\nMinSpareServers {children}\nMaxSpareServers {children}\n"
                f"MaxRequestWorkers {children}\nServerLimit {children}\n")
    return (f"StartServers {children}\nServerLimit {children * 3}\nThreadsPerChild {threads}\nThreadLimit {threads}\n"
            f"MaxRequestWorkers {children * threads}\nMinSpareThreads 1\nMaxSpareThreads {children * threads}\n")


def server(conninfo, directives="", more="", mpm=None, children=1, threads=16, ours=("trestle", "pg"), **options):
    """An Httpd with the pool "app" at /q and server-status at /status."""
    one = Httpd(pool(conninfo, directives) + LOCATIONS + more, mpm=mpm, ours=ours, tests=("pgtest",), **options)
    one.workers = workers(one.mpm, children, threads)
    # All workers are busy: these tests mean it. AH03093: the event MPM stops while it puts a connection aside.
    one.expected.append(re.compile("AH00161|AH00484|AH03490|AH03093"))
    return one


def batch(one, *lines, path="/q", **more):
    """Runs a batch; the Response."""
    return one.post(path, "\n".join(lines).encode(), **more)


def rows(one, *lines, **more):
    """The results of a batch that must succeed."""
    answer = batch(one, *lines, **more)
    assert answer.status == 200, answer.body
    return answer.json()["results"]


def status(one, name="app"):
    """The pool's figures in server-status."""
    text = one.get("/status?auto").body.decode()
    return {key: int(value) for key, value in re.findall(rf"^PgPool\[{name}\](\S+): (\d+)$", text, re.M)}


def wait_for(condition, seconds=10, step=0.02):
    """Waits until the condition holds; its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(step)


def backends(cluster, where="application_name = 'trestle'"):
    """How many backends serve the pool."""
    return cluster.sql(f"SELECT count(*) FROM pg_stat_activity WHERE {where}")[0][0]


@contextlib.contextmanager
def timed(least=0, most=3600):
    """Asserts how long the block takes."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert least <= took <= most, f"took {took:.3f} s, not {least} to {most} s"
