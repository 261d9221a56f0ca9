"""mod_pg: directives, and the mend in what configtest says of wrong ones."""
import re

import pytest

from harness import Httpd
from pg_support import backends, batch, rows, server, status, wait_for

OK = 'PgConnect "dbname=x"\n'


def configtest(text, **more):
    one = Httpd(text, ours=("trestle", "pg"), tests=("pgtest",), **more)
    code, output = one.configtest()
    return code, re.sub(r"\s+", " ", output)


@pytest.mark.parametrize("inside,mend", [
    ("", "has no PgConnect; write for example"),
    ('PgConnect ""', "PgConnect takes one argument"),
    ('PgConnect " "', "the connection string is empty"),
    ('PgConnect "dbname"', "not a libpq connection string"),
    ('PgConnect "dbname=x colour=red"', 'invalid connection option "colour"'),
    ('PgConnect "dbname=x password=hunter2"', "name its file with PgPasswordFile"),
    ('PgConnect "dbname=x password=hunter2 hunter2"', "not a libpq connection string"),
    ('PgConnect "postgresql://u:hunter2@h/x"', "name its file with PgPasswordFile"),
    (OK + 'PgListen "password=hunter2"', "PgListen: a password does not belong"),
    (OK + "PgPasswordFile /nowhere", "name a file that the user who starts the server can read"),
    (OK + "PgPasswordFile /etc", "is not a file"),
    (OK + "PgPasswordFile /etc/passwd", "chmod 600"),
    (OK + "PgPasswordEnv NO_SUCH_VARIABLE", "the environment has no variable"),
    (OK + "PgPasswordEnv PATH\nPgPasswordEnv PATH", "keep one of"),
    (OK + OK, "PgConnect stands twice in <PgPool app>, on line"),
    (OK + "PgMax 3\nPgWait 1s\npgmax 4", "PgMax stands twice in <PgPool app>"),
    (OK + "PgReset On\n<IfModule pg_module>\nPgReset Off\n</IfModule>", "; keep one of them"),
    (OK + "PgMax 0", "PgMax: '0' is not a whole number from 1 to 1024"),
    (OK + "PgMax 1025", "from 1 to 1024"),
    (OK + "PgMin -1", "PgMin: '-1' is not a whole number"),
    (OK + "PgMin 17", "PgMin 17 is more than PgMax 16"),
    (OK + "PgMin 5\nPgKeep 4", "PgKeep 4 is less than PgMin 5"),
    (OK + "PgKeep x", "PgKeep: 'x' is not"),
    (OK + "PgExptime 5m", "write for example 30s"),
    (OK + "PgWait 0", "PgWait: '0' is not a duration from 1ms to 1min"),
    (OK + "PgTimeout 2h", "PgTimeout: '2h' is not a duration from 1ms to 1h"),
    (OK + "PgConnectTimeout 30sXYZ", "PgConnectTimeout: "),
    (OK + "PgPrepare maybe", "must be On or Off"),
    (OK + "PgPrepareMax 31", "from 32 to 100000"),
    (OK + "PgReset 1", "must be On or Off"),
    (OK + "Require all granted", "does not belong inside <PgPool>"),
    (OK + "PgUse app", "does not belong inside <PgPool>"),
])
def test_configtest_names_the_mend(inside, mend):
    code, output = configtest(f"<PgPool app>\n{inside}\n</PgPool>\n")
    assert code != 0 and mend in output and re.search(r"on line \d+", output)
    assert "hunter2" not in output


