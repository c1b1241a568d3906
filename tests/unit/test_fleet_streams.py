#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes through dmacc-fleet: kinds of input, large inputs, duplicates, progress, outputs that end badly."""
import os
import pty
import random
import re
import resource
import select
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

import reference as ref
from fleet_case import DEVICE, FLEET, HEADER, KV, ROW, Fleet

ID = "490154203237518"


class Input(Fleet):
    def rows(self, text, *arguments, status=0):
        done = self.derive(*arguments, text=text)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout.decode().splitlines()[1:]

    def test_json_lines(self):
        kd = ref.device_key(KV, DEVICE, 2)
        c = ref.credentials(kd, DEVICE, ref.SERVER_ID, b"com.example.dm", 1)
        second = f"{DEVICE},{c.user_name},{c.client_pw},{c.server_pw}"
        text = f'{{"imei": {ID}}}\n{{"DevId": "{DEVICE}", "extra": {{"imei": "1"}}, "list": [1, 2]}}\r\n' \
               f'\n  \n{{"note": "a\\"\\n{{,", "IMEI": "49-015420-323751-8", "generation": 1, "key_version": "2"}}\n' \
               f'{{"imei": null, "meid": "", "identifier": "{ID}", "generation": null}}'
        self.assertEqual(self.rows(text), [ROW, ROW, second, ROW])

    def test_json_lines_that_are_none_are_refused_one_by_one(self):
        bad = ['{"imei": "1"', "[]", f'"{ID}"', "null", "{}", f'{{"imei": {ID}}} {{}}', f"{{'imei': '{ID}'}}",
               f'{{"imei": "{ID}", "generation": -1}}', f'{{"imei": "{ID}", "key_version": 1.5}}',
               '{"imei": 490154203237517}', "[" * 100, '{"esn": {}, "imei": ""}']
        text = "\n".join([f'{{"imei": {ID}}}', *bad, f'{{"imei": "{ID}"}}'])
        done = self.derive(text=text)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.decode().splitlines()[1:], [ROW] * 2)
        words = re.findall(r"line (\d+): ([a-z_-]+): ", done.stderr.decode())
        self.assertEqual(words, [("2", "json"), ("3", "json"), ("4", "json"), ("5", "json"), ("6", "missing"),
                                 ("7", "json"), ("8", "json"), ("9", "generation"), ("10", "key_version"),
                                 ("11", "check-digit"), ("12", "json"), ("13", "character")])

    def test_an_array_and_utf_16_are_named(self):
        self.assert_nothing_done(self.derive(text='[{"imei": 1}]'), "JSON array")
        self.assert_nothing_done(self.derive(text="\ufeffDevId\n".encode("utf-16")), "UTF-16")

    def test_the_identifier_may_be_any_column_that_the_header_names(self):
        text = f"model,IMEI,MEID\nx,{ID},A0000000002329\ny,,A0000000002329\nz,,\n"
        done = self.derive(text=text)
        self.assertEqual([line.split(",")[0] for line in done.stdout.decode().splitlines()[1:]],
                         [DEVICE, "MEID:A0000000002329"])
        self.assertIn(b"line 4: missing", done.stderr)

    def test_an_esn_column_needs_no_prefix(self):
        self.assertEqual([row.split(",")[0] for row in self.rows("ESN\nE69FFFFF\nESN:E69FFFFF\n23010485759\n")],
                         ["ESN:E69FFFFF"] * 3)
        self.assertEqual([row.split(",")[0] for row in self.rows('{"esn": "E69FFFFF"}\n')], ["ESN:E69FFFFF"])

    def test_a_device_is_never_taken_for_a_header(self):
        self.assertEqual(self.rows(f"{ID},IMEI\n{ID},MEID\n"), [ROW, ROW])

    def test_identifiers_as_people_have_them(self):
        for text in ("49015420323751", "490154203237518", "4901542032375180", " 49 015420 323751 8 ",
                     "49-015420-323751-8", "imei:490154203237518", "IMEI: 49015420-323751-8",
                     "urn:gsma:imei:49015420-323751-0;svn=42", '"490154203237518"', "490154203237518\r"):
            self.assertEqual(self.rows(text + "\n"), [ROW], text)
        self.assertEqual(self.rows("490154203237510\n", "--spare-digit"), [ROW])

    def test_an_empty_input_is_an_empty_output(self):
        for text in ("", "DevId\n", "\ufeff"):
            self.assertEqual(self.rows(text), [])

    def test_a_long_line_is_refused_and_the_next_is_read(self):
        self.assertEqual(self.rows("1" * 100000 + f"\n{ID}\n", status=1), [ROW])
        self.assertEqual(self.rows(f'{ID},"' + "x" * 100000 + f'"\n{ID}\n'), [ROW, ROW])


