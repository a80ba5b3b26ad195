#!/usr/bin/env python3
"""Reports sources that clang-format would change, lines over 110 columns and changes of the environment.

Threads of libraries read the environment at any time (HDF5 opening its first file, MPI), and setenv frees what they
read: a segmentation fault once in hundreds of runs. Only tests may change it.

    check_text.py REPOSITORY

Ends with 1 and the places if there are any, with 77 (skip) if clang-format is absent and nothing else is wrong.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from sources import ROOMS, cxx_sources

COLUMNS = 110
ENVIRONMENT = re.compile(r"\b(setenv|unsetenv|putenv|clearenv)\s*\(")
PROGRAM_ROOMS = tuple(room for room in ROOMS if room != "tests")


def long_lines(root: Path) -> list[str]:
    found = []
    for path in cxx_sources(root):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if len(line) > COLUMNS:
                found.append(f"{path.relative_to(root)}:{number}: {len(line)} columns, at most {COLUMNS}")
    return found


def environment_changes(root: Path) -> list[str]:
    found = []
    for path in cxx_sources(root, PROGRAM_ROOMS):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if ENVIRONMENT.search(line):
                found.append(f"{path.relative_to(root)}:{number}: changes the environment, which other threads read")
    return found


def badly_formatted(root: Path, clang_format: str) -> list[str]:
    """clang-format's own complaints, one line per place."""
    files = [str(path) for path in cxx_sources(root)]
    if not files:
        return []
    run = subprocess.run([clang_format, "--style=file", "--dry-run", "-Werror", *files],
                         capture_output=True, text=True, check=False)
    lines = [line for line in run.stderr.splitlines() if "error:" in line]
    if run.returncode != 0 and not lines:
        lines = [run.stderr.strip() or f"clang-format ended with {run.returncode}"]
    return lines


def main() -> int:
    root = Path(sys.argv[1])
    found = long_lines(root) + environment_changes(root)
    clang_format = shutil.which("clang-format")
    if clang_format:
        found += badly_formatted(root, clang_format)
    if found:
        print("\n".join(found))
        print("Remedy of format and length: clang-format -i FILE")
        return 1
    if not clang_format:
        print("SKIP: clang-format is not installed (cmake/bootstrap.sh --with-tests)")
        return 77
    print("all sources are formatted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
