"""The portal in a real Chromium."""
import re
import subprocess
import tempfile

from harness import APPLICATIONS

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--ignore-certificate-errors",
         "--virtual-time-budget=8000", "--enable-logging=stderr")


def page(url):
    """(document after its scripts ran, what Chromium's console said)."""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(["chromium", *FLAGS, f"--user-data-dir={profile}", "--dump-dom", url], capture_output=True,
                              text=True, timeout=120, check=True)
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


def test_the_portal_shows_every_application_ready(product):
    document, console = page(f"https://localhost:{product.https}/")
    assert re.findall(r"<h3>(\w+)</h3>", document) == list(APPLICATIONS)
    assert re.findall(r'data-state="(\w+)"', document.split("<template")[0]) == ["ready"] * len(APPLICATIONS)
    for app in APPLICATIONS:
        assert f"https://localhost:{product.ports(app)[0]}/" in document
    assert console == "", console


def test_the_portal_shows_an_outage(product):
    product.stop_database()
    try:
        document, _ = page(f"http://localhost:{product.http}/")
        assert re.findall(r'data-state="(\w+)"', document.split("<template")[0]) == ["unready"] * len(APPLICATIONS)
    finally:
        product.start_database()
