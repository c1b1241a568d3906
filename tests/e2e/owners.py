# SPDX-License-Identifier: LGPL-2.1-or-later
"""The server owners of demo and test, and what their servers and a handset say of the same device."""
import json
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "unit"))

import reference  # noqa: E402

DATA = HERE / "data"
TEMPLATES = "/etc/dmacc/accounts.d"
IMEI = "490154203237518"
OTHER_IMEI = "354358001352586"
COMPUTED = ("UserName", "ClientPW", "ServerPW")


@dataclass(frozen=True)
class Owner:
    """Who runs a DM server: `name` is that of its slot and account, `template` what it furnishes."""
    name: str
    template: Path
    server_id: str


OWNERS = (Owner("operator", DATA / "operator.w7", "com.example.dm"),
          Owner("maker", DATA / "maker.conf", "org.example.fota"))


def devid(imei):
    return f"IMEI:{imei}"


def vendor_keys():
    """A vendor key for each owner."""
    return {owner: os.urandom(32) for owner in OWNERS}


def device_key(keys, owner, imei):
    return reference.device_key(keys[owner], devid(imei), 1)


def expected(keys, owner, imei, generation=0):
    """What an owner's server computes, by the independent implementation."""
    kd = device_key(keys, owner, imei)
    found = reference.credentials(kd, devid(imei), reference.SERVER_ID, owner.server_id.encode(), generation)
    return {"UserName": found.user_name, "ClientPW": found.client_pw, "ServerPW": found.server_pw}


def inject(handset, keys, owner, options=""):
    """As the factory does it, with the key on standard input; returns the command's result."""
    kd = device_key(keys, owner, handset.imei)
    key_id = reference.key_id(keys[owner], 1)
    return handset.run(f"dmaccctl factory inject {options} --slot {owner.name} --key-id {key_id} -", kd.hex() + "\n")


def put_template(handset, name, content):
    handset.check(f"cat > {TEMPLATES}/.new && mv {TEMPLATES}/.new {TEMPLATES}/{name}", content)


def put_templates(handset):
    for owner in OWNERS:
        put_template(handset, owner.template.name, owner.template.read_bytes())


def nodes(value):
    """Every node in the JSON of a tree."""
    if isinstance(value, dict):
        if "uri" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from nodes(item)


def computed(tree):
    """UserName, ClientPW, ServerPW of the JSON of a tree in the 1.1 layout."""
    found = {node["uri"].rsplit("/", 1)[1]: node.get("value") for node in nodes(json.loads(tree))}
    return {name: found.get(name) for name in COMPUTED}


def phone_values(handset, account):
    """What a handset has for an account; empty values if it shows none."""
    return computed(handset.run(f"dmaccctl tree --layout 1.1 --format json --show-secrets {account}").text or "[]")


def status(handset):
    """The JSON of `dmaccctl status`: of the module and of the agent."""
    return json.loads(handset.run("dmaccctl status --json").out)


def accounts(handset):
    """The accounts that the agent has: name -> state."""
    return {account["name"]: account["state"] for account in status(handset)["agent"].get("accounts", ())}


def refused(handset):
    """The templates that make no account: name -> reason."""
    return {Path(found["template"]).stem: found["reason"]
            for found in status(handset)["agent"].get("refused_templates", ())}


def wait_until(condition, seconds=300, pause=0.3):
    """Asks again and again; returns what the condition was at last, true or not."""
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(pause)
    return met


def wait_accounts(handset, wanted=None):
    """Until the agent has these accounts in these states (default: all owners', ready); false if it never has."""
    wanted = wanted or {owner.name: "ready" for owner in OWNERS}
    return wait_until(lambda: accounts(handset) == wanted)


def provision(handset):
    """As a factory does it, with keys of this run; returns when both accounts are ready."""
    keys = vendor_keys()
    for owner in OWNERS:
        assert inject(handset, keys, owner).status == 0
    put_templates(handset)
    assert wait_accounts(handset), "the handset has no accounts"


def memory(handset, unit):
    """KiB of proportional and of private dirty memory of a unit's process."""
    pid = handset.check(f"systemctl show -p MainPID --value {unit}").strip()
    used = dict(re.findall(r"(?m)^(\w+): +(\d+) kB", handset.check(f"cat /proc/{pid}/smaps_rollup")))
    return [int(used[name]) for name in ("Pss", "Private_Dirty")]


def hidden(text, secrets):
    """Is none of the secrets in the text?"""
    return not re.search("|".join(map(re.escape, secrets)), text)
