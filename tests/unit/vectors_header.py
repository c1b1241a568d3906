#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes a C header of the vector file: vectors_header.py uapi/vectors.json [-o FILE]

The header needs no libc: the kernel's tests, the library's and dmacc-fleet selftest compile it.
"""
import argparse
import json
import sys

HEAD = """/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Generated from uapi/vectors.json */
#ifndef DMACC_VECTORS_H
#define DMACC_VECTORS_H

#define DMACC_VECTOR_TABLE static const __attribute__((unused))

struct dmacc_vector_accepted {
\tconst unsigned char *input;
\tunsigned int input_len;
\tunsigned char spare_digit;
\tconst char *devid;
};

struct dmacc_vector_refused {
\tconst unsigned char *input;
\tunsigned int input_len;
\tunsigned char spare_digit;
\tconst char *reason;
};

struct dmacc_vector_canonical {
\tconst unsigned char *devid;
\tunsigned int devid_len;
\tconst char *reason;\t/* a null pointer: accepted */
};

struct dmacc_vector_server {
\tunsigned char kind;\t/* 1 ServerID, 2 Addr */
\tconst unsigned char *server;
\tunsigned int server_len;
\tconst char *reason;\t/* a null pointer: accepted */
};

struct dmacc_vector_kdf {
\tconst unsigned char *key;
\tunsigned int key_len;
\tconst char *label;
\tconst unsigned char *context;
\tunsigned int context_len;
\tunsigned int bits;
\tconst unsigned char *input;
\tunsigned int input_len;
\tconst unsigned char *output;
};

struct dmacc_vector_base32 {
\tconst unsigned char *data;
\tunsigned int data_len;
\tconst char *text;
};

struct dmacc_vector_key_id {
\tconst unsigned char *kv;
\tunsigned int key_version;
\tconst char *key_id;
};

struct dmacc_vector_credentials {
\tconst unsigned char *kv;
\tunsigned int key_version;
\tconst char *devid;
\tunsigned char kind;
\tconst unsigned char *server;
\tunsigned int server_len;
\tunsigned int generation;
\tconst unsigned char *kd;
\tconst char *user_name;
\tconst char *server_pw;
\tconst char *client_pw;
\tconst unsigned char *server_nonce;
\tconst unsigned char *client_nonce;
};

struct dmacc_vector_credentials_refused {
\tconst unsigned char *kv;
\tunsigned int key_version;
\tconst char *devid;
\tunsigned char kind;
\tconst unsigned char *server;
\tunsigned int server_len;
\tunsigned int generation;
\tconst char *reason;
};

struct dmacc_vector_vendor_key {
\tconst unsigned char *kv;
\tunsigned int kv_len;
\tconst char *reason;\t/* a null pointer: accepted */
};

struct dmacc_vector_unkeyed {
\tconst char *profile;
\tconst char *devid;
\tconst unsigned char *server;\t/* a ServerID */
\tunsigned int server_len;
\tconst char *user_name;
\tconst char *server_pw;
\tconst char *client_pw;
\tconst unsigned char *server_nonce;\t/* a null pointer: the profile has none */
\tconst unsigned char *client_nonce;
};

struct dmacc_vector_unkeyed_refused {
\tconst char *profile;
\tconst char *devid;
\tunsigned char kind;
\tconst unsigned char *server;
\tunsigned int server_len;
\tconst char *reason;
};

