"""make install and make uninstall, into a directory of their own."""
import os
import subprocess

import pytest

from harness import APPLICATIONS, ROOT
from harness.httpd import OURS

INSTALL = ROOT / "bin" / "trestle-install"


def run(destination, verb, check=True):
    return subprocess.run([INSTALL, verb], env={**os.environ, "DESTDIR": str(destination)}, capture_output=True, text=True, check=check)


def files(destination):
    return sorted(str(p.relative_to(destination)) for p in destination.rglob("*") if p.is_file())


def test_install_lays_down_modules_sites_sql_and_commands(tmp_path):
    run(tmp_path, "install")
    there = files(tmp_path)
    for module in OURS:
        assert f"usr/lib/apache2/modules/mod_{module}.so" in there
        load = (tmp_path / f"etc/apache2/mods-available/{module}.load").read_text()
        assert f"LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so" in load and str(tmp_path) not in load
    for app in APPLICATIONS:
        site = (tmp_path / f"etc/apache2/sites-available/trestle-{app}.conf").read_text()
        assert f"Use Application_{app}" in site and "@" not in site
        assert f"usr/local/share/trestle/conf/apps/{app}.conf" in there
    assert "usr/local/share/trestle/sql/core/0001_schema.sql" in there
    for command in ("sbin/trestle-setup", "sbin/trestle-admin", "lib/trestle/trestle-password-hash"):
        assert (tmp_path / "usr/local" / command).stat().st_mode & 0o111


def test_the_installed_admin_finds_its_files(tmp_path):
    run(tmp_path, "install")
    done = subprocess.run([tmp_path / "usr/local/share/trestle/bin/trestle-admin", "videoplanet", "x@example.org"], input="x\n",
                          env={**os.environ, "TRESTLE_INSTALLED": "1", "PGHOST": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "the database videoplanet cannot be reached" in done.stderr
    assert "TRESTLE_INSTALLED=1" in (tmp_path / "usr/local/sbin/trestle-admin").read_text()


def test_sample_data_is_not_installed_and_refused(tmp_path):
    run(tmp_path, "install")
    assert [f for f in files(tmp_path) if "sample" in f] == []
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.suffix != ".so":
            assert b"Trestle-sample-1" not in path.read_bytes(), path
    done = subprocess.run([tmp_path / "usr/local/share/trestle/bin/trestle-migrate", "--sample", "videoplanet"],
                          env={**os.environ, "TRESTLE_INSTALLED": "1"}, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "sample data" in done.stderr
    assert "TRESTLE_INSTALLED=1" in (tmp_path / "usr/local/sbin/trestle-migrate").read_text()


def test_uninstall_leaves_nothing(tmp_path):
    (tmp_path / "usr/lib/apache2/modules").mkdir(parents=True)
    (tmp_path / "usr/lib/apache2/modules/mod_other.so").write_text("not ours")
    run(tmp_path, "install")
    assert len(files(tmp_path)) > 40
    run(tmp_path, "uninstall")
    assert files(tmp_path) == ["usr/lib/apache2/modules/mod_other.so"]
    assert not (tmp_path / "usr/local/share/trestle").exists() and not (tmp_path / "usr/local/lib/trestle").exists()
    assert "not installed" in run(tmp_path, "uninstall").stdout


def test_what_was_changed_by_hand_survives_upgrade_and_uninstall(tmp_path):
    run(tmp_path, "install")
    site = tmp_path / "etc/apache2/sites-available/trestle-videoplanet.conf"
    site.write_text("# mine\n")
    assert "kept /etc/apache2/sites-available/trestle-videoplanet.conf" in run(tmp_path, "install").stdout
    assert site.read_text() == "# mine\n"
    assert "kept" in run(tmp_path, "uninstall").stdout
    assert files(tmp_path) == ["etc/apache2/sites-available/trestle-videoplanet.conf"]


def test_an_upgrade_takes_away_what_is_no_longer_part_of_it(tmp_path):
    run(tmp_path, "install")
    gone = tmp_path / "usr/local/share/trestle/sql/apps/old/0001_old.sql"
    gone.parent.mkdir(parents=True)
    gone.write_text("select 1;\n")
    with open(tmp_path / "usr/local/share/trestle/manifest", "a", encoding="utf-8") as manifest:
        manifest.write("0" * 64 + "  /usr/local/share/trestle/sql/apps/old/0001_old.sql\n")
    run(tmp_path, "install")
    assert not gone.parent.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="trestle-setup is root's")
@pytest.mark.parametrize("arguments,mend", [((), "trestle-setup videoplanet"), (("nothing",), "there are:"), (("../x",), "usage")])
def test_setup_names_the_mend(arguments, mend):
    done = subprocess.run([ROOT / "bin" / "trestle-setup", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and mend in done.stderr