@pytest.mark.parametrize("text,mend", [
    (f"<PgPool>\n{OK}</PgPool>", "write for example <PgPool shop>"),
    (f"<PgPool a b>\n{OK}</PgPool>", "a pool has one name"),
    (f"<PgPool A-b>\n{OK}</PgPool>", "a pool has one name"),
    (f"<PgPool a>\n{OK}</PgPool>\n<PgPool a>\n{OK}</PgPool>", "stands twice in this server, first on line"),
    (f"<Location /x>\n<PgPool a>\n{OK}</PgPool>\n</Location>", "<PgPool"),
    ("PgMax 3", "PgMax stands inside of <PgPool name> ... </PgPool> only"),
    ('PgConnect "dbname=x"', "stands inside of <PgPool name>"),
    ("PgReset On", "stands inside of <PgPool name>"),
    ("PgUse app", "no <PgPool app> in this server or virtual host (there is: none)"),
    (f"<PgPool a>\n{OK}</PgPool>\n<Location /x>\nPgUse b\n</Location>", "(there is: a); correct the name"),
    (f"<VirtualHost *>\n<PgPool a>\n{OK}</PgPool>\n</VirtualHost>\n<VirtualHost *>\nPgUse a\n</VirtualHost>",
     "no <PgPool a> in this server or virtual host"),
    ("PgUse A-b", "is not the name of a pool"),
])
def test_configtest_of_sections_and_uses(text, mend):
    code, output = configtest(text)
    assert code != 0 and mend in output and re.search(r"line \d+", output)


def test_all_directives_together():
    code, output = configtest("""
        <PgPool app>
            PgConnect "service=shop"
            PgListen "host=/run dbname=shop"
            PgPasswordEnv PATH
            PgMin 0
            PgKeep 0
            PgMax 1024
            PgExptime 1h
            PgWait 1ms
            PgTimeout 1h
            PgConnectTimeout 500ms
            PgPrepare Off
            PgPrepareMax 32
            PgReset Off
        </PgPool>
        <IfModule pg_module>
            PgUse app
        </IfModule>""")
    assert code == 0, output


def test_a_use_of_the_server_may_name_a_pool_of_its_virtual_hosts():
    assert configtest(f"PgUse a\n<VirtualHost *>\n<PgPool a>\n{OK}</PgPool>\n</VirtualHost>")[0] == 0


def test_htaccess_may_not_choose_a_pool(postgres):
    with server(postgres.conninfo(), "", "<Directory />\nAllowOverride All\n</Directory>", mpm="event",
                expected=["PgUse not allowed here"]) as one:
        (one.path / "htdocs" / ".htaccess").write_text("PgUse app\n")
        assert one.get("/index.html").status == 500


def test_inner_sections_choose_another_pool(postgres):
    postgres.sql("DROP DATABASE IF EXISTS pg_second")
    postgres.sql("CREATE DATABASE pg_second")
    second = f'<PgPool second>\nPgConnect "{postgres.conninfo("pg_second")}"\n</PgPool>\n'
    more = second + "<Location /q/second>\nPgUse second\n</Location>\n<Location /q/second/inner>\n</Location>\n"
    with server(postgres.conninfo(), "", more, mpm="event") as one:
        for path, name in (("/q", "postgres"), ("/q/second", "pg_second"), ("/q/second/inner", "pg_second")):
            assert rows(one, "sql SELECT current_database()", path=path) == [[[name]]]
        assert status(one, "second")["Batches"] == 2
    postgres.sql("DROP DATABASE pg_second")


def test_a_location_without_a_pool():
    with Httpd("<Location /q>\nSetHandler pgtest\n</Location>", ours=("trestle", "pg"), tests=("pgtest",)) as one:
        assert batch(one, "sql SELECT 1").status == 404


def test_server_status_shows_the_pool(postgres):
    with server(postgres.conninfo(), "PgMax 7", mpm="event") as one:
        rows(one, "sql SELECT 1")
        wait_for(lambda: status(one)["Connecting"] == 0)
        figures = status(one)
        assert (figures["Max"], figures["Batches"], figures["Waiting"], figures["Busy"]) == (7, 1, 0, 0)
        assert figures["Connects"] >= 1 and figures["Open"] == figures["Idle"] >= 1
        page = one.get("/status").body.decode()
        assert "<h3>Pool app</h3>" in page and "<td>Max</td><td>7</td>" in page
        assert str(postgres.path) not in page


def test_a_pool_that_shrinks_counts_the_old_childrens_connections(postgres):
    with server(postgres.conninfo(), "PgMax 6\nPgMin 6\nPgKeep 6", mpm="event") as one:
        rows(one, "sql SELECT 1")
        one.config = one.config.replace("PgMax 6", "PgMax 2").replace("PgMin 6", "PgMin 1")
        one.write()
        one.graceful()
        wait_for(lambda: status(one).get("Max") == 2 and backends(postgres) <= 2)
        assert rows(one, "sql SELECT 1") == [[["1"]]]


