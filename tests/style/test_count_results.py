#!/usr/bin/env python3
"""The verdict of tests/run.sh: what counts as passed, failed and skipped."""

import sys
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import count_results  # noqa: E402

PASSING = """[ RUN      ] Sum.One
[       OK ] Sum.One (0 ms)
[ RUN      ] Sum.Two
sum_test.cpp:3: Skipped
golden data absent: tests/golden/x

[  SKIPPED ] Sum.Two (0 ms)
[  PASSED  ] 1 test.
[  SKIPPED ] 1 test, listed below:
[  SKIPPED ] Sum.Two
"""


def results(status: str, output: str, inner: str = "") -> list[tuple[str, str]]:
    entry = ElementTree.fromstring(f'<testcase name="sum" status="{status}">{inner}<system-out/></testcase>')
    entry.find("system-out").text = output
    return [(name, verdict) for name, verdict, _ in count_results.entry_results(entry)]


class Verdicts(unittest.TestCase):
    def test_single_cases(self):
        self.assertEqual(results("run", PASSING), [("sum: Sum.One", "OK"), ("sum: Sum.Two", "SKIPPED")])

    def test_reason_of_a_skip(self):
        self.assertEqual(count_results.skip_reasons(PASSING), {"Sum.Two": "golden data absent: tests/golden/x"})

    def test_entry_without_cases(self):
        self.assertEqual(results("run", "fine"), [("sum", "OK")])
        self.assertEqual(results("fail", "not fine"), [("sum", "FAILED")])

    def test_crash_after_passing_cases_is_a_failure(self):
        self.assertIn(("sum", "FAILED"), results("fail", PASSING))

    def test_failure_on_one_of_two_ranks(self):
        text = "[       OK ] Sum.One (0 ms)\n[  FAILED  ] Sum.One (0 ms)\n[       OK ] Sum.One (0 ms)\n"
        self.assertEqual(results("fail", text), [("sum: Sum.One", "FAILED")])

    def test_skips(self):
        self.assertEqual(results("notrun", "SKIP: no Slurm\n"), [("sum", "SKIPPED")])

    def test_absent_program_is_a_failure(self):
        self.assertEqual(results("notrun", "Unable to find executable: x_test"), [("sum", "FAILED")])


if __name__ == "__main__":
    unittest.main()
