#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmacc-import as the agent runs it: documents in, plain form out. DMACC_BUILD= names the build folder."""
import ctypes
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("DMACC_BUILD", TOP / "build")).absolute()
# as it is installed, whatever the sanitizers of the build: its system call filter is the real one
CONFINED = BUILD / "tests/unit/dmacc-import-confined"
READ = BUILD / "tests/unit/read-template"
DATA = TOP / "tests/unit/data"

PLAIN = """[DMAcc]
Addr=https://dm.example.com/dm?a=1&b=2
PortNbr=443
ConRef=INTERNET
ServerID=com.example.dm
Name=Example & Sons
ServerNonce=c2VydmVyLW5vbmNlLTAwMQ==
ClientNonce=Y2xpZW50LW5vbmNlLTAwMQ==
"""


def values(plain):
    """The plain form as a dictionary."""
    lines = plain.splitlines()
    assert lines[0] == "[DMAcc]", lines
    return dict(line.split("=", 1) for line in lines[1:])


def w7(application, before=""):
    return f"""<wap-provisioningdoc>{before}
<characteristic type="APPLICATION">
<parm name="APPID" value="w7"/>
{application}
</characteristic>
</wap-provisioningdoc>"""


def account(server="com.example.dm", addr="https://dm.example.com/", more=""):
    return f"""<parm name="PROVIDER-ID" value="{server}"/>
<characteristic type="APPADDR"><parm name="ADDR" value="{addr}"/></characteristic>
{more}"""


def auth(level, **parms):
    inner = "".join(f'\n<parm name="{k}" value="{v}"/>' for k, v in parms.items())
    return f'<characteristic type="APPAUTH"><parm name="AAUTHLEVEL" value="{level}"/>{inner}</characteristic>'


def leaf(name, value, form="chr"):
    return f"<Node><NodeName>{name}</NodeName><RTProperties><Format><{form}/></Format></RTProperties>" \
           f"<Value>{value}</Value></Node>\n"


def tnds(*nodes, name="acme"):
    return f'<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD>\n<Node><NodeName>{name}</NodeName>\n' \
           f'{"".join(nodes)}</Node></MgmtTree>'


def node(name, *nodes):
    return f"<Node><NodeName>{name}</NodeName>{''.join(nodes)}</Node>\n"


def message(data):
    return ('<!DOCTYPE SyncML PUBLIC "-//SYNCML//DTD SyncML 1.2//EN" "http://x/"><SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr>'
            "<VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>0</SessionID><MsgID>0</MsgID><Target><LocURI>x</LocURI>"
            "</Target><Source><LocURI>s</LocURI></Source></SyncHdr><SyncBody><Add><CmdID>1</CmdID><Meta><Format "
            'xmlns="syncml:metinf">xml</Format><Type xmlns="syncml:metinf">application/vnd.syncml.dmtnds+xml</Type></Meta>'
            f"<Item><Target><LocURI>./Inbox</LocURI></Target><Data>{data}</Data></Item></Add><Final/></SyncBody></SyncML>")


