"""Which files the style checks read."""

from pathlib import Path

ROOMS = ("apps", "eval", "kernels", "lib", "tests")
CXX = {".hpp", ".cpp", ".cu", ".cuh"}


def cxx_sources(root: Path, rooms=ROOMS) -> list[Path]:
    """All C++ and CUDA sources below the given rooms of the repository, sorted."""
    found = []
    for room in rooms:
        found += [path for path in (root / room).rglob("*") if path.suffix in CXX]
    return sorted(found)