class Large(Fleet):
    def test_a_million_through_a_pipe_in_flat_memory(self):
        block = "".join(f"{n:014d}\n" for n in range(10 ** 13, 10 ** 13 + 10000)).encode()
        with subprocess.Popen([FLEET, "derive", "--key", self.key, "--server-id", "x", "--threads", "2"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            def feed():
                for _ in range(100):
                    process.stdin.write(block)
                process.stdin.close()
            feeder = threading.Thread(target=feed)
            feeder.start()
            lines, peak, last = 0, 0, b""
            while data := process.stdout.read1(1 << 18):
                lines += data.count(b"\n")
                last = (last + data)[-200:]
                peak = max(peak, self.resident(process.pid) or 0)
            feeder.join()
            self.assertEqual(process.wait(), 0)
        self.assertEqual(lines, 1000001)
        self.assertTrue(last.decode().splitlines()[-1].startswith("IMEI:10000000009999"), last)
        # a sanitizer's shadow and quarantine are not the program's
        limit = 600 if b"libasan" in Path(FLEET).read_bytes() else 64
        self.assertLess(peak, limit << 20)

    def resident(self, pid):
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) << 10 if found else None


class Duplicates(Fleet):
    TEXT = f"{ID}\nA0000000002329\n49015420323751\n{DEVICE}\nMEID:A0000000002329\nESN:E69FFFFF\n"

    def test_without_the_option_they_are_derived(self):
        done = self.derive(text=self.TEXT)
        self.assertEqual((done.returncode, done.stdout.count(b"\n"), done.stderr), (0, 7, b""))

    def test_report_says_so_and_derives(self):
        done = self.derive("--duplicates", "report", text=self.TEXT)
        self.assertEqual((done.returncode, done.stdout.count(b"\n")), (0, 7))
        self.assertEqual(done.stderr.decode().splitlines(), [
            f"dmacc-fleet: warning: line {n}: duplicate: the device is in line {first} already"
            for n, first in ((3, 1), (4, 1), (5, 2))])

    def test_refuse_refuses_all_but_the_first(self):
        rejects = self.folder / "rejects"
        done = self.derive("--duplicates", "refuse", "--rejects", rejects, "--threads", "4", text=self.TEXT)
        self.assertEqual((done.returncode, done.stdout.count(b"\n"), done.stderr), (1, 4, b""))
        self.assertEqual(rejects.read_text().splitlines()[1:], [
            '3,49015420323751,"duplicate: the device is in line 1 already"',
            f'4,{DEVICE},"duplicate: the device is in line 1 already"',
            '5,MEID:A0000000002329,"duplicate: the device is in line 2 already"'])

    def test_many_devices_with_a_few_duplicates(self):
        rng = random.Random(11)
        ids = rng.sample(range(10 ** 13, 10 ** 14), 30000)
        again = rng.sample(range(30000), 50)
        text = "".join(f"{i}\n" for i in ids + [ids[n] for n in again])
        done = self.fleet("check-ids", text=text)
        found = re.findall(r"^(\d+),.*the device is in line (\d+) already", done.stdout.decode(), re.MULTILINE)
        self.assertEqual([(int(line), int(first)) for line, first in found],
                         [(30001 + i, n + 1) for i, n in enumerate(again)])


class Output(Fleet):
    def start(self, *arguments, buffer=-1):
        return subprocess.Popen([FLEET, "derive", "--key", self.key, "--server-id", "com.example.dm", *arguments],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=buffer)

    def names(self):
        return sorted(p.name for p in self.folder.iterdir() if p.name != "key")

    def wait_for_partial(self, size):
        for _ in range(400):
            for path in self.folder.glob("*.partial"):
                if path.stat().st_size >= size:
                    return path
            time.sleep(0.05)
        self.fail("nothing was written")

    def test_a_file_is_complete_private_and_the_only_one(self):
        output = self.folder / "out.csv"
        done = self.derive("--output", output, "--format", "csv", text=f"{ID}\n")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        self.assertEqual(output.read_text().splitlines(), [HEADER, ROW])
        self.assertEqual(output.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.names(), ["out.csv"])

    def test_a_link_is_followed_and_a_device_is_never_replaced(self):
        (self.folder / "real").write_text("old")
        (self.folder / "link").symlink_to(self.folder / "real")
        self.assertEqual(self.derive("--output", self.folder / "link", text=f"{ID}\n").returncode, 0)
        self.assertTrue((self.folder / "link").is_symlink())
        self.assertEqual((self.folder / "real").read_text().splitlines(), [HEADER, ROW])
        os.mkfifo(self.folder / "fifo")
        reader = os.open(self.folder / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        self.assertEqual(self.derive("--output", self.folder / "fifo", text=f"{ID}\n").returncode, 0)
        self.assertEqual(os.read(reader, 4096).decode().splitlines(), [HEADER, ROW])
        os.close(reader)
        done = self.derive("--output", "/dev/full", text=f"{ID}\n")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"No space left", done.stderr)
        self.assertTrue(Path("/dev/full").is_char_device())
        done = self.derive("--output", self.folder, text=f"{ID}\n")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"Is a directory", done.stderr)

    def test_a_signal_takes_the_begun_file_away_and_keeps_the_old_one(self):
        (self.folder / "out.csv").write_text("old")
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        # as if these tests ran neither under nohup nor in the background, whose choice would be respected
        for number in numbers:
            self.addCleanup(signal.signal, number, signal.signal(number, signal.SIG_DFL))
        for number in numbers:
            with self.start("--output", self.folder / "out.csv", "--rejects", self.folder / "bad.csv") as process:
                process.stdin.write(f"{ID}\n13\n".encode() * 100)
                process.stdin.flush()
                self.wait_for_partial(1000)
                process.send_signal(number)
                self.assertEqual(process.wait(30), -number)
            self.assertEqual(self.names(), ["out.csv"])
            self.assertEqual((self.folder / "out.csv").read_text(), "old")

    def test_a_kill_leaves_nothing_that_looks_complete(self):
        with self.start("--output", self.folder / "out.csv") as process:
            process.stdin.write(f"{ID}\n".encode() * 100)
            process.stdin.flush()
            self.wait_for_partial(1000)
            process.kill()
            process.wait(30)
        self.assertEqual([name for name in self.names() if not name.endswith(".partial")], [])

    def test_a_full_disk_is_an_error_and_leaves_no_file(self):
        # a limit of the process is met as a full disk is, in the middle of a write
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000))
        done = subprocess.run([FLEET, "derive", "--key", self.key, "--server-id", "x", "--output",
                               self.folder / "out.csv"], input=f"{ID}\n".encode() * 20000, capture_output=True,
                              preexec_fn=limit, check=False)
        self.assertEqual((done.returncode, self.names()), (2, []))
        self.assertIn(b"the output cannot be written: File too large", done.stderr)

    @unittest.skipIf(os.geteuid(), "only root can mount")
    def test_a_full_file_system_is_an_error_and_leaves_no_file(self):
        small = Path(self.enterContext(tempfile.TemporaryDirectory()))
        try:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=True,
                           capture_output=True)
        except subprocess.CalledProcessError:
            self.skipTest("this machine lets nobody mount")
        try:
            for option in ("--output", "--rejects"):
                text = f"{ID}\n" * 20000 if option == "--output" else "13\n" * 20000
                done = self.derive(option, small / "out.csv", text=text)
                self.assertEqual(done.returncode, 2)
                self.assertIn(b"No space left on device", done.stderr)
                self.assertEqual(list(small.iterdir()), [])
        finally:
            subprocess.run(["umount", small], check=True)

    def test_who_writes_line_by_line_is_answered_line_by_line(self):
        for threads in ("1", "2", "5"):
            # no buffer here, or select() would not see what came with the header
            with self.start("--threads", threads, buffer=0) as process:
                process.stdin.write(f"{ID}\n".encode())
                self.assertEqual(process.stdout.readline().split(b",")[0], b"DevId")
                for _ in range(6):
                    self.assertTrue(select.select([process.stdout], [], [], 60)[0], f"no answer, {threads} threads")
                    self.assertEqual(process.stdout.readline().split(b",")[0].decode(), DEVICE)
                    process.stdin.write(f"{ID}\n".encode())
                process.stdin.close()

    def test_a_reader_that_leaves_early_is_no_noise_and_no_file(self):
        for threads in ("1", "3"):
            with self.start("--threads", threads, "--rejects", self.folder / "bad.csv") as process:
                def feed():
                    try:
                        for _ in range(200):
                            process.stdin.write(f"{ID}\n".encode() * 3000)
                        process.stdin.close()
                    except BrokenPipeError:
                        pass
                feeder = threading.Thread(target=feed)
                feeder.start()
                process.stdout.read(100)
                process.stdout.close()
                self.assertEqual(process.wait(60), 1)
                feeder.join()
                self.assertEqual(process.stderr.read(), b"")
                try:
                    process.stdin.close()
                except BrokenPipeError:
                    pass
            self.assertEqual(self.names(), [])


