"""What the assembler and the disassembler say about compiled device code."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ENTRY = re.compile(r"Compiling entry function '(\w+)' for '(sm_\w+)'")
STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
REGISTERS = re.compile(r"Used (\d+) registers")
# C7510 ... C7514: wgmma is serialised; C7517, C7519: waits and arrivals put in where the source has none; C7508: setmaxnreg
# has no effect.
REMARK = re.compile(r"\((C75\d\d)\).*|.*serialized.*")


@dataclass
class Kernel:
    source: str
    name: str
    architecture: str
    registers: int = 0
    stack: int = 0
    spills: int = 0


def parse_report(source: str, text: str) -> tuple[list[Kernel], list[str]]:
    """The kernels of a file's report (ptxas -v) and the remarks that must not be there."""
    kernels, remarks = [], []
    for line in text.splitlines():
        if entry := ENTRY.search(line):
            kernels.append(Kernel(source, entry[1], entry[2]))
        elif kernels and (found := STACK.search(line)):
            kernels[-1].stack = int(found[1])
            kernels[-1].spills = int(found[2]) + int(found[3])
        elif kernels and (found := REGISTERS.search(line)):
            kernels[-1].registers = int(found[1])
        if REMARK.search(line):
            remarks.append(f"{source}: {line.strip()}")
    return kernels, remarks


def read_reports(folder: Path) -> tuple[list[Kernel], list[str]]:
    """Of all *.ptxas files that cmake/compile_device_code.sh left."""
    kernels, remarks = [], []
    for report in sorted(folder.rglob("*.ptxas")):
        more, text = parse_report(report.name.removesuffix(".o.ptxas"), report.read_text())
        kernels += more
        remarks += text
    return kernels, remarks


def find_cuobjdump() -> str | None:
    places = [shutil.which("cuobjdump"), "/usr/local/cuda/bin/cuobjdump"]
    return next((place for place in places if place and Path(place).exists()), None)


def disassembly(cuobjdump: str, code: Path) -> dict[tuple[str, str], str]:
    """(kernel, architecture) -> its instructions."""
    text = subprocess.run([cuobjdump, "-sass", str(code)], check=True, capture_output=True, text=True).stdout
    found, architecture = {}, ""
    for part in re.split(r"(?=Function : |arch = )", text):
        if match := re.match(r"arch = (sm_\w+)", part):
            architecture = match[1]
        elif match := re.match(r"Function : (\w+)", part):
            found[match[1], architecture] = part
    return found


def exponentials_beside_products(text: str) -> list[int]:
    """Of each place where all but one group of a warpgroup's products are waited for: exponentials before the next wait."""
    parts = re.split(r"WARPGROUP\.DEPBAR\.LE gsb0, (0x[01])", text)
    return [parts[i + 1].count("MUFU.EX2") for i in range(1, len(parts), 2) if parts[i] == "0x1"]
