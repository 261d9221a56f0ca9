"""Loads from this process: many threads, each request checked."""
import collections
import threading
import time


class Load:
    """with Load(threads, request) as load: …  request(i) → anything but an exception; load.results counts the values.

    Each thread calls request(i) with its own running number until the block ends. Exceptions count as values too
    ("ConnectionResetError"), so that a test can say which are allowed.
    """

    def __init__(self, threads, request):
        self.results = collections.Counter()
        self.slowest = 0.0
        self._request, self._stop, self._lock = request, threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(threads)]

    def _run(self, number):
        i = 0
        while not self._stop.is_set():
            started = time.monotonic()
            try:
                value = self._request(number * 10_000_000 + i)
            except Exception as e:  # pylint: disable=broad-except
                value = type(e).__name__
            took = time.monotonic() - started
            with self._lock:
                self.results[value] += 1
                self.slowest = max(self.slowest, took)
            i += 1

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def wait_for(self, count, timeout=60):
        """Returns when count more requests have ended."""
        target, deadline = sum(self.results.values()) + count, time.monotonic() + timeout
        while sum(self.results.values()) < target:
            assert time.monotonic() < deadline, f"only {dict(self.results)}"
            time.sleep(0.01)


def until(condition, timeout=30, message="condition not met"):
    """Waits until condition() is true and returns its value."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, message() if callable(message) else message
        time.sleep(0.02)


def resident(pid):
    """Resident private memory of a process in KiB (without shared pages)."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        fields = dict(line.split(":", 1) for line in f if ":" in line)
    return sum(int(fields[k].split()[0]) for k in ("Private_Clean", "Private_Dirty"))
