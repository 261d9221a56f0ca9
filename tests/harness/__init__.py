"""Real servers for tests: a private PostgreSQL cluster and private httpd servers on free ports.

Everything lives in directories of its own under var/test, which go when all was well (KEEP=1 keeps them) and stay with their
logs when not. As root, the servers run as the user TRESTLE_USER (default www-data), as `make run` does.
"""
from .paths import BUILD, MODULES, ROOT, SERVER_USER, TRESTLE_MODULES, as_server_user, free_port, scratch
from .postgres import Postgres
from .httpd import Httpd, Response
from .load import Load, resident, until
from .product import APPLICATIONS, SAMPLE_PASSWORD, Product

__all__ = ["BUILD", "MODULES", "ROOT", "SERVER_USER", "TRESTLE_MODULES", "as_server_user", "free_port", "scratch",
           "Postgres", "Httpd", "Response", "APPLICATIONS", "SAMPLE_PASSWORD", "Product", "Load", "resident", "until"]
