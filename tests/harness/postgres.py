"""A private PostgreSQL cluster on a unix socket."""
import pathlib
import shutil
import subprocess

import psycopg2

from .paths import SERVER_USER, as_server_user, keep, remove, scratch

BIN = next(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))


class Postgres:
    """with Postgres() as pg: pg.sql("select 1"); pg.dsn("dbname"); pg.stop(); pg.start(); pg.kill()"""

    def __init__(self, **settings):
        self.path = scratch("pg")
        self.data = self.path / "data"
        self.settings = {"listen_addresses": "''", "unix_socket_directories": f"'{self.path}'", "fsync": "off",
                         "max_connections": "100", "log_min_messages": "warning", **settings}
        self.superuser = SERVER_USER

    def __enter__(self):
        subprocess.run(as_server_user([str(BIN / "initdb"), "-D", str(self.data), "-U", self.superuser, "-A", "trust",
                                       "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]),
                       check=True, stdout=subprocess.DEVNULL, cwd=self.path)
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            for name, value in self.settings.items():
                conf.write(f"{name} = {value}\n")
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if kind is None:
            remove(self.path)
        else:
            keep(self.path)
            shutil.rmtree(self.data, ignore_errors=True)

    def _ctl(self, *arguments, check=True):
        return subprocess.run(as_server_user([str(BIN / "pg_ctl"), "-D", str(self.data), *arguments]), check=check,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.path)

    def start(self):
        self._ctl("start", "-w", "-t", "60", "-l", str(self.path / "log"))

    def stop(self, mode="fast"):
        """Ends the server; mode fast closes connections, immediate is like a crash."""
        self._ctl("stop", "-w", "-m", mode, check=False)

    @property
    def pid(self):
        """The postmaster's process id."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def conninfo(self, dbname="postgres", user=None):
        """A libpq connection string."""
        return f"host={self.path} dbname={dbname} user={user or self.superuser}"

    def connect(self, dbname="postgres", user=None):
        """An autocommit psycopg2 connection."""
        connection = psycopg2.connect(self.conninfo(dbname, user))
        connection.autocommit = True
        return connection

    def sql(self, statement, *parameters, dbname="postgres", user=None):
        """Runs one statement as superuser; the rows as tuples, or None."""
        connection = self.connect(dbname, user)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()
