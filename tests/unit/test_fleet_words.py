#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage, man page and completions of dmacc-fleet know the options that it takes, and no others."""
import re
import subprocess
import unittest

from fleet_case import FLEET, TOP

SOURCES = TOP / "agent/dmacc-fleet"
COMPLETIONS = SOURCES / "completions"
VERBS = ("keygen", "key-id", "device-key", "derive", "verify", "check-ids", "selftest")
OPTION = re.compile(r'\{ "([a-z-]+)", (?:required|no)_argument')


def macros():
    """KEY_OPTIONS and the like: name -> options."""
    found = {}
    for header in ("keyring.h", "arguments.h"):
        for name, body in re.findall(r"#define (\w+_OPTIONS) (.*?)\n\n", (SOURCES / header).read_text(), re.DOTALL):
            found[name] = set(OPTION.findall(body))
    return found


def options_of(verb):
    text = (SOURCES / f"{verb.replace('-', '_')}.c").read_text()
    options = set(OPTION.findall(text))
    for name, members in macros().items():
        if re.search(rf"\b{name},", text):
            options |= members
    return {f"--{name}" for name in options}


def words(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text))


class Words(unittest.TestCase):
    def test_the_options_are_found(self):
        self.assertEqual(options_of("key-id"), {"--key", "--keyring", "--pin-file", "--key-version"})
        self.assertLess(options_of("check-ids"), options_of("derive"))
        self.assertEqual(options_of("selftest"), set())

    def test_usage_names_every_option_of_every_verb(self):
        usage = subprocess.run([FLEET, "--help"], capture_output=True, text=True, check=True).stdout
        by_verb = dict(re.findall(r"dmacc-fleet ([a-z-]+)(.*?)(?=\n +dmacc-fleet |\Z)", usage, re.DOTALL))
        for verb in VERBS:
            self.assertEqual(words(by_verb[verb]), options_of(verb), verb)

    def test_the_man_page_describes_every_option_and_verb(self):
        page = (SOURCES / "dmacc-fleet.1").read_text()
        named = {f"--{name}" for name in re.findall(r"Fl -([a-z-]+)", page)}
        self.assertEqual(named, set().union(*(options_of(verb) for verb in VERBS)))
        for verb in VERBS:
            self.assertIn(f".It Cm {verb}\n", page)
            self.assertIn(f".Cm {verb}\n", page)

    def test_the_man_page_is_well_formed(self):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", SOURCES / "dmacc-fleet.1"], text=True,
                              capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def bash(self, *arguments):
        script = f"""
            . /usr/share/bash-completion/bash_completion
            . {COMPLETIONS}/dmacc-fleet.bash
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${{#COMP_LINE}}
            _dmacc_fleet; printf '%s\\n' "${{COMPREPLY[@]}}" """
        done = subprocess.run(["bash", "-c", script, "bash", "dmacc-fleet", *arguments], capture_output=True,
                              text=True, check=True)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_bash_completes_verbs_options_and_values(self):
        self.assertEqual(self.bash(""), {*VERBS, "--help", "--version"})
        for verb in VERBS:
            self.assertEqual(self.bash(verb, "--"), options_of(verb), verb)
        self.assertEqual(self.bash("derive", "--as", "s"), {"stored"})
        self.assertEqual(self.bash("verify", "--profile", "fcs1"), {"fcs11384", "fcs11384-device", "fcs14345"})

    def fish(self, line):
        done = subprocess.run(["fish", "--no-config", "-c", f"source {COMPLETIONS}/dmacc-fleet.fish; "
                               f"complete -C '{line}'"], capture_output=True, text=True, check=True)
        return {row.split("\t")[0] for row in done.stdout.splitlines()}

    def test_fish_completes_verbs_options_and_values(self):
        self.assertEqual(self.fish("dmacc-fleet "), set(VERBS))
        for verb in VERBS:
            self.assertEqual(words("\n".join(self.fish(f"dmacc-fleet {verb} --"))), options_of(verb), verb)
        self.assertEqual(self.fish("dmacc-fleet derive --as "), {"plain", "stored"})

    def test_zsh_completes_options_of_every_verb(self):
        subprocess.run(["zsh", "-n", COMPLETIONS / "_dmacc-fleet"], check=True)
        # the specifications as zsh itself expands them
        script = f"""
            _arguments() {{ if [[ $1 = -C ]]; then state=rest; line=($VERB); else print -rl -- "$@"; fi }}
            _describe() {{ }}; compdef() {{ }}
            source {COMPLETIONS}/_dmacc-fleet"""
        for verb in VERBS:
            done = subprocess.run(["zsh", "-f", "-c", script], env={"VERB": verb, "PATH": "/usr/bin:/bin"},
                                  capture_output=True, text=True, check=True)
            self.assertEqual(done.stderr, "")
            found = {m[1] for m in re.finditer(r"^(?:\([^)]*\))?(--[a-z-]+)\[", done.stdout, re.MULTILINE)}
            self.assertEqual(found, options_of(verb), verb)


if __name__ == "__main__":
    unittest.main()
