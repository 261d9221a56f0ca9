"""Where things are, and how a process is started without root's rights."""
import atexit
import contextlib
import os
import pathlib
import pwd
import random
import shutil
import socket
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ.get("BUILD", "release")
TRESTLE_MODULES = ROOT / "var" / "build" / BUILD / "modules"
MODULES = pathlib.Path("/usr/lib/apache2/modules")
SERVER_USER = (os.environ.get("TRESTLE_USER") or "www-data") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def as_server_user(command):
    """The command, run as SERVER_USER when we are root."""
    if os.geteuid() != 0:
        return list(command)
    return ["setpriv", "--reuid", SERVER_USER, "--regid", SERVER_USER, "--init-groups", "--inh-caps=-all", *command]


_made = {}  # directories of scratch() that go when this process ends, and the process that made them


def scratch(name):
    """A fresh directory that SERVER_USER owns. It is removed when this process ends, unless keep() has been called for it.
    Short paths: a unix socket's is limited to 107 bytes."""
    base = ROOT / "var" / "test"
    base.mkdir(parents=True, exist_ok=True)
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=base))
    path.chmod(0o755)
    if os.geteuid() == 0:
        shutil.chown(path, SERVER_USER, SERVER_USER)
    _made[path] = os.getpid()
    return path


def remove(path):
    """Removes a directory of scratch() at once, or never if KEEP is set in the environment."""
    _made.pop(path, None)
    if not os.environ.get("KEEP"):
        shutil.rmtree(path, ignore_errors=True)


def keep(path):
    """What went wrong in a directory of scratch() is to be looked at."""
    _made.pop(path, None)


@atexit.register
def _remove_the_rest():
    for path in [path for path, process in _made.items() if process == os.getpid()]:
        remove(path)


def free_port(count=1):
    """The first of count TCP ports in a row that are free on loopback now. Below the range from which the kernel takes
    ports for outgoing connections, and random, so that runs beside each other hardly meet."""
    while True:
        base = random.randrange(12000, 32000 - count)
        try:
            with contextlib.ExitStack() as held:
                for port in range(base, base + count):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
