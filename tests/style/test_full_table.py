#!/usr/bin/env python3
"""The table of tests/run.sh --full."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import full_table  # noqa: E402

REPORT = """<testsuite>
<testcase name="fault_matrix" status="run" time="2.5"><system-out>
[       OK ] Rows/Matrix.Ends/one (1 ms)
[  FAILED  ] Rows/Matrix.Ends/two (1 ms)
</system-out></testcase>
<testcase name="grid" status="run" time="1"><system-out/></testcase>
<testcase name="zarr" status="run" time="1"><system-out/></testcase>
</testsuite>"""


class Table(unittest.TestCase):
    def test_counts_cases_and_adds_up_the_rest(self):
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "build" / "ctest.xml"
            report.parent.mkdir()
            report.write_text(REPORT, encoding="utf-8")
            fuzz = Path(folder) / "build-fuzz"
            (fuzz / "findings").mkdir(parents=True)
            (fuzz / "findings" / "yaml-crash-1").touch()
            (fuzz / "fuzz_yaml.log").write_text("stat::number_of_executed_units: 810\n", encoding="utf-8")
            rows = full_table.table_rows([report])
            text = full_table.table("tests/run.sh --full", fuzz, [report])
        self.assertEqual([row[1:] for row in rows], [("build", "fault_matrix", 2, 1, 0, 2.5),
                                                     ("build", "", 2, 2, 0, 2.0)])
        self.assertIn("| total | | | 4 | 3 | 0 | 4 |", text)
        self.assertIn("| fuzz_yaml | 810 | 1 |", text)

    def test_srun_is_not_mpirun(self):
        self.assertIn("srun", full_table.promise_of("slurm_fault_matrix")[0])
        self.assertIn("mpirun", full_table.promise_of("fault_matrix")[0])


if __name__ == "__main__":
    unittest.main()
