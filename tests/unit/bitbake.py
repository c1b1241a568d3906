# SPDX-License-Identifier: LGPL-2.1-or-later
"""As much of bitbake's language as the recipes in packaging/yocto are written in, and which package has which file.

Whatever else stands in a recipe is refused: it would have to be understood here first.
"""
import fnmatch
import re

# Of bitbake.conf, what the recipes use, with the distribution's feature usrmerge
CONF = {
    "bindir": "/usr/bin", "libexecdir": "/usr/libexec", "libdir": "/usr/lib", "nonarch_libdir": "/usr/lib",
    "includedir": "/usr/include", "datadir": "/usr/share", "mandir": "/usr/share/man", "docdir": "/usr/share/doc",
    "sysconfdir": "/etc", "SOLIBS": ".so.*", "BPN": "${PN}", "BP": "${BPN}-${PV}",
    "PACKAGES": "${PN}-src ${PN}-dbg ${PN}-staticdev ${PN}-dev ${PN}-doc ${PN}-locale ${PN}",
    "FILES:${PN}-dev": "${includedir} ${libdir}/lib*.so ${libdir}/pkgconfig",
    "FILES:${PN}-doc": "${docdir} ${mandir}",
    "FILES:${PN}": "${bindir}/* ${libexecdir}/* ${libdir}/lib*${SOLIBS} ${sysconfdir} ${datadir}/${BPN} ${libdir}/${BPN}/*",
}
CLASSES = {
    "bash-completion": {"PACKAGES": ("=+", "${PN}-bash-completion"),
                        "FILES:${PN}-bash-completion": ("=", "${datadir}/bash-completion")},
    "features_check": {}, "meson": {}, "module": {}, "pkgconfig": {}, "python3native": {}, "systemd": {}, "useradd": {},
}
ASSIGNMENT = re.compile(r'^([\w:${}-]+(?:\[[\w-]+\])?) (=|\?\?=|\?=|\+=|=\+|\.=) "(.*)"$')


class Recipe:
    """A recipe or a layer.conf, with the classes that it inherits."""

    def __init__(self, path):
        self.path = path
        self.values = dict(CONF)
        name, _, version = path.stem.partition("_")
        self.values |= {"PN": name, "PV": version}
        text = re.sub(r"\\\n\s*", "", path.read_text())
        for line in text.splitlines():
            self.read(line)

    def read(self, line):
        if not line or line.startswith("#"):
            return
        if line.startswith("inherit "):
            for name in line.split()[1:]:
                for variable, (operator, value) in CLASSES[name].items():
                    self.assign(variable, operator, value)
            return
        found = ASSIGNMENT.match(line)
        assert found, f"{self.path.name}: what is this? {line}"
        self.assign(*found.groups())

    def assign(self, variable, operator, value):
        old = self.values.get(variable)
        if operator in ("?=", "??="):
            value = value if old is None else old
        elif operator != "=":
            old = old or ""
            value = {"+=": f"{old} {value}", "=+": f"{value} {old}", ".=": old + value}[operator]
        self.values[variable] = value

    def expand(self, text):
        """With every ${}, which has to be known."""
        while "${" in text:
            text = re.sub(r"\$\{([\w-]+)\}", lambda found: self.values[found[1]], text)
        return text

    def get(self, variable):
        values = {self.expand(name): value for name, value in self.values.items()}
        return self.expand(values[variable])

    def flags(self, variable):
        return {name: self.expand(value) for name, value in self.values.items() if name.startswith(f"{variable}[")}

    def split(self, paths):
        """{package: files}: each file is the first package's in PACKAGES that asks for it, or else of None."""
        split = {package: set() for package in self.get("PACKAGES").split()} | {None: set(paths)}
        for package in list(split)[:-1]:
            try:
                patterns = self.get(f"FILES:{package}").split()
            except KeyError:
                continue
            taken = {path for path in split[None] if any(wants(pattern, path) for pattern in patterns)}
            split[package] |= taken
            split[None] -= taken
        return split


def wants(pattern, path):
    """A pattern means what it matches, and all that is below; * is within a folder."""
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) >= len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))