def wbxml(document):
    """What libwbxml2's own command makes of XML."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in"), Path(folder, "out")
        source.write_bytes(document)
        subprocess.run(["xml2wbxml", "-o", target, source], check=True, capture_output=True)
        return target.read_bytes()


class Import(unittest.TestCase):
    program = BUILD / "agent/dmacc-import/dmacc-import"

    def run_import(self, document, **options):
        data = document if isinstance(document, bytes) else document.encode()
        return subprocess.run([self.program], input=data, capture_output=True, check=False, **options)

    def accepted(self, document):
        """(plain form, messages) of a document, whose plain form the library accepts, too."""
        done = self.run_import(document)
        self.assertEqual(done.returncode, 0, done.stderr)
        read = subprocess.run([READ], input=done.stdout, capture_output=True, check=False)
        self.assertEqual(read.returncode, 0, read.stdout + read.stderr + done.stdout)
        return done.stdout.decode(), done.stderr.decode()

    def refused(self, document, sentence):
        done = self.run_import(document)
        self.assertEqual((done.returncode, done.stdout), (1, b""), done.stderr)
        last = done.stderr.decode().splitlines()[-1]
        self.assertIn(sentence, last)
        for line in done.stderr.decode().splitlines()[:-1]:
            self.assertIn("ignored: ", line)
        return done.stderr.decode()


class Documents(Import):
    def test_w7(self):
        plain, messages = self.accepted((DATA / "operator.w7").read_bytes())
        self.assertEqual(values(plain), values(PLAIN) | {"AddrType": "URI", "AuthPref": "DIGEST"})
        self.assertEqual(messages, "")

    def test_tnds_of_1_2(self):
        plain, messages = self.accepted((DATA / "operator-1.2.tnds").read_bytes())
        self.assertEqual(values(plain),
                         values(PLAIN) | {"X": "example", "AddrType": "URI", "AuthPref": "DIGEST"})
        self.assertEqual(messages, "")

    def test_tnds_of_1_1(self):
        plain, messages = self.accepted((DATA / "operator-1.1.tnds").read_bytes())
        self.assertEqual(values(plain), values(PLAIN) | {"X": "example", "AuthPref": "syncml:auth-md5"})
        self.assertRegex(messages, r"\Aline \d+: ignored: ACL of example\n\Z")

    def test_a_bootstrap_message_has_the_tree_that_it_adds(self):
        tree = (DATA / "operator-1.2.tnds").read_text().split("-->\n", 1)[1]
        wanted = self.accepted(tree)[0]
        escaped = f'<?xml version="1.0"?>{tree}'.replace("&", "&amp;").replace("<", "&lt;")
        for data in (tree, f"<![CDATA[{tree}]]>", escaped):
            plain, messages = self.accepted(message(data))
            self.assertEqual((plain, messages), (wanted, "line 1: ignored: the message around the MgmtTree\n"))
        self.assertEqual(self.accepted(wbxml(message(tree).encode()))[0], wanted)
        self.refused(message("./Inbox"), "line 1: there is no MgmtTree in the message")
        self.refused(message(tree + "</Data><Data>" + escaped), "more than one MgmtTree")
        self.refused(message("<![CDATA[<MgmtTree]]>"), "cut off")
        self.refused(message("<![CDATA[<a>MgmtTree</a>]]>"), "there is no MgmtTree in its Data")

    def test_a_tree_as_another_maker_writes_it(self):
        """A prefix for the namespace, a processing instruction in the DOCTYPE, no formats, CDATA."""
        tree = tnds(leaf("ServerID", "<![CDATA[a]]>"), node("AppAddr", node("home", leaf("Addr", "http://a/"))))
        tree = re.sub(r"<RTProperties>.*?</RTProperties>", "", tree).replace("xmlns=", "xmlns:d=")
        tree = re.sub(r"<(/?)(\w+)", r"<\1d:\2", tree)
        doctype = '<!DOCTYPE MgmtTree PUBLIC " -//OMA//DTD-DM-DDF 1.2//EN" "http://x/" [<?oma-dm-ddf-ver supported-versions="1.2"?>]>'
        self.assertEqual(values(self.accepted(doctype + tree)[0]), {"X": "acme", "Addr": "http://a/", "ServerID": "a"})

    def test_an_address_in_a_tree_of_1_1_has_its_type(self):
        for addr, kind in (("192.0.2.7", "IPv4"), ("2001:db8::7", "IPv6"), ("http://a/", None), ("a.example", None)):
            plain = self.accepted(tnds(leaf("ServerId", "s"), leaf("Addr", addr), leaf("AddrType", "1")))[0]
            self.assertEqual(values(plain).get("AddrType"), kind)

    def test_an_empty_preference_is_none(self):
        credential = node("AppAuth", node("1", leaf("AAuthLevel", "CLCRED"), leaf("AAuthType", "DIGEST")))
        account = (leaf("ServerID", "s"), node("AppAddr", node("1", leaf("Addr", "http://a/"))), credential)
        self.assertEqual(values(self.accepted(tnds(*account))[0])["AuthPref"], "DIGEST")
        self.assertNotIn("AuthPref", values(self.accepted(tnds(*account, leaf("AAuthPref", "")))[0]))

    def test_wbxml_has_the_same_plain_form(self):
        for name in ("operator.w7", "operator-1.2.tnds", "operator-1.1.tnds", "two-applications.w7"):
            with self.subTest(name):
                document = (DATA / name).read_bytes()
                if b"DOCTYPE" not in document:
                    doctype = (b'<!DOCTYPE MgmtTree PUBLIC "-//OMA//DTD-DM-DDF 1.2//EN" "http://x/">\n<MgmtTree'
                               if b"<MgmtTree" in document else
                               b'<!DOCTYPE wap-provisioningdoc PUBLIC "-//WAPFORUM//DTD PROV 1.0//EN" "http://x/">\n'
                               b'<wap-provisioningdoc')
                    document = document.replace(doctype.rsplit(b"\n", 1)[1], doctype, 1)
                self.assertEqual(self.accepted(wbxml(document))[0], self.accepted(document)[0])

    def test_encodings(self):
        document = w7(account(more='<parm name="NAME" value="Caf\u00e9"/>'))
        for declared, encoding in (("UTF-8", "utf-8"), ("utf-8", "utf-8-sig"), ("UTF-16", "utf-16"),
                                   ("ISO-8859-1", "iso-8859-1"), ("iso-8859-1", "iso-8859-1")):
            with self.subTest(encoding):
                text = f'<?xml version="1.0" encoding="{declared}"?>\n{document}'
                self.assertEqual(values(self.accepted(text.encode(encoding))[0])["Name"], "Caf\u00e9")
        self.refused('<?xml version="1.0" encoding="SHIFT_JIS"?><a/>', "line 1: its encoding is not UTF-8")
        self.refused(document.encode("iso-8859-1"), "line 6: it has a character XML cannot have, or bytes")
        self.refused(document.encode("cp037"), "no XML")

    def test_a_server_is_taken_byte_for_byte(self):
        server = "q" * 255
        self.assertEqual(values(self.accepted(w7(account(server)))[0])["ServerID"], server)
        self.assertEqual(values(self.accepted(w7(account("caf\u00e9;#%")))[0])["ServerID"], "caf\u00e9;#%")
        for bad, sentence in (("q" * 256, "255 bytes"), (" com.example", "blank"), ("com.example ", "blank"),
                              ("com\u00a0example", "blank"), ("com example", "blank"), ("a&amp;b", "ACL"),
                              ("a&#10;b", "blank")):
            with self.subTest(bad):
                self.refused(w7(account(bad)), "line 4: PROVIDER-ID: ")
                self.refused(w7(account(bad)), sentence)
        self.refused(w7(account(addr=" http://x/")), "line 5: ADDR: it has a blank")


class Ignored(Import):
    def test_what_an_account_has_no_place_for_is_said(self):
        plain, messages = self.accepted((DATA / "two-applications.w7").read_bytes())
        self.assertEqual(values(plain), {"AddrType": "IPV4", "Addr": "192.0.2.7", "ServerID": "com.example.dm"})
        self.assertEqual(messages.splitlines(), [
            "line 3: ignored: characteristic BOOTSTRAP in the document",
            "line 6: ignored: APPLICATION w2, which is not w7",
            "line 14: ignored: INIT, which a document on the device cannot have",
            "line 15: ignored: parm X-COLOUR in APPLICATION"])

    def test_further_addresses_ports_references_and_levels(self):
        again = '<characteristic type="APPADDR"><parm name="ADDR" value="http://second/"/></characteristic>'
        plain, messages = self.accepted(w7(account(more=again + auth("OBEX", AAUTHSECRET="pw") +
                                                   '<parm name="TO-PROXY" value="P"/>'
                                                   '<parm name="TO-NAPID" value="N"/>')))
        self.assertEqual(values(plain), {"Addr": "https://dm.example.com/", "ServerID": "com.example.dm",
                                         "ConRef": "P"})
        for what in ("characteristic APPADDR in APPLICATION", "APPAUTH of level OBEX", "a further TO-NAPID"):
            self.assertIn(f"ignored: {what}", messages)

    def test_the_rest_of_a_tree(self):
        tree = tnds(leaf("ServerID", "s"), node("AppAddr", node("1", leaf("Addr", "http://a/")),
                                                node("2", leaf("Addr", "http://b/"))),
                    node("Ext", leaf("Colour", "green")), leaf("Note", "x"))
        plain, messages = self.accepted(tree)
        self.assertEqual(values(plain), {"X": "acme", "ServerID": "s", "Addr": "http://a/"})
        for what in ("a further node below AppAddr", "node Ext", "node Note"):
            self.assertIn(f"ignored: {what}", messages)

    def test_a_document_of_nothing_else_does_not_flood_the_journal(self):
        parms = '<parm name="A" value="b"/>\n' * 3000
        messages = self.accepted(w7(account(more=parms)))[1]
        self.assertEqual(len(messages.splitlines()), 51)
        self.assertEqual(messages.splitlines()[-1], "ignored: more than is listed here")

    def test_names_in_messages_are_harmless(self):
        messages = self.accepted(w7(account(more='<parm name="a&#10;line 1: [31mx" value="b"/>')))[1]
        self.assertEqual(messages, "line 6: ignored: parm of another name in APPLICATION\n")


class Refused(Import):
    def test_w7_that_is_no_account(self):
        self.refused(w7("").replace("w7", "w2"), "line 1: there is no APPLICATION whose APPID is w7")
        self.refused(w7(account(), before=w7(account())[21:-22]), "line 9: a second APPLICATION that is w7")
        self.refused(w7('<parm name="NAME" value="x"/>'), "line 2: APPLICATION has no PROVIDER-ID")
        self.refused(w7('<parm name="PROVIDER-ID" value=""/>'), "line 2: APPLICATION has no PROVIDER-ID")
        self.refused(w7('<parm name="PROVIDER-ID" value="x"/>'), "line 2: APPLICATION has no APPADDR")
        self.refused(w7(account(more='<parm name="PROVIDER-ID" value="y"/>')), "line 6: a second PROVIDER-ID")
        self.refused(w7(account(more='<characteristic type="APPAUTH"/>')), "line 6: APPAUTH has no AAUTHLEVEL")
        self.refused(w7(account(more=auth("CLIENT") + "\n" + auth("CLIENT"))), "line 7: a second APPAUTH of level CLIENT")
        self.refused(w7(account(more=auth("CLIENT", AAUTHNAME="another"))), "line 7: the server's name is another")

    def test_values_are_judged_where_they_stand(self):
        def more(parm, value):
            return w7(account(more=f'\n\n<parm name="{parm}" value="{value}"/>'))
        port = '<characteristic type="PORT"><parm name="PORTNBR" value="70000"/></characteristic>'
        self.refused(w7(account().replace("</char", f"\n{port}</char", 1)), "line 6: PortNbr: it is not a number")
        self.refused(w7(account(addr='dm.example.com"/><parm name="ADDRTYPE" value="IPV4')), "line 2: AddrType is IPv4")
        self.refused(w7(account(addr='1"/><parm name="ADDRTYPE" value="E164')), "line 5: AddrType: it is not URI")
        self.refused(w7(account(more=auth("APPSRV", AAUTHTYPE="X509"))), "line 7: AuthPref: it is not")
        self.refused(w7(account(more=auth("APPSRV", AAUTHDATA="no base64"))), "line 7: ClientNonce: it is not base64")
        self.refused(more("NAME", "q" * 256), "line 8: Name: it has more than 255 bytes")
        self.refused(more("NAME", "x&#10;ServerPW=y"), "line 8: NAME: it has a control character")

    def test_real_secrets_are_refused_and_not_quoted(self):
        for level, field in (("CLIENT", "AAUTHSECRET"), ("APPSRV", "AAUTHSECRET"), ("APPSRV", "AAUTHNAME")):
            messages = self.refused(w7(account(more=auth(level, **{field: "Tr0ub4dor"}))),
                                    "line 7: the ")
            self.assertIn("a document holds no credentials", messages)
            self.assertNotIn("Tr0ub4dor", messages)
        for name in ("ServerPW", "ClientPW", "UserName"):
            messages = self.refused(tnds(leaf("ServerId", "s"), leaf("Addr", "a"), leaf(name, "Tr0ub4dor")), name)
            self.assertNotIn("Tr0ub4dor", messages)
        # nor where it is what breaks the XML
        for broken in ("a&Tr0ub4dor;", "a&Tr0ub4dor", "Tr0ub4dor<"):
            messages = self.refused(w7(account(more=auth("APPSRV", AAUTHSECRET=broken))), "line ")
            self.assertNotIn("Tr0ub4dor", messages)

    def test_trees_that_are_no_account(self):
        addr = node("AppAddr", node("1", leaf("Addr", "http://a/")))
        for tree, sentence in (
                (tnds(leaf("Other", "x")), "there is no DM account"),
                (tnds(leaf("AppID", "w2"), leaf("ServerID", "s"), addr), "AppID of the account is not w7"),
                (tnds(addr), "line 2: the account has no ServerID"),
                (tnds(leaf("ServerID", "s")), "line 2: the account has no AppAddr"),
                (tnds(leaf("ServerId", "s")), "line 2: the account has no Addr"),
                (tnds(leaf("ServerId", "s"), leaf("Addr", "a"), leaf("AddrType", "2")), "AddrType is not 1"),
                (tnds(leaf("ServerID", "s"), addr, name="a/b"), "line 2: X: it has a /"),
                (tnds(leaf("ServerId", "s"), leaf("Addr", "a"), leaf("ServerNonce", "AAEC")), "b64 or bin"),
                (tnds(leaf("ServerID", "s"), addr, node("AppAuth", node("1", leaf("AAuthName", "")))), "no AAuthLevel"),
                (tnds(node("a", leaf("ServerID", "s")), node("b", leaf("ServerID", "t"))), "a second DM account"),
                (tnds(leaf("ServerID", "s"), addr).replace("1.2</Ver", "1.1</Ver"), "VerDTD of the MgmtTree is not 1.2")):
            with self.subTest(sentence):
                self.refused(tree, sentence)

    def test_what_is_no_document(self):
        self.refused("", "it is empty")
        self.refused("hello\n", "there is no XML in it")
        self.refused("<html/>", "line 1: it is neither a wap-provisioningdoc nor a MgmtTree nor")
        self.refused(b"\x03\x0b\x6a\x00", "WBXML")
        self.refused(b"\x03\x0b\x04\x00\x45", "charset")
        self.refused(b"\0" * 100, "")
        self.refused(w7(account()).replace("w7", "w\0"), "line ")
        self.refused(w7(account()) + "<more/>", "something after the document's end")

    def test_xml_that_attacks_its_parser(self):
        bomb = '<!ENTITY a "ha">' + "".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9))
        for document, sentence in (
                (f"<!DOCTYPE x [{bomb}]><x>&j;</x>", "line 1: it declares an entity"),
                ('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', "it declares an entity"),
                ('<!DOCTYPE x [<!ENTITY % a SYSTEM "http://x/">%a;]><x/>', "it declares an entity"),
                ('<!DOCTYPE x [%a;]><x/>', "parameter entity"),
                ('<!DOCTYPE x [<!ATTLIST parm value CDATA "x">]><x/>', "declares an attribute"),
                ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><x>&a;</x>', "it uses an entity other than"),
                ("<x>" * 5000, "more than 32 deep"),
                (w7("<characteristic type='A'>" * 40), "more than 32 deep"),
                (w7(account()).ljust(300 * 1024), "it has more than 256 KiB"),
                (f"<x y='{'z' * 250000}'", "cut off")):
            with self.subTest(sentence):
                self.refused(document, sentence)

    def test_wbxml_that_attacks_its_parser(self):
        deep = b"\x03\x0b\x6a\x00\x45"
        self.refused(deep + b"\x46" * 8000 + b"\x01" * 8001, "more than 32 deep")
        self.refused(deep + b"\x46" * 16000, "no WBXML that is understood")
        self.refused(deep + b"\x46" * 17000, "more than 16 KiB")

    def test_no_argument_is_taken(self):
        done = subprocess.run([self.program, "/etc/passwd"], capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"usage: ", done.stderr)


class ConfinedDocuments(Documents):
    program = CONFINED


class ConfinedIgnored(Ignored):
    program = CONFINED


class ConfinedRefused(Refused):
    program = CONFINED

    def test_documents_that_are_cut_off(self):
        """At some bytes: tests/fuzz cuts them at each."""
        text = (DATA / "operator.w7").read_bytes().rstrip()
        binary = wbxml(text)
        for document, step in ((text, 97), (binary, 29)):
            for end in range(1, len(document), step):
                done = self.run_import(document[:end])
                self.assertEqual((done.returncode, done.stdout), (1, b""), end)
                self.assertEqual(len(done.stderr.splitlines()), 1, (end, done.stderr))
        self.refused(text[:-30], "is it cut off?")

    def test_a_string_table_that_multiplies_stays_within_the_memory_that_is_allowed(self):
        table = b"A" * 8000 + b"\0"
        head = b"\x03\x0b\x6a" + bytes([0x80 | len(table) >> 7, len(table) & 0x7f]) + table
        done = self.run_import(head + b"\x45\xc6\x06" + b"\x83\x00" * 4000 + b"\x01\x01\x01")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, b"")


class Confinement(unittest.TestCase):
    def test_it_does_not_start_where_it_cannot_be_confined(self):
        """An outer filter that forbids another one, as some containers have."""
        libseccomp = ctypes.CDLL("libseccomp.so.2")
        libseccomp.seccomp_init.restype = ctypes.c_void_p

        def forbid():
            action_allow, action_errno = 0x7FFF0000, 0x00050000 | 1
            ctx = ctypes.c_void_p(libseccomp.seccomp_init(ctypes.c_uint32(action_allow)))
            call = libseccomp.seccomp_syscall_resolve_name(b"seccomp")
            libseccomp.seccomp_rule_add(ctx, ctypes.c_uint32(action_errno), call, 0)
            libseccomp.seccomp_load(ctx)

        done = subprocess.run([CONFINED], input=(DATA / "operator.w7").read_bytes(), capture_output=True,
                              check=False, preexec_fn=forbid)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"not confined: ", done.stderr)

    def test_every_forbidden_thing_ends_the_process(self):
        probe = BUILD / "tests/unit/confine-probe"
        for what in ("open", "socket", "fork", "exec", "ptrace", "kill", "mmap-exec", "mprotect-exec"):
            with self.subTest(what):
                done = subprocess.run([probe, what], capture_output=True, check=False)
                self.assertEqual(done.returncode, -signal.SIGSYS, done.stdout + done.stderr)
        done = subprocess.run([probe, "nothing"], capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b"confined\n"), done.stderr)

    def test_memory_is_limited(self):
        probe = BUILD / "tests/unit/confine-probe"
        done = subprocess.run([probe, "memory"], capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b"confined\nno more memory\n"))

    def test_it_is_confined_before_it_reads(self):
        with subprocess.Popen([CONFINED], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            proc = Path("/proc", str(process.pid))
            deadline = time.monotonic() + 60
            while "Seccomp:\t2" not in (status := (proc / "status").read_text()):
                self.assertLess(time.monotonic(), deadline, status)
                time.sleep(0.01)
            self.assertIn("NoNewPrivs:\t1", status)
            limits = (proc / "limits").read_text()
            for name, value in (("Max cpu time", 5), ("Max data size", 64 << 20), ("Max core file size", 0),
                                ("Max open files", 0), ("Max processes", 0)):
                self.assertRegex(limits, rf"{name} +{value} +{value} ")
            self.assertEqual(process.communicate(b"")[1], b"it is empty\n")
            self.assertEqual(process.returncode, 1)


if __name__ == "__main__":
    unittest.main()
