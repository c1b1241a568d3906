#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long DERIVE over netlink takes: derive.py [6.1|6.12]...

As a ratio to a CTRL_CMD_GETFAMILY round trip, which generic netlink itself answers, over the same
socket in the same guest, in turn, medians. Debian's stock kernels, as they come: without audit.
"""
import contextlib
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests/e2e"))

import test_module  # noqa: E402
from test_module import kernels, vm  # noqa: E402

COUNT = 5000
SCRIPT = f"""
probe=/guest/nlprobe
$probe open-root rung=2 agent-uid=1001 master=@/guest/master master-source=1 >/dev/null &&
$probe seal-key slot-name=alpha key-id=b694ff823ea00e66 key-version=1 device-key=@/guest/device-key >/dev/null &&
echo "DATA times=$(/guest/derive alpha {COUNT})"
"""


def measure(series):
    with tempfile.TemporaryDirectory() as folder:
        kernel = kernels.Kernel(series)
        with contextlib.redirect_stdout(sys.stderr):
            module = test_module.build_module(kernel, folder, test_module.Tap())
        handset = test_module.Handset(kernel, module, folder, None)
        files = handset.files | {"guest/main": SCRIPT.encode(),
                                 "guest/derive": test_module.build_program(folder, "derive", Path(__file__).parent)}
        guest = vm.run(kernel, handset.modules, files, test_module.IMEI)
        if guest.status or not guest.values("times"):
            sys.exit("the guest's script failed:\n" + "\n".join(guest.lines[-20:]))
        return [float(time) for time in guest.values("times")[0].split()]


def main():
    for series in sys.argv[1:] or kernels.SERIES:
        derive, lookup = measure(series)
        print(f"DERIVE over netlink: {derive / lookup:.2f} times a CTRL_CMD_GETFAMILY round trip (aim 2 or less), "
              f"{derive / 1000:.0f} and {lookup / 1000:.0f} microseconds on emulated {series}")


if __name__ == "__main__":
    main()
