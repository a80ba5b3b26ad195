#!/usr/bin/env python3
"""The style checks catch what they are for: each rule against a scratch repository with one violation."""

import shutil
import tempfile
import unittest
from pathlib import Path

import check_includes
import check_text


class ScratchRepository(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write(".clang-format", "BasedOnStyle: Google\nColumnLimit: 110\n")

    def write(self, name: str, text: str):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def assert_one(self, found: list[str], *words: str):
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])


class Includes(ScratchRepository):
    def check(self, name: str, *lines: str) -> list[str]:
        self.write(name, "#pragma once\n" + "".join(f"#include {line}\n" for line in lines))
        return check_includes.violations(self.root)

    def test_allowed(self):
        self.assertEqual(self.check("lib/forecast/run.hpp", "<vector>", '"eval/sums.hpp"', '"model/model.hpp"',
                                    '"forecast/noise.hpp"', '"kernels/step/step.hpp"'), [])
        self.assertEqual(self.check("kernels/step/step_torch.cpp", "<torch/torch.h>", '"base/error.hpp"'), [])
        self.assertEqual(self.check("lib/model/network/block.cpp", "<ATen/ATen.h>"), [])
        self.assertEqual(self.check("lib/stores/netcdf.cpp", "<netcdf>", "<netcdf.h>", "<hdf5.h>"), [])

    def test_upwards(self):
        self.assert_one(self.check("lib/grid/a.hpp", '"fields/state.hpp"'), "lib/grid/a.hpp:2", "not below grid")

    def test_upwards_through_lib(self):
        self.assert_one(self.check("lib/grid/a.hpp", '"lib/fields/state.hpp"'), "not below grid")

    def test_peers(self):
        self.assert_one(self.check("eval/a.cpp", '"model/forecast_model.hpp"'), "not below eval")
        self.assertEqual(len(self.check("lib/model/a.cpp", '"eval/sums.hpp"')), 2)

    def test_nameless_room(self):
        self.assert_one(self.check("eval/a.cpp", '"sums.hpp"'), "does not begin with a room")

    def test_unknown_room(self):
        self.assert_one(self.check("lib/misc/a.hpp"), "unknown room misc")

    def test_libraries_stay_at_home(self):
        cases = {"lib/forecast/a.cpp": "<torch/torch.h>", "apps/b.cpp": "<mpi.h>", "eval/c.cpp": "<netcdf>",
                 "lib/model/d.cpp": "<Kokkos_Core.hpp>", "lib/campaign/e.cpp": "<yaml-cpp/yaml.h>",
                 "kernels/step/step_reference.cpp": "<ATen/ATen.h>"}
        for count, (name, header) in enumerate(cases.items(), 1):
            self.assertEqual(len(self.check(name, header)), count, (name, header))


class Text(ScratchRepository):
    def test_long_line(self):
        self.write("lib/base/a.cpp", "int x;\n// " + 120 * "x" + "\n")
        self.assert_one(check_text.long_lines(self.root), "lib/base/a.cpp:2", "123 columns")

    def test_environment_changes(self):
        self.write("kernels/a.cpp", 'void f() {\n  setenv("A", "1", 0);\n}\n')
        self.write("tests/a.cpp", 'void f() { setenv("A", "1", 0); }\n')
        self.write("lib/base/b.cpp", 'const char* f() { return getenv("A"); }\n')
        self.assert_one(check_text.environment_changes(self.root), "kernels/a.cpp:2", "environment")

    @unittest.skipUnless(shutil.which("clang-format"), "clang-format is not installed")
    def test_formatting(self):
        clang_format = shutil.which("clang-format")
        self.write("lib/base/a.cpp", "int f() { return 1; }\n")
        self.assertEqual(check_text.badly_formatted(self.root, clang_format), [])
        self.write("eval/b.cpp", "int f( ) {return 1;}\n")
        self.assertIn("eval/b.cpp", "\n".join(check_text.badly_formatted(self.root, clang_format)))


if __name__ == "__main__":
    unittest.main()