class Progress(Fleet):
    def on_terminal(self, stdin, *arguments, out=None):
        """What dmacc-fleet shows on a terminal that is its stderr, fed by @stdin."""
        ours, terminal = pty.openpty()
        out = terminal if out is None else out
        with subprocess.Popen([FLEET, "derive", "--key", self.key, "--server-id", "x", *arguments],
                              stdin=subprocess.PIPE, stdout=out, stderr=terminal) as process:
            os.close(terminal)
            shown = b""
            for data in stdin:
                process.stdin.write(data)
                process.stdin.flush()
                time.sleep(0.25)
            process.stdin.close()
            try:
                while select.select([ours], [], [], 60)[0] and (more := os.read(ours, 65536)):
                    shown += more
            except OSError:
                pass
            self.assertEqual(process.wait(), 0)
        os.close(ours)
        return shown.decode()

    def test_records_and_rate_on_a_terminal_and_the_line_is_cleared(self):
        shown = self.on_terminal([f"{ID}\n".encode() * 40] * 4, out=subprocess.DEVNULL)
        self.assertRegex(shown, r"\r(80|120|160) devices, \d+ a second\x1b\[K")
        self.assertNotIn("left", shown)
        self.assertTrue(shown.endswith("\r\x1b[K"), shown)

    def test_time_left_of_a_file(self):
        ids = self.file("ids", f"{ID}\n" * 200000)
        reader, writer = os.pipe()

        def read_slowly():
            while os.read(reader, 1 << 18):
                time.sleep(0.01)

        thread = threading.Thread(target=read_slowly)
        thread.start()
        try:
            shown = self.on_terminal([], ids, out=writer)
        finally:
            os.close(writer)
            thread.join()
            os.close(reader)
        self.assertRegex(shown, r"\d+ devices, \d+ a second, \d+ %, \d+:\d\d:\d\d left\x1b\[K")

    def test_not_into_the_output(self):
        shown = self.on_terminal([f"{ID}\n".encode()] * 3)
        self.assertEqual(shown.count("\r\n"), 4)
        self.assertNotIn("a second", shown)


if __name__ == "__main__":
    unittest.main()
