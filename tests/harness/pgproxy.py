"""A proxy between libpq and PostgreSQL that counts round trips, and delays, hangs or cuts on demand."""
import socket
import threading
import time

from .paths import free_port


class PgProxy:
    """with PgProxy(cluster) as proxy: proxy.conninfo("db"); proxy.flights; proxy.hang(); proxy.cut()

    flights      one number for each ReadyForQuery after the first of a connection: how often the client had to send
                 before it came, with an answer of the server in between (1: one round trip)
    delay        seconds by which each of the server's answers is held back
    cut_answers  the next answers of the server are swallowed and their connections closed
    """

    def __init__(self, cluster):
        self.cluster = cluster
        self.port = free_port()
        self.flights, self.delay, self.cut_answers, self.connections = [], 0, 0, 0
        self.going = threading.Event()
        self.going.set()
        self.pairs, self.lock = [], threading.Lock()
        self.server = None

    def conninfo(self, dbname="postgres", user=None):
        return (f"host=127.0.0.1 port={self.port} dbname={dbname} user={user or self.cluster.superuser} "
                "sslmode=disable gssencmode=disable")

    def __enter__(self):
        self.server = socket.create_server(("127.0.0.1", self.port), backlog=200)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._close(self.server)  # or accept() would keep it alive
        self.server.close()
        self.going.set()
        self.cut()

    def hang(self):
        """From now on nothing passes, new connections included."""
        self.going.clear()

    def resume(self):
        self.going.set()

    def cut(self):
        """Closes all connections."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        self.going.wait()
        upstream = socket.socket(socket.AF_UNIX)
        try:
            upstream.connect(str(self.cluster.path / ".s.PGSQL.5432"))
        except OSError:
            client.close()
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.pairs.append((client, upstream))
        state = {"flights": 0, "asked": False, "ready": 0}
        threading.Thread(target=self._up, args=(client, upstream, state), daemon=True).start()
        self._down(upstream, client, state)

    @staticmethod
    def _close(*ends):
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _up(self, client, upstream, state):
        try:
            while data := client.recv(65536):
                self.going.wait()
                if not state["asked"]:
                    state["asked"] = True
                    state["flights"] += 1
                upstream.sendall(data)
        except OSError:
            pass
        try:
            upstream.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _down(self, upstream, client, state):
        pending = b""
        try:
            while data := upstream.recv(65536):
                self.going.wait()
                if self.delay:
                    time.sleep(self.delay)
                if self.cut_answers and state["ready"]:
                    self.cut_answers -= 1
                    break
                state["asked"] = False
                pending = self._scan(pending + data, state)
                client.sendall(data)
        except OSError:
            pass
        self._close(client, upstream)
        client.close()
        upstream.close()

    def _scan(self, pending, state):
        """Whole messages are looked at; what is left of the last one is kept."""
        while len(pending) >= 5:
            length = int.from_bytes(pending[1:5], "big") + 1
            if len(pending) < length:
                break
            if pending[:1] == b"Z":
                if state["ready"]:
                    self.flights.append(state["flights"])
                state["ready"] += 1
                state["flights"] = 0
            pending = pending[length:]
        return pending
