#!/usr/bin/env python3
"""Reads the #include lines of lib/, eval/, kernels/ and apps/ and reports each that goes in a forbidden direction.

    check_includes.py REPOSITORY

1. A room includes itself and rooms of lower levels, never a peer or a higher one.
2. Headers of libraries with a home appear only there.
3. Includes name their room ("grid/lat_lon_grid.hpp"), so that rule 1 can be read off the line.
Ends with 1 and one line per violation: file, line, rule.
"""

import re
import sys
from pathlib import Path

from sources import cxx_sources

# Left is lower. Rooms of one level are peers and do not know each other.
LEVELS = (
    ("base",),
    ("parallel", "kernels", "grid"),
    ("fields",),
    ("stores",),
    ("model", "eval", "world", "campaign"),
    ("forecast", "training"),
    ("apps",),
)
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}

TORCH_FACE = re.compile(r"_torch\.(cpp|hpp)$")

# Library, its headers, the rooms where they may appear, and what else allows them.
HOMES = (
    ("torch", re.compile(r"^(torch|ATen|c10)/"), {"model", "training"}),
    ("MPI or NCCL", re.compile(r"^(mpi|nccl)\.h$"), {"parallel"}),
    ("NetCDF or HDF5", re.compile(r"^(netcdf\w*(\.h)?|nc\w+\.h|hdf5(_hl)?\.h|H5\w*\.h)$"), {"stores"}),
    ("Kokkos", re.compile(r"^Kokkos_\w+\.hpp$"), {"kernels"}),
    ("YAML", re.compile(r"^yaml-cpp/"), {"base"}),
)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def room_of(relative: Path) -> str:
    """lib/grid/x.hpp -> grid, eval/sums.hpp -> eval."""
    parts = relative.parts
    return parts[1] if parts[0] == "lib" else parts[0]


def included_room(header: str) -> str:
    parts = header.split("/")
    return parts[1] if parts[0] == "lib" and len(parts) > 2 else parts[0]


def library_violation(relative: Path, room: str, header: str) -> str | None:
    for library, pattern, homes in HOMES:
        if not pattern.search(header) or room in homes:
            continue
        if library == "torch" and room == "kernels" and TORCH_FACE.search(relative.name):
            continue
        return f"{library} header <{header}> belongs to {', '.join(sorted(homes))}, not to {room}"
    return None


def own_violation(room: str, header: str) -> str | None:
    target = included_room(header)
    if target not in LEVEL:
        return f'"{header}" does not begin with a room ({", ".join(LEVEL)})'
    if target != room and LEVEL[target] >= LEVEL[room]:
        return f'{room} includes "{header}": {target} is not below {room}'
    return None


def violations(root: Path) -> list[str]:
    """One line per violation in the repository at root; empty if all is well."""
    found = []
    for path in cxx_sources(root, ("apps", "eval", "kernels", "lib")):
        relative = path.relative_to(root)
        room = room_of(relative)
        if room not in LEVEL:
            found.append(f"{relative}: unknown room {room}: give it a level in check_includes.py")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, header = match.groups()
            problem = library_violation(relative, room, header)
            if problem is None and quote == '"':
                problem = own_violation(room, header)
            if problem:
                found.append(f"{relative}:{number}: {problem}")
    return found


def main() -> int:
    found = violations(Path(sys.argv[1]))
    print("\n".join(found) if found else "all includes point downwards")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
