#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes libdmacc(3) of the comments in dmacc.h, and libdmacc-client(3) of those in dmacc-client.h.

    manual.py dmacc.h libdmacc.3
    manual.py --functions dmacc.h        only prints the functions' names

The header is the one source: what is wrong in the page is put right there.
"""
import re
import sys
import textwrap
from pathlib import Path

DATE = "November 24, 2026"
COMMENT = re.compile(r"^/\*.*?\*/\n", re.MULTILINE | re.DOTALL)
FUNCTION = re.compile(r"^(\w[\w ]*?[ *]+)(dmacc_\w+)\((.*?)\);$", re.MULTILINE | re.DOTALL)

HEAD = """.\\" SPDX-License-Identifier: LGPL-2.1-or-later
.\\" Generated from {header}
.Dd {date}
.Dt {title} 3
.Os
.Sh NAME
.Nm {name}
.Nd {about}
.Sh SYNOPSIS
.In dmacc/{header}
.Pp
.Dl cc ... $(pkg-config --cflags --libs {name})
.Sh DESCRIPTION
"""

# Of each header: name of the library, what it is, what the page ends with
PAGES = {
    "dmacc.h": ("libdmacc", "computed credentials of OMA DM accounts", """.Sh EXAMPLES
.Pa examples/check-login.c ,
beside the documentation of this library, is a server's check of a DM login.
.Sh SEE ALSO
.Xr dmacc-fleet 1 ,
.Xr libdmacc-client 3
.Pp
.Pa derivation.md
and
.Pa key-ceremony.md ,
beside the documentation of this library
"""),
    "dmacc-client.h": ("libdmacc-client", "OMA DM accounts of this phone, for a DM client", """.Sh EXAMPLES
.Pa examples/dm-session.c ,
beside the documentation of this library, is a client between its XML and its HTTP.
.Pp
To test a client without a phone:
.Pp
.Dl python3 -m dbusmock --system --template /usr/share/python-dbusmock/templates/dmacc1.py
.Sh SEE ALSO
.Xr libdmacc 3 ,
.Xr dmaccctl 8 ,
.Xr dmaccd 8
"""),
}


def escape(text):
    """Characters as roff takes them."""
    text = text.replace("\\", "\\e")
    text = re.sub(r"(?<![\w-])-(?=[\w-])", r"\\-", text)
    text = re.sub(r"@(\w+)", r"\\fI\1\\fP", text)
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def prose(text):
    """Running text: a line for each sentence, and none too long."""
    sentences = re.sub(r"([.:;?]) +(?=[A-Z@*-])|([.?]) (?=\S)", lambda m: (m[1] or m[2]) + "\n", " ".join(text.split()))
    return "\n".join(escape(line) for sentence in sentences.splitlines()
                     for line in textwrap.wrap(sentence, 78, break_on_hyphens=False, break_long_words=False))


def plain(comment):
    """The text of a comment, without its stars."""
    body = re.sub(r"^/\*+ ?|\s*\*/\n?$", "", comment)
    return re.sub(r"^ \* ?", "", body, flags=re.MULTILINE).strip()


def paragraphs(text):
    for number, part in enumerate(re.split(r"\n\s*\n", text)):
        if number:
            yield ".Pp"
        yield prose(part)


class Doc:
    """A kernel-doc comment: title, parameters or members, text."""

    def __init__(self, comment):
        text = plain(comment)
        self.is_kernel_doc = comment.startswith("/**")
        self.title, self.members = "", []
        if self.is_kernel_doc:
            first, _, text = text.partition("\n")
            self.title = first.partition(" - ")[2]
            head = re.match(r"(?:@\w+:.*\n?(?:[ \t]+.*\n?)*)*", text)[0]
            self.members = [(name, " ".join(about.split())) for name, about in
                            re.findall(r"^@(\w+):((?:.*\n?)(?:[ \t]+.*\n?)*)", head, re.MULTILINE)]
            text = text[len(head):].strip()
        self.text = text

    def lines(self):
        if self.members:
            width = max((name for name, _ in self.members), key=len)
            yield f".Bl -tag -compact -width {width}"
            for name, about in self.members:
                yield f".It Fa {name}\n{prose(about)}"
            yield ".El"
        if self.text:
            if self.members:
                yield ".Pp"
            yield from paragraphs(self.text)


def arguments_of(text):
    """Split at commas outside parentheses; the header has none inside."""
    return [" ".join(part.split()) for part in text.split(",")]


def synopsis(match):
    kind, name, arguments = match.groups()
    yield f'.Ft "{" ".join(kind.split())}"'
    yield f".Fo {name}"
    for argument in arguments_of(arguments):
        yield f'.Fa "{argument}"'
    yield ".Fc"


def literal(code):
    yield ".Bd -literal"
    yield escape(code.expandtabs(8)).replace("\\fI", "@").replace("\\fP", "")
    yield ".Ed"


def blocks(header):
    """(comment, code behind it) in the order of the header."""
    body = header[header.index('extern "C" {'):]
    body = body[body.index("#endif\n") + len("#endif\n"):body.rindex("#ifdef __cplusplus")]
    comments = list(COMMENT.finditer(body))
    for this, following in zip(comments, [*comments[1:], None]):
        yield this[0], body[this.end():following.start() if following else len(body)].strip("\n")


def section(comment, code):
    """What the page says of one comment and the code behind it."""
    doc = Doc(comment)
    functions = list(FUNCTION.finditer(code))
    rest = FUNCTION.sub("", code).strip()
    names = [match[2] for match in functions] or \
        re.findall(r"^(?:struct|enum|typedef (?:int|void)) \w+|(?<=#define )\w+", rest, re.MULTILINE)
    yield f".Ss {names[0]}"
    for number, match in enumerate(functions):
        if number:
            yield ".Pp"
        yield from synopsis(match)
    if rest:
        yield from literal(rest)
    yield ".Pp"
    if doc.title:
        yield prose(doc.title[0].upper() + doc.title[1:]) + ("" if doc.title.endswith("?") else ".")
        if doc.text and not doc.members:
            yield ".Pp"
    yield from doc.lines()


def page(path):
    header = path.read_text()
    name, title, tail = PAGES[path.name]
    text = HEAD.format(date=DATE, header=path.name, title=name.upper(), name=name, about=title)
    about = plain(COMMENT.findall(header)[1])
    text += "\n".join(paragraphs(about)) + "\n"
    for comment, code in blocks(header):
        text += "\n".join(section(comment, code)) + "\n"
    return re.sub(r"\n\n+", "\n", text + tail)


def main():
    if len(sys.argv) != 3:
        return "usage: manual.py dmacc.h libdmacc.3 | --functions dmacc.h"
    if sys.argv[1] == "--functions":
        declarations = FUNCTION.finditer(Path(sys.argv[2]).read_text())
        print("\n".join(match[2] for match in declarations if not match[1].startswith("typedef")))
        return 0
    Path(sys.argv[2]).write_text(page(Path(sys.argv[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
