# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is slow to make and does not change, outside of the checkout; never needed."""
import fcntl
import hashlib
import os
import shutil
import tempfile
from pathlib import Path


def folder():
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dmacc"


def digest(*made_of):
    """What tells one thing from another that was made of something else."""
    return hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:16]


def entry(name, make):
    """The folder `name` of the cache; `make(folder)` fills it if it is not there.

    It is made under another name, so that an interrupted run leaves no half of it, and under a
    lock, so that two runs do not make the same thing at once.
    """
    path = folder() / name
    if path.exists():
        return path
    folder().mkdir(parents=True, exist_ok=True)
    with open(folder() / f"{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            begun = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=folder()))
            try:
                make(begun)
                begun.rename(path)
            except BaseException:
                shutil.rmtree(begun)
                raise
    return path
