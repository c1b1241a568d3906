# SPDX-License-Identifier: LGPL-2.1-or-later
"""Test results as TAP, numbered through over several guests."""
import threading


class Tap:
    """One for a run; threads may share it."""

    def __init__(self):
        self.count = self.failed = 0
        self._lock = threading.Lock()

    def test(self, ok, name, *details):
        with self._lock:
            self.count += 1
            self.failed += not ok
            print(f"{'ok' if ok else 'not ok'} {self.count} - {name}", flush=True)
            for detail in details if not ok else ():
                for line in str(detail).splitlines():
                    print(f"# {line}", flush=True)

    def end(self):
        """Prints the plan; returns the exit status."""
        print(f"1..{self.count}")
        return 1 if self.failed or not self.count else 0
