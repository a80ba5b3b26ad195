#!/usr/bin/env python3
"""Writes the table of a full run: what is promised, which test shows it, cases, passed, skipped, seconds.

    full_table.py OUT.md COMMAND FUZZ_FOLDER REPORT...

COMMAND is what was run, with its settings; FUZZ_FOLDER has the logs fuzz_*.log; REPORT are files of
ctest --output-junit, the name of their folder names the build. Date, revision and the kind of machine stand above
the table, not the machine's name.
"""

import datetime
import os
import platform
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from count_results import entry_results

# The first pattern that matches the name of a ctest entry; entries without a promise are added up in one row.
PROMISES = (
    (r"io_faults", "every failing file-system call ends the run with 73 or 74 and a message; resume gives the bits"),
    (r"slurm_fault_matrix", "matrix of faults x places x ranks under srun: code, message, resume"),
    (r"fault_matrix", "matrix of faults x places x ranks under mpirun: code, message, resume"),
    (r"campaign_flat", "720 initial times: memory, descriptors and number of files stay bounded"),
    (r"campaign_reference", "1, 2, 4 ranks have the bits of a plain loop without commits"),
    (r"hindcast_kills", "killed at random moments, resumed on other ranks: the bits of an undisturbed run"),
    (r"hindcast_stops", "signals and time limits: code 75, resume gives the bits"),
    (r"hindcast_faults", "the hindcast program on damaged, absent and unfit input and output"),
    (r"slurm_", "hindcasts and signals under srun and sbatch"),
    (r"mutation|fuzz|hostile", "damaged files of every format: an error, never a crash"),
    (r"parallel|^job", "ranks: collectives, shared counter, ends of jobs"),
)
OTHER = "all other tests"


def promise_of(entry: str) -> tuple[str, str]:
    """(promise, name to be shown)."""
    for pattern, promise in PROMISES:
        if re.search(pattern, entry):
            return promise, entry
    return OTHER, ""


def table_rows(reports: list[Path]) -> list[tuple[str, str, str, int, int, int, float]]:
    """(promise, build, test, cases, passed, skipped, seconds), in the order of PROMISES."""
    rows: dict[tuple[str, str, str], list[float]] = {}
    for report in reports:
        for entry in ElementTree.parse(report).getroot().iter("testcase"):
            promise, name = promise_of(entry.get("name", "?"))
            verdicts = [verdict for _, verdict, _ in entry_results(entry)]
            row = rows.setdefault((promise, report.parent.name, name), [0, 0, 0, 0.0])
            row[0] += len(verdicts)
            row[1] += verdicts.count("OK")
            row[2] += verdicts.count("SKIPPED")
            row[3] += float(entry.get("time") or 0)
    order = [promise for _, promise in PROMISES] + [OTHER]
    return [(*key, int(row[0]), int(row[1]), int(row[2]), row[3])
            for key, row in sorted(rows.items(), key=lambda item: (order.index(item[0][0]), *item[0][1:]))]


def machine() -> str:
    processor = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*:\s*(.*)$", cpuinfo.read_text(encoding="utf-8"), re.MULTILINE)
        processor = found.group(1) if found else processor
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{processor}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"


def revision() -> str:
    answer = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"


def fuzz_rows(folder: Path) -> list[str]:
    """One line of Markdown per target that ran: executions and findings."""
    lines = []
    for log in sorted(folder.glob("fuzz_*.log")):
        text = log.read_text(encoding="utf-8", errors="replace")
        executed = re.search(r"stat::number_of_executed_units:\s*(\d+)", text)
        found = len(list((folder / "findings").glob(log.stem.removeprefix("fuzz_") + "-*")))
        lines.append(f"| {log.stem} | {executed.group(1) if executed else 'ended early'} | {found} |")
    return lines


def table(command: str, fuzz_folder: Path, reports: list[Path]) -> str:
    rows = table_rows(reports)
    lines = [
        "# Full test run",
        "",
        f"`{command}` on {datetime.date.today().isoformat()}, revision {revision()}, on {machine()}.",
        "Seconds are those of the tests, which partly ran side by side.",
        "",
        "| promise | build | test | cases | passed | skipped | seconds |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    lines += [f"| {promise} | {build} | {name} | {cases} | {passed} | {skipped} | {seconds:.0f} |"
              for promise, build, name, cases, passed, skipped, seconds in rows]
    total = [sum(row[i] for row in rows) for i in (3, 4, 5, 6)]
    lines.append(f"| total | | | {total[0]} | {total[1]} | {total[2]} | {total[3]:.0f} |")
    lines += ["", "| fuzz target | inputs tried | findings |", "|---|---:|---:|", *fuzz_rows(fuzz_folder)]
    return "\n".join(lines) + "\n"


def main() -> int:
    command = sys.argv[2]
    out, fuzz_folder, *reports = (Path(argument) for argument in (sys.argv[1], *sys.argv[3:]))
    text = table(command, fuzz_folder, reports)
    out.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
