#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes org.dmacc1(5) of uapi/org.dmacc1.xml and its comments.

    bus_manual.py org.dmacc1.xml org.dmacc1.5

The interface is the one source: what is wrong in the page is put right there. A member without a comment is refused.
"""
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "libdmacc"))
from manual import paragraphs, prose  # noqa: E402

DATE = "November 25, 2026"
EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"

HEAD = f""".\\" SPDX-License-Identifier: LGPL-2.1-or-later
.\\" Generated from org.dmacc1.xml
.Dd {DATE}
.Dt ORG.DMACC1 5
.Os
.Sh NAME
.Nm org.dmacc1
.Nd OMA DM accounts of this device on the system bus
.Sh DESCRIPTION
"""

TAIL = """.Sh FILES
.Bl -tag -width Ds
.It Pa /usr/share/dbus-1/interfaces/org.dmacc1.xml
the same for programs that read it
.El
.Sh EXAMPLES
What there is, and what the agent says of an account:
.Bd -literal -offset indent
busctl tree org.dmacc1
busctl introspect org.dmacc1 /org/dmacc1/account/example
busctl get-property org.dmacc1 /org/dmacc1 org.dmacc1.Manager State
busctl call org.dmacc1 /org/dmacc1/account/example \\e
        org.dmacc1.Account GetTree s 1.2
.Ed
.Sh SEE ALSO
.Xr libdmacc-client 3 ,
.Xr dmaccctl 8 ,
.Xr dmaccd 8
"""


class Undescribed(Exception):
    """A member that nobody wrote a comment for."""


def indented(comment):
    """Its text, without what all lines are indented by."""
    lines = comment.expandtabs(8).split("\n")
    rest = [line for line in lines[1:] if line.strip()]
    by = min((len(line) - len(line.lstrip()) for line in rest), default=0)
    return "\n".join([lines[0].strip(), *(line[by:].rstrip() for line in lines[1:])]).strip()


def errors(text):
    found = re.findall(r"^ +(\w+) {2,}(\S.*(?:\n {10,}\S.*)*)", text, re.MULTILINE)
    if not found:
        raise Undescribed("org.dmacc1.Error")
    yield ".Sh ERROR NAMES"
    yield "Besides those of the bus:"
    yield ".Bl -tag -width Ds"
    for name, about in found:
        yield f".It Er org.dmacc1.Error.{name}\n{prose(about)}"
    yield ".El"


def signature(method):
    given = ", ".join(" ".join(filter(None, (arg.get("direction"), arg.get("type"), arg.get("name"))))
                      for arg in method.iter("arg"))
    return f"{method.get('name')}({given})"


def kind_of(prop):
    constant = any(a.get("name") == EMITS and a.get("value") == "const" for a in prop.iter("annotation"))
    return f"{prop.get('type')}{', constant' if constant else ''}"


def described(element):
    """(what comes first, its comment) of the interface's members, and the interface's own comment."""
    comment = ""
    for child in element:
        if child.tag is ET.Comment:
            comment = indented(child.text)
        elif child.tag in ("property", "method", "signal", "interface"):
            if not comment and child.tag != "interface":
                raise Undescribed(f"{element.get('name')}.{child.get('name')}")
            yield child, comment
            comment = ""


def members(interface, tag, title, head):
    found = [(child, comment) for child, comment in described(interface) if child.tag == tag]
    if not found:
        return
    yield f".Ss {title}\n.Bl -tag -width Ds"
    for child, comment in found:
        yield f".It {head(child)}"
        yield from paragraphs(comment)
    yield ".El"


def section(interface, comment):
    yield f".Sh {interface.get('name').upper()}"
    if comment:
        yield from paragraphs(comment + ("" if comment.endswith(".") else "."))
    yield from members(interface, "property", "Properties", lambda p: f'Va {p.get("name")} No ({kind_of(p)})')
    yield from members(interface, "method", "Methods", lambda m: f'Ic "{signature(m)}"')
    yield from members(interface, "signal", "Signals", lambda s: f'Ic "{signature(s)}"')


def page(text):
    comment = indented(re.findall(r"<!--(.*?)-->", text[:text.index("<node>")], re.DOTALL)[1])
    root = ET.fromstring(text, ET.XMLParser(target=ET.TreeBuilder(insert_comments=True)))
    about, _, refusals = comment.partition("Errors, besides those of the bus: org.dmacc1.Error.\n")
    lines = [*paragraphs(about.strip())]
    for interface, said in described(root):
        lines += section(interface, said)
    lines += errors(refusals)
    return HEAD + "\n".join(lines) + "\n" + TAIL


def main():
    if len(sys.argv) != 3:
        return "usage: bus_manual.py org.dmacc1.xml org.dmacc1.5"
    try:
        Path(sys.argv[2]).write_text(page(Path(sys.argv[1]).read_text(encoding="utf-8")), encoding="utf-8")
    except Undescribed as e:
        return f"bus_manual.py: {e}: there is no comment that describes it"
    return 0


if __name__ == "__main__":
    sys.exit(main())
