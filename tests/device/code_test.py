#!/usr/bin/env python3
"""What must hold of compiled device code where no device is: no spills, no stack, registers within ceilings, matrix products
of warpgroups not serialised; where cuobjdump is found, the instructions that the design asks for and no local memory.

    code_test.py FOLDER [TESTS...]     (the build folder of the target mosaic_device_code)
"""

import os
import sys
import tempfile
import subprocess
import unittest
from pathlib import Path

from code_report import disassembly, exponentials_beside_products, find_cuobjdump, parse_report, read_reports

FOLDER = Path()
# Ceiling of registers a thread by part of the kernel's name and architecture: what its blocks of threads can have on a
# multiprocessor (65,536 registers) at the occupancy that it is written for.
CEILINGS = (
    ("attend_ampere", None, 128),  # two blocks of 256 threads
    ("attend_hopper", "sm_90a", 168),  # one block of 384 threads
    ("swiglu_hopper", "sm_90a", 168),
    ("double_rows", None, 32),  # as many threads as fit: both wait for memory
    ("gather_waves", None, 32),
    ("_power_kernel", None, 64),  # sixteen blocks of 64 threads
)
OTHERS = 255
# Bodies that are there for one architecture only are empty in the other.
HOPPER_INSTRUCTIONS = {"attend_hopper": ("HGMMA", "UTMALDG"), "swiglu_hopper": ("HGMMA", "UTMALDG")}
AMPERE_INSTRUCTIONS = {"attend_ampere": ("HMMA", "LDGSTS", "LDSM"), "swiglu_ampere": ("HMMA", "LDGSTS", "LDSM")}


def ceiling(name: str, architecture: str) -> int:
    fitting = [limit for part, arch, limit in CEILINGS if part in name and arch in (None, architecture)]
    return min(fitting, default=OTHERS)


class CompiledCode(unittest.TestCase):
    def setUp(self):
        self.kernels, self.remarks = read_reports(FOLDER)

    def test_both_architectures_hold_every_kernel(self):
        self.assertTrue(self.kernels, f"no reports in {FOLDER}")
        names = {a: {k.name for k in self.kernels if k.architecture == a} for a in ("sm_80", "sm_90a")}
        self.assertEqual(names["sm_80"], names["sm_90a"])

    def test_no_stack_and_no_spills(self):
        for kernel in self.kernels:
            self.assertEqual((kernel.stack, kernel.spills), (0, 0), kernel)

    def test_registers_stay_below_their_ceilings(self):
        for kernel in self.kernels:
            self.assertLessEqual(kernel.registers, ceiling(kernel.name, kernel.architecture), kernel)

    def test_no_remarks_about_warpgroup_products(self):
        self.assertEqual(self.remarks, [])

    def test_every_ceiling_belongs_to_a_kernel(self):
        for part, _, _ in CEILINGS:
            self.assertTrue(any(part in kernel.name for kernel in self.kernels), part)

    def test_instructions(self):
        cuobjdump = find_cuobjdump()
        if cuobjdump is None:
            self.skipTest("cuobjdump not found")
        found = {}
        for code in FOLDER.rglob("*.cu.o"):
            found.update(disassembly(cuobjdump, code))
        for wanted, architecture in ((HOPPER_INSTRUCTIONS, "sm_90a"), (AMPERE_INSTRUCTIONS, "sm_80")):
            for part, instructions in wanted.items():
                bodies = {k: v for k, v in found.items() if part in k[0] and k[1] == architecture}
                self.assertTrue(bodies, part)
                for kernel, text in bodies.items():
                    for instruction in instructions:
                        self.assertIn(instruction, text, kernel)
                    for local in ("LDL", "STL"):
                        self.assertNotIn(f"{local}.", text, kernel)
        # The assembler likes to move the second wait up, and then nothing overlaps.
        for (name, architecture), text in found.items():
            if "attend_hopper" in name and architecture == "sm_90a":
                counts = exponentials_beside_products(text)
                self.assertTrue(counts, name)
                self.assertGreaterEqual(min(counts), 64, name)


class Twins(unittest.TestCase):
    """Code that the checks must refuse."""

    def test_a_kernel_that_spills_is_seen(self):
        nvcc = os.environ.get("MOSAIC_NVCC")
        if not nvcc:
            self.skipTest("no CUDA compiler")
        source = """
        __global__ void __launch_bounds__(1024, 2) crowded(float* x) {
          float values[96];
          for (int i = 0; i < 96; ++i) values[i] = x[i * 4096 + threadIdx.x];
          __syncthreads();
          for (int r = 0; r < 9; ++r)
            for (int i = 0; i < 96; ++i) values[i] = values[i] * values[(i + 7) % 96] + values[(i + 31) % 96];
          for (int i = 0; i < 96; ++i) x[i * 4096 + threadIdx.x] = values[i];
        }"""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "crowded.cu"
            file.write_text(source)
            report = subprocess.run([nvcc, "-gencode=arch=compute_80,code=sm_80", "-Xptxas=-v", "-cubin", str(file),
                                     "-o", str(file) + ".cubin"], check=True, capture_output=True, text=True).stderr
        kernels, _ = parse_report("crowded", report)
        self.assertEqual(len(kernels), 1)
        self.assertGreater(kernels[0].spills, 0, report)

    def test_exponentials_after_both_waits_are_seen(self):
        first, second = "WARPGROUP.DEPBAR.LE gsb0, 0x1 ;\n", "WARPGROUP.DEPBAR.LE gsb0, 0x0 ;\n"
        exponential = "MUFU.EX2 R1, R2 ;\n"
        self.assertEqual(exponentials_beside_products(first + exponential + second), [1])
        self.assertEqual(exponentials_beside_products(first + second + exponential), [0])

    def test_a_serialised_product_is_seen(self):
        text = ("ptxas info    : (C7514) Potential Performance Loss: wgmma.mma_async instructions are serialized due to "
                "insufficient register resources for the wgmma pipeline in the function 'f'\n")
        self.assertEqual(len(parse_report("f", text)[1]), 1)


if __name__ == "__main__":
    FOLDER = Path(sys.argv.pop(1))
    unittest.main(verbosity=2)