struct dmacc_vector_login {
\tconst char *name;
\tconst char *password;
\tconst char *stored;
\tconst unsigned char *nonce;
\tunsigned int nonce_len;
\tconst char *digest;
};
"""


def octal(data):
    """A C string literal; three octal digits each, so that no digit behind it is taken in."""
    return '"' + "".join(f"\\{byte:03o}" for byte in data) + '"'


def raw(data):
    return f"(const unsigned char *){octal(data)}"


def sized(data):
    return f"{raw(data)}, {len(data)}"


def string(text):
    return "0" if text is None else octal(text.encode())


def kind(name):
    return {"server-id": 1, "addr": 2}[name]


def hexed(entry, name):
    return bytes.fromhex(entry[name + "_hex"])


def raw_or_null(entry, name):
    return "0" if entry[name + "_hex"] is None else raw(hexed(entry, name))


def table(name, rows):
    """A table and how many rows it has; one without any would test nothing."""
    assert rows, name
    body = "".join(f"\t{{ {row} }},\n" for row in rows)
    return (f"\nDMACC_VECTOR_TABLE struct dmacc_vector_{name} dmacc_vectors_{name}[] = {{\n{body}}};\n"
            f"#define DMACC_VECTORS_{name.upper()}_COUNT \\\n"
            f"\t(sizeof(dmacc_vectors_{name}) / sizeof(dmacc_vectors_{name}[0]))\n")


def tables(v):
    ids, servers = v["identifiers"], v["servers"]
    yield table("accepted", [f'{sized(e["input"].encode())}, {int(e["spare_digit"])}, {string(e["devid"])}'
                             for e in ids["accepted"]])
    yield table("refused", [f'{sized(hexed(e, "input"))}, {int(e["spare_digit"])}, {string(e["reason"])}'
                            for e in ids["refused"]])
    yield table("canonical", [f'{sized(hexed(e, "devid"))}, {string(e["reason"])}' for e in ids["canonical"]])
    yield table("server", [f'{kind(e["kind"])}, {sized(hexed(e, "server"))}, {string(e.get("reason"))}'
                           for e in servers["accepted"] + servers["refused"]])
    yield table("kdf", [f'{sized(hexed(e, "key"))}, {string(e["label"])}, {sized(hexed(e, "context"))}, {e["bits"]}, '
                        f'{sized(hexed(e, "input"))}, {raw(hexed(e, "output"))}' for e in v["kdf"]])
    yield table("base32", [f'{sized(hexed(e, "data"))}, {string(e["text"])}' for e in v["base32"]])
    yield table("key_id", [f'{raw(hexed(e, "kv"))}, {e["key_version"]}U, {string(e["key_id"])}' for e in v["key_ids"]])
    yield table("credentials", [
        f'{raw(hexed(e, "kv"))}, {e["key_version"]}U, {string(e["devid"])}, {kind(e["kind"])}, '
        f'{sized(hexed(e, "server"))}, {e["generation"]}U, {raw(hexed(e, "kd"))}, {string(e["user_name"])}, '
        f'{string(e["server_pw"])}, {string(e["client_pw"])}, {raw(hexed(e, "server_nonce"))}, '
        f'{raw(hexed(e, "client_nonce"))}' for e in v["credentials"]])
    yield table("credentials_refused", [
        f'{raw(hexed(e, "kv"))}, {e["key_version"]}U, {string(e["devid"])}, {kind(e["kind"])}, '
        f'{sized(hexed(e, "server"))}, {e["generation"]}U, {string(e["reason"])}' for e in v["credentials_refused"]])
    yield table("vendor_key", [f'{sized(hexed(e, "kv"))}, {string(e["reason"])}' for e in v["vendor_keys"]])
    yield from unkeyed_tables(v["unkeyed"])
    yield table("login", [f'{string(e["name"])}, {string(e["password"])}, {string(e["stored"])}, '
                          f'{sized(hexed(e, "nonce"))}, {string(e["digest"])}' for e in v["logins"]])


def unkeyed_tables(v):
    yield table("unkeyed", [
        f'{string(e["profile"])}, {string(e["devid"])}, {sized(hexed(e, "server"))}, {string(e["user_name"])}, '
        f'{string(e["server_pw"])}, {string(e["client_pw"])}, {raw_or_null(e, "server_nonce")}, '
        f'{raw_or_null(e, "client_nonce")}' for e in v["credentials"]])
    yield table("unkeyed_refused", [
        f'{string(e["profile"])}, {string(e["devid"])}, {kind(e["kind"])}, {sized(hexed(e, "server"))}, '
        f'{string(e["reason"])}' for e in v["refused"]])


def main():
    parser = argparse.ArgumentParser(description="makes a C header of the vector file")
    parser.add_argument("vectors")
    parser.add_argument("-o", "--output")
    args = parser.parse_args()
    with open(args.vectors, encoding="utf-8") as file:
        vectors = json.load(file)
    text = HEAD + "".join(tables(vectors)) + "\n#endif\n"
    if args.output:
        with open(args.output, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
