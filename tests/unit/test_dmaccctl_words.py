#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The completions of dmaccctl know the options that its usage names, and its man page describes, and no others."""
import re
import subprocess
import unittest

import test_dmaccctl

SOURCES = test_dmaccctl.HERE.parent.parent / "agent/dmaccctl"
COMPLETIONS = SOURCES / "completions"


def words(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text))


def usage():
    """Verb -> its options."""
    text = subprocess.run([test_dmaccctl.CTL, "--help"], capture_output=True, text=True, check=True).stdout
    text += "\n" + subprocess.run([test_dmaccctl.CTL, "factory", "--help"], capture_output=True, text=True, check=True).stdout
    found = {}
    for verb, rest in re.findall(r"dmaccctl ((?:factory )?[a-z]+)(.*?)(?=\n(?:Usage:|      ) dmaccctl |\Z)", text, re.DOTALL):
        if verb != "factory":
            found[verb] = words(rest)
    return found


class Words(unittest.TestCase):
    def setUp(self):
        self.verbs = usage()
        self.first = {verb.split()[0] for verb in self.verbs}
        self.factory = {verb.split()[1] for verb in self.verbs if " " in verb}

    def test_the_verbs_and_options_are_found(self):
        self.assertEqual(self.first, {"status", "doctor", "tree", "account", "reset", "probe", "disable", "enable", "wipe", "factory"})
        self.assertEqual(self.verbs["factory export"], {"--factory-store", "--credential"})
        self.assertGreater(len(self.factory), 7)

    def test_the_man_page_describes_every_option(self):
        named = {f"--{name}" for name in re.findall(r"Fl -([a-z-]+)", (SOURCES / "dmaccctl.8").read_text())}
        self.assertEqual(named, set().union(*self.verbs.values()))

    def test_the_man_page_has_every_source_of_an_identifier(self):
        source = (SOURCES.parent / "common/words.c").read_text()
        wanted = re.findall(r'DMACC_IDENTITY_\w+\] = "([a-z-]+)"', source)
        self.assertGreater(len(wanted), 5)
        page = (SOURCES / "dmaccctl.8").read_text()
        status = page[page.index(".Ss status"):page.index(".Ss doctor")]
        said = re.findall(r"[a-z-]+", " ".join(re.findall(r"^\.Sy (.*)$", status, re.MULTILINE)))
        self.assertEqual(set(wanted) - set(said), set())

    def bash(self, *arguments):
        script = f"""
            . /usr/share/bash-completion/bash_completion
            . {COMPLETIONS}/dmaccctl.bash
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${{#COMP_LINE}}
            _dmaccctl; printf '%s\\n' "${{COMPREPLY[@]}}" """
        done = subprocess.run(["bash", "-c", script, "bash", "dmaccctl", *arguments], capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_bash_completes_verbs_options_and_values(self):
        self.assertEqual(self.bash(""), self.first | {"--help", "--version"})
        self.assertEqual(self.bash("factory", ""), self.factory | {"--help"})
        for verb, options in self.verbs.items():
            self.assertEqual(self.bash(*verb.split(), "--"), options, verb)
        self.assertEqual(self.bash("factory", "inject", "--master", ""), {"tpm2", "host", "file"})

    def fish(self, line):
        done = subprocess.run(["fish", "--no-config", "-c", f"source {COMPLETIONS}/dmaccctl.fish; complete -C '{line}'"],
                              capture_output=True, text=True, check=True)
        return {row.split("\t")[0] for row in done.stdout.splitlines()}

    def test_fish_completes_verbs_options_and_values(self):
        self.assertEqual(self.fish("dmaccctl "), self.first)
        self.assertEqual(self.fish("dmaccctl factory "), self.factory)
        for verb, options in self.verbs.items():
            self.assertEqual(words("\n".join(self.fish(f"dmaccctl {verb} --"))), options, verb)
        self.assertEqual(self.fish("dmaccctl factory inject --rung "), {"trusted", "wrapped"})

    def test_zsh_completes_options_of_every_verb(self):
        subprocess.run(["zsh", "-n", COMPLETIONS / "_dmaccctl"], check=True)
        script = f"""
            _arguments() {{ if [[ $1 = -C ]]; then state=rest; line=(${{=VERB}}); else print -rl -- "$@"; fi }}
            _describe() {{ }}; compdef() {{ }}
            CURRENT=3
            source {COMPLETIONS}/_dmaccctl"""
        for verb, options in self.verbs.items():
            done = subprocess.run(["zsh", "-f", "-c", script], env={"VERB": verb, "PATH": "/usr/bin:/bin"}, capture_output=True,
                                  text=True, check=True)
            self.assertEqual(done.stderr, "")
            found = {m[1] for m in re.finditer(r"^(?:\([^)]*\))?(--[a-z-]+)\[", done.stdout, re.MULTILINE)}
            self.assertEqual(found, options, verb)


if __name__ == "__main__":
    unittest.main()
