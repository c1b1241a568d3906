#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An account as a document: what dmaccctl exports of the agent's accounts, and what dmacc-import makes of it."""
import base64
import json
import os
import pty
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import test_dmaccctl
from agent_case import BUILD, CLIENT_PW, SERVER_NONCE, SERVER_PW, WithAgent
from test_import import CONFINED, DATA, values, wbxml

CTL = BUILD / "agent/dmaccctl/dmaccctl"
PLACEHOLDER = "@COMPUTED@"
DDF = "{syncml:dmddf1.2}"

# what is furnished, in the words of the plain form; all of it is to come back
ACCOUNTS = {
    "least": {"Addr": "http://dm.example.com/dm", "ServerID": "com.example.least"},
    "most": {"X": "most-of-all", "AddrType": "URI", "Addr": "https://dm.example.com:8443/dm?a=1&b=<2>", "PortNbr": "8443",
             "ConRef": "INTERNET & \"more\"", "ServerID": "com.example.most", "AuthPref": "syncml:auth-MAC",
             "Name": "Caf\u00e9 <Sons> & 'Daughters'"},
    "basic": {"Addr": "https://dm.example.com/dm", "ServerID": "com.example.basic", "AuthPref": "syncml:auth-basic"},
    "v4": {"AddrType": "IPv4", "Addr": "192.0.2.7", "PortNbr": "80", "ServerID": "com.example.v4",
           "AuthPref": "syncml:auth-md5"},
    "v6": {"AddrType": "IPv6", "Addr": "2001:db8::7", "PortNbr": "0", "ServerID": "urn:example:v6", "Name": "six"},
}
PREFERENCES = {"BASIC": "syncml:auth-basic", "DIGEST": "syncml:auth-md5", "HMAC": "syncml:auth-MAC"}
TYPES = {"IPV4": "IPv4", "IPV6": "IPv6"}
FORMATS = [("text",), ("json",), ("tnds",), ("w7",), ("wbxml",), ("w7-wbxml",), ("text", "--layout", "1.1"),
           ("json", "--layout", "1.1"), ("tnds", "--layout", "1.1"), ("wbxml", "--layout", "1.1")]


def import_document(document):
    return subprocess.run([CONFINED], input=document, capture_output=True, timeout=60, check=False)


def wbxml_to_xml(document):
    """What libwbxml2's own command makes of WBXML."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in"), Path(folder, "out")
        source.write_bytes(document)
        subprocess.run(["wbxml2xml", "-k", "-m", "0", "-o", target, source], check=True, capture_output=True)
        return target.read_bytes()


def content(element):
    """An element without its layout and namespace."""
    text = element.text or ""
    return (element.tag.removeprefix(DDF), sorted(element.attrib.items()), text if not len(element) else text.strip(),
            [content(child) for child in element])


def parse(document):
    return content(ElementTree.fromstring(document))


def furnished(name, form, layout):
    """The plain form that an export has to come back as, in canonical words."""
    wanted = dict(ACCOUNTS[name])
    if form.startswith("w7"):
        wanted.pop("X", None)
    else:
        wanted.setdefault("X", name)
    if wanted.get("AddrType") == "URI":
        del wanted["AddrType"]
    if layout == "1.1":
        wanted.setdefault("PortNbr", "80" if wanted["Addr"].startswith("http:") else "443")
    return wanted


def canonical(plain):
    """URI is the default."""
    read = values(plain.decode())
    read["AddrType"] = TYPES.get(read.get("AddrType"), read.get("AddrType"))
    read["AuthPref"] = PREFERENCES.get(read.get("AuthPref"), read.get("AuthPref"))
    return {word: value for word, value in read.items() if value is not None and (word, value) != ("AddrType", "URI")}


class Export(WithAgent):
    def setUp(self):
        super().setUp()
        for name, account in ACCOUNTS.items():
            text = "[Account]\nSlot=vendor\n[DMAcc]\n" + "".join(f"{word}={value}\n" for word, value in account.items())
            (self.agent.templates / f"{name}.conf").write_text(text)
        self.agent.start()

    def ctl(self, *arguments):
        environment = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": self.bus.address}
        return subprocess.run([CTL, "tree", *arguments], capture_output=True, env=environment, timeout=60, check=False)

    def export(self, name, form, *options):
        done = self.ctl("--format", form, *options, name)
        self.assertEqual(done.returncode, 0, done.stderr)
        # the agent's own branch, with the generation
        left_out = rb"dmaccctl: left out: \./DMAcc/[^/]+/Ext, for which w7 has no place\n" if form.startswith("w7") else b""
        self.assertRegex(done.stderr, rb"\A" + left_out + rb"\Z")
        return done.stdout

    def secrets(self, layout, name):
        with open(self.agent.secrets(layout, name), "rb") as file:
            return json.load(file)

    def exports(self):
        """(account, format, layout, document) of everything."""
        for name in ACCOUNTS:
            for form, *options in FORMATS:
                yield name, form, options[1] if options else "1.2", self.export(name, form, *options)

    def test_every_export_comes_back_as_what_was_furnished(self):
        for name, form, layout, document in self.exports():
            with self.subTest(account=name, form=form, layout=layout):
                done = import_document(document)
                self.assertEqual(done.returncode, 0, done.stderr + document)
                self.assertEqual(canonical(done.stdout), furnished(name, form, layout))
                for line in done.stderr.decode().splitlines():
                    self.assertRegex(line, r"ignored: (ACL of|the client's name, which|UserName, which|node Ext$)")

    def test_an_imported_export_makes_the_same_account(self):
        """In place of the template that it came from."""
        before = {layout: self.secrets(layout, "most") for layout in ("1.1", "1.2")}
        documents = {form: self.export("most", form) for form in ("text", "json", "tnds", "w7", "wbxml", "w7-wbxml")}
        for form, document in documents.items():
            # w7 does not tell the name of the account's node
            x = "[DMAcc]\nX=most-of-all\n" if form.startswith("w7") else ""
            (self.agent.templates / "most.document").write_bytes(document)
            (self.agent.templates / "most.conf").write_text(f"[Account]\nSlot=vendor\nDocument=most.document\n{x}")
            self.agent.reload()
            self.assertEqual(self.agent.account("most")["Template"], str(self.agent.templates / "most.conf"))
            self.assertEqual([str(reason) for _, reason in self.agent.manager("RefusedTemplates")], [])
            self.assertEqual({layout: self.secrets(layout, "most") for layout in before}, before, form)

    def test_xml_keeps_to_its_dtd(self):
        for name, form, layout, document in self.exports():
            if form in ("tnds", "w7"):
                dtd = DATA / ("prov-1.0.dtd" if form == "w7" else "mgmttree-1.2.dtd")
                done = subprocess.run(["xmllint", "--nonet", "--noout", "--dtdvalid", dtd, "-"], input=document,
                                      capture_output=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_dtds_find_what_is_wrong(self):
        w7, tnds = self.export("most", "w7"), self.export("most", "tnds")
        for document, wrong, dtd in ((w7, w7.replace(b"parm", b"param"), "prov-1.0.dtd"),
                                     (w7, w7.replace(b'type="PORT"', b""), "prov-1.0.dtd"),
                                     (tnds, tnds.replace(b"<VerDTD>1.2</VerDTD>", b""), "mgmttree-1.2.dtd"),
                                     (tnds, tnds.replace(b"<chr/>", b"<string/>"), "mgmttree-1.2.dtd")):
            self.assertNotEqual(wrong, document)
            done = subprocess.run(["xmllint", "--nonet", "--noout", "--dtdvalid", DATA / dtd, "-"], input=wrong,
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, 3, done.stderr)

    def test_wbxml_is_what_the_librarys_own_tools_make(self):
        for name in ACCOUNTS:
            for xml, binary, *options in (("tnds", "wbxml"), ("w7", "w7-wbxml"), ("tnds", "wbxml", "--layout", "1.1")):
                with self.subTest(account=name, form=xml):
                    text, ours = self.export(name, xml, *options), self.export(name, binary, *options)
                    self.assertEqual(parse(wbxml_to_xml(ours)), parse(text))
                    # white space between elements is data to it
                    compact = b"".join(line.strip() for line in text.splitlines())
                    theirs = wbxml(compact)
                    self.assertEqual(parse(wbxml_to_xml(theirs)), parse(text))
                    self.assertLess(len(ours), len(text) / 2)

    def test_a_tree_grants_its_server_what_the_mapping_says_and_nobody_the_secrets(self):
        for options, base in ((("--layout", "1.1"), "./SyncML/DMAcc"), ((), "./DMAcc")):
            acls = {}
            root = ElementTree.fromstring(self.export("least", "tnds", *options))
            self.assertEqual([e.text for e in root.iter(f"{DDF}Path")], [base])
            for node in root.iter(f"{DDF}Node"):
                acl = node.find(f"{DDF}RTProperties/{DDF}ACL")
                if acl is not None:
                    acls.setdefault(acl.text, []).append(node.find(f"{DDF}NodeName").text)
            self.assertEqual(acls.pop("Delete=com.example.least&Get=com.example.least&Replace=com.example.least"), ["least"])
            self.assertEqual(acls, {"Replace=com.example.least":
                                    ["ServerPW", "ServerNonce", "ClientPW", "ClientNonce"] if options else
                                    ["AAuthSecret", "AAuthSecret"]})

    def test_w7_has_levels_references_and_types_as_it_spells_them(self):
        root = ElementTree.fromstring(self.export("v6", "w7"))
        application = root.find("characteristic[@type='APPLICATION']")
        self.assertEqual([p.get("name") for p in application.findall("parm")], ["APPID", "PROVIDER-ID", "NAME"])
        address = {p.get("name"): p.get("value") for p in application.findall("characteristic[@type='APPADDR']/parm")}
        self.assertEqual(address, {"ADDR": "2001:db8::7", "ADDRTYPE": "IPV6"})
        levels = {}
        for auth in application.findall("characteristic[@type='APPAUTH']"):
            parms = {p.get("name"): p.get("value") for p in auth.findall("parm")}
            levels[parms.pop("AAUTHLEVEL")] = parms
        self.assertEqual(levels, {"APPSRV": {"AAUTHNAME": PLACEHOLDER, "AAUTHSECRET": PLACEHOLDER},
                                  "CLIENT": {"AAUTHNAME": "urn:example:v6", "AAUTHSECRET": PLACEHOLDER}})
        parms = [(p.get("name"), p.get("value")) for p in ElementTree.fromstring(self.export("most", "w7")).iter("parm")]
        self.assertEqual([value for name, value in parms if name == "TO-NAPID"], ["INTERNET & \"more\""])
        self.assertEqual([value for name, value in parms if name == "AAUTHTYPE"], ["HMAC", "HMAC"])
        self.assertNotIn("INIT", dict(parms))

    def test_without_secrets_there_is_none_in_it(self):
        wanted = [SERVER_PW.encode(), CLIENT_PW.encode(), SERVER_NONCE.encode(), base64.b64decode(SERVER_NONCE)]
        text = "[Account]\nSlot=vendor\n[DMAcc]\nAddr=https://dm.example.com/dm\nServerID=com.example.dm\n"
        (self.agent.templates / "op.conf").write_text(text)
        self.agent.reload()
        for form, *options in FORMATS:
            plain = self.export("op", form, *options)
            for secret in wanted:
                self.assertNotIn(secret, plain)
            secrets = self.export("op", form, "--show-secrets", *options)
            for secret in wanted[:3]:
                self.assertIn(secret, secrets, form)
            done = import_document(secrets)
            self.assertEqual((done.returncode, done.stdout), (1, b""), form)
            self.assertIn("a document holds no credentials", done.stderr.decode())
            for secret in wanted:
                self.assertNotIn(secret, done.stderr)

    def test_with_secrets_it_is_a_whole_document(self):
        for form, binary, dtd in (("tnds", "wbxml", "mgmttree-1.2.dtd"), ("w7", "w7-wbxml", "prov-1.0.dtd")):
            text = self.export("most", form, "--show-secrets")
            self.assertEqual(parse(wbxml_to_xml(self.export("most", binary, "--show-secrets"))), parse(text))
            subprocess.run(["xmllint", "--nonet", "--noout", "--dtdvalid", DATA / dtd, "-"], input=text,
                           check=True, capture_output=True)
            self.assertNotIn(PLACEHOLDER.encode(), text)
        named = {node["uri"].removeprefix("./DMAcc/most-of-all/"): node["value"]
                 for node in self.secrets("1.2", "most")}
        parms = [p.get("value") for p in ElementTree.fromstring(self.export("most", "w7", "--show-secrets")).iter("parm")]
        for level in ("CLCRED", "SRVCRED"):
            for leaf in ("AAuthName", "AAuthSecret", "AAuthData"):
                self.assertIn(named[f"AppAuth/{level}/{leaf}"], parms)

    def test_a_document_has_one_account(self):
        for form in ("tnds", "w7", "wbxml", "w7-wbxml"):
            done = self.ctl("--format", form)
            self.assertEqual((done.returncode, done.stdout), (2, b""))
            self.assertEqual(done.stderr, b"dmaccctl: a document has one account, and there are several: name one\n")
        for form in ("text", "json"):
            done = import_document(self.ctl("--format", form).stdout)
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn(b"there are several accounts" if form == "json" else b"a second DM account", done.stderr)

    def test_what_does_not_go_together_is_refused(self):
        for form in ("w7", "w7-wbxml"):
            done = self.ctl("--format", form, "--layout", "1.1", "least")
            self.assertEqual((done.returncode, done.stdout), (2, b""))
            self.assertIn(b"w7 has no layout: leave out --layout", done.stderr)
        master, slave = pty.openpty()
        try:
            done = subprocess.run([CTL, "tree", "--format", "wbxml", "least"], stdout=slave, stderr=subprocess.PIPE,
                                  env=os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": self.bus.address}, check=False)
        finally:
            os.close(master)
            os.close(slave)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"WBXML is nothing for a terminal: redirect it", done.stderr)


class OddAccount(test_dmaccctl.Bus):
    """One that an agent of another version might have: branches, addresses and levels that ours has not."""

    PASSWORDS = ("a<b&c\"d'e>", "\u00e9\u00e9", "x")
    LEAVES = [
        ("AppID", "chr", "w7"), ("ServerID", "chr", "com.example.dm"), ("AAuthPref", "chr", ""), ("PrefConRef", "chr", "A"),
        ("ToConRef/1/ConRef", "chr", "A"), ("ToConRef/2/ConRef", "chr", "B"),
        ("AppAddr/1/Addr", "chr", "http://a/"), ("AppAddr/1/AddrType", "chr", "URI"),
        ("AppAddr/1/Port/1/PortNbr", "chr", "1"), ("AppAddr/1/Port/2/PortNbr", "chr", "2"),
        ("AppAddr/home/Addr", "chr", "192.0.2.1"), ("AppAddr/home/AddrType", "chr", "IPv4"),
        ("AppAuth/1/AAuthLevel", "chr", "CLCRED"), ("AppAuth/1/AAuthType", "chr", "DIGEST"),
        ("AppAuth/1/AAuthName", "chr", "user"), ("AppAuth/1/AAuthSecret", "chr", PASSWORDS[0]),
        ("AppAuth/2/AAuthLevel", "chr", "SRVCRED"), ("AppAuth/2/AAuthSecret", "chr", PASSWORDS[1]),
        ("AppAuth/3/AAuthLevel", "chr", "HTTP"), ("AppAuth/3/AAuthSecret", "chr", PASSWORDS[2]),
        ("AppAuth/4/AAuthLevel", "chr", "OBEX"), ("Ext/dmacc/Generation", "int", "3"), ("Ext/colour", "chr", "gr\u00fcn"),
    ]

    def setUp(self):
        super().setUp()
        nodes, seen = [test_dmaccctl.node("/DMAcc/x")], set()
        for path, form, value in self.LEAVES:
            parts = path.split("/")
            for i in range(1, len(parts)):
                interior = "/DMAcc/x/" + "/".join(parts[:i])
                if interior not in seen:
                    nodes.append(test_dmaccctl.node(interior))
                    seen.add(interior)
            nodes.append(test_dmaccctl.node(f"/DMAcc/x/{path}", form, value, path.endswith("Secret")))
        self.agent(accounts={"alpha": test_dmaccctl.AGENT["accounts"]["alpha"] | {"nodes": nodes}})

    def export(self, form, *options):
        done = subprocess.run([CTL, "tree", "--format", form, *options], capture_output=True, timeout=60, check=False,
                              env=os.environ | self.bus)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, done.stderr.decode().splitlines()

    def tree(self, document):
        """URI -> value of a MgmtTree."""
        found = {}

        def descend(node, base):
            path = f"{base}/{node.findtext(f'{DDF}NodeName')}"
            if node.find(f"{DDF}Value") is not None:
                found[path] = node.findtext(f"{DDF}Value")
            for child in node.findall(f"{DDF}Node"):
                descend(child, path)
        root = ElementTree.fromstring(document)
        top = root.find(f"{DDF}Node")
        descend(top, top.findtext(f"{DDF}Path"))
        return found

    def test_a_tree_has_all_of_it(self):
        document, messages = self.export("tnds", "--show-secrets")
        self.assertEqual(messages, [])
        self.assertEqual(self.tree(document), {f"./DMAcc/x/{path}": value for path, _, value in self.LEAVES})
        document, _ = self.export("tnds")
        hidden = {path: PLACEHOLDER if path.endswith("Secret") or path == "AppAuth/1/AAuthName" else value
                  for path, _, value in self.LEAVES}
        self.assertEqual(self.tree(document), {f"./DMAcc/x/{path}": value for path, value in hidden.items()})

    def test_secrets_are_escaped_where_xml_is_written_and_raw_where_it_is_binary(self):
        for text, binary in (("tnds", "wbxml"), ("w7", "w7-wbxml")):
            document = self.export(text, "--show-secrets")[0]
            wire = self.export(binary, "--show-secrets")[0]
            self.assertEqual(parse(wbxml_to_xml(wire)), parse(document))
            for password in self.PASSWORDS[:2]:
                self.assertIn(b"\x03" + password.encode() + b"\0", wire)

    def test_w7_says_what_it_leaves_out(self):
        document, messages = self.export("w7")
        self.assertEqual(messages, ["dmaccctl: left out: ./DMAcc/x/AppAuth/3, for which w7 has no place",
                                    "dmaccctl: left out: ./DMAcc/x/Ext, for which w7 has no place"])
        root = ElementTree.fromstring(document)
        parms = [(p.get("name"), p.get("value")) for p in root.iter("parm")]
        for name, wanted in (("TO-NAPID", ["A", "B"]), ("ADDR", ["http://a/", "192.0.2.1"]), ("PORTNBR", ["1", "2"]),
                             ("AAUTHLEVEL", ["APPSRV", "CLIENT", "OBEX"]), ("AAUTHTYPE", [])):
            self.assertEqual([value for found, value in parms if found == name], wanted)

    def test_what_the_import_has_no_place_for_is_said(self):
        for form in ("tnds", "wbxml", "text", "json"):
            done = import_document(self.export(form)[0])
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(values(done.stdout.decode()), {"X": "x", "AddrType": "URI", "Addr": "http://a/", "PortNbr": "1",
                                                            "ConRef": "A", "ServerID": "com.example.dm"})
            for what in ("node Ext", "a further node below AppAddr", "a further node below Port", "AppAuth of level HTTP"):
                self.assertIn(f"ignored: {what}", done.stderr.decode())


class Listings(unittest.TestCase):
    """JSON and text that dmaccctl did not write."""

    def refused(self, document, sentence):
        done = import_document(document if isinstance(document, bytes) else document.encode())
        self.assertEqual((done.returncode, done.stdout), (1, b""), done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(sentence, done.stderr.decode())

    def nodes(self, *nodes):
        return json.dumps([{"nodes": [dict(zip(("uri", "format", "value"), node)) for node in nodes]}])

    def test_the_samples_are_the_account_that_the_other_documents_are(self):
        wanted = import_document((DATA / "operator-1.2.tnds").read_bytes())
        for name in ("listing.txt", "listing.json"):
            document = (DATA / name).read_bytes()
            for variant in (document, b"\xef\xbb\xbf" + document, document.replace(b"\n", b"\r\n")):
                done = import_document(variant)
                self.assertEqual((done.returncode, done.stdout), (0, wanted.stdout), done.stderr)
                self.assertRegex(done.stderr.decode(), r"\A(line 22: )?ignored: the client's name, which is computed\n\Z")

    def test_json_that_is_none(self):
        for document, sentence in (
                ("[", "line 1: it ends before it is complete"), ('[{"nodes":\n [}', "line 2: it is not well-formed JSON"),
                ("[" * 100, "nests deeper"), ("[]", "there is no account"), ("[1]", "there is no account"),
                ('{"nodes": 1}', "there is no account"), ('[{"nodes": [1]}]', "a node is no object"),
                ('[{"nodes": [{}]}]', "no uri or format"), ('[{"nodes": []}, {"nodes": []}]', "several accounts"),
                ('[{"nodes": []}] x', "line 1: there is something after"), ('[{"nodes": []}]', "there is no DM account"),
                (b'[{"nodes": [{"uri": "\xff"}]}]', "not UTF-8"), ("\x00[", "")):
            with self.subTest(document):
                self.refused(document, sentence)

    def test_nodes_that_are_none(self):
        for node, sentence in (
                (("/DMAcc/x", "node"), "no URI"), (("./DMAcc//x", "node"), "no URI"), (("./DMAcc/x/", "node"), "no URI"),
                (("./" + "a/" * 40 + "b", "chr", "v"), "no URI"), (("./DMAcc/x", "text", "v"), "a format that there is not"),
                (("./DMAcc/x/ServerID", "chr", 1), "value is no text"), (("./DMAcc/x/ServerID", "chr", "a\0b"), "no text"),
                (("./DMAcc/x/ServerID", "chr", "a b"), "blank"), (("./DMAcc/x/ServerID", "chr", "a\nb"), "blank")):
            with self.subTest(node):
                self.refused(self.nodes(node), sentence)
        self.refused("./DMAcc/x/ServerID chr a\n./DMAcc/x/ServerID chr b\n", "line 2: a second ServerID")
        self.refused("./DMAcc/x\n", "line 1: it is not a node's URI, format and value")
        self.refused(b"./DMAcc/x/ServerID chr \xff\n", "not UTF-8")
        self.refused(b"./DMAcc/x/ServerID chr a\0b\n", "not UTF-8")
        self.refused("./DMAcc/x node\n" * 1001, "line 1001: it has more than 1000 nodes")

    def test_a_real_password_is_refused_and_not_quoted(self):
        for leaf in ("AppAuth/1/AAuthSecret", "AppAuth/2/AAuthSecret"):
            document = (f"./DMAcc/x/ServerID chr s\n./DMAcc/x/AppAddr/1/Addr chr http://a/\n./DMAcc/x/{leaf} chr Tr0ub4dor\n"
                        "./DMAcc/x/AppAuth/1/AAuthLevel chr CLCRED\n./DMAcc/x/AppAuth/2/AAuthLevel chr SRVCRED\n")
            done = import_document(document.encode())
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn(b"line 3: the ", done.stderr)
            self.assertNotIn(b"Tr0ub4dor", done.stderr)

    def test_hidden_is_a_value_where_nothing_hides(self):
        done = import_document(b"./DMAcc/x/ServerID chr s\n./DMAcc/x/AppAddr/1/Addr chr http://a/\n./DMAcc/x/Name chr (hidden)\n")
        self.assertEqual(values(done.stdout.decode())["Name"], "(hidden)")


# the cases of the modules that it takes from are theirs to run
def load_tests(loader, _tests, _pattern):
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (Export, OddAccount, Listings))


if __name__ == "__main__":
    unittest.main()
