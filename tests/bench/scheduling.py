#!/usr/bin/env python3
"""Efficiency of the scheduling with a null model, for 1 to 64 oversubscribed ranks, and the delay by a slow rank.

    scheduling.py BUILD/bin [--seconds 0.2] [--units-per-rank 10] [--markdown FILE]

Each initial time sleeps; ranks that wait yield. Efficiency = time slept / (ranks x (last commit - first start)), from the
times in the ranks' logs. A measurement, not a test: it decides nothing.
"""

import argparse
import datetime
import os
import pathlib
import re
import subprocess
import tempfile

LINE = re.compile(r"^(\S+) debug initial time \S+: (start|committed)$", re.MULTILINE)


def seconds_between(folder: pathlib.Path) -> float:
    """From the first start to the last commit of all ranks."""
    times = {"start": [], "committed": []}
    for log in (folder / "log").iterdir():
        for moment, event in LINE.findall(log.read_text()):
            times[event].append(datetime.datetime.fromisoformat(moment))
    return (max(times["committed"]) - min(times["start"])).total_seconds()


def run(programs: str, ranks: int, units: int, seconds: float, more: list[str]) -> float:
    with tempfile.TemporaryDirectory() as scratch:
        out = pathlib.Path(scratch) / "out"
        command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), f"{programs}/fake_hindcast", "--out",
                   str(out), "--initial-times", str(units), "--members", "2", "--leads", "1", "--sleep", str(seconds), "--set", "score.channels=2m_temperature",
                   "--set", "score.spectra=", "--set", "score.regions=global",
                   "--set", "parallel.ranks_per_init=1", *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        return seconds_between(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs")
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--units-per-rank", type=int, default=10)
    parser.add_argument("--markdown")
    options = parser.parse_args()
    os.environ.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    lines = [f"Null model, {options.seconds} s per initial time, {options.units_per_rank} initial times per rank, "
             f"{os.cpu_count()} cores.", "", "| ranks | initial times | first start to last commit [s] | efficiency |",
             "|---|---|---|---|"]
    for ranks in (1, 2, 4, 8, 16, 32, 64):
        units = ranks * options.units_per_rank
        elapsed = run(options.programs, ranks, units, options.seconds, [])
        lines.append(f"| {ranks} | {units} | {elapsed:.2f} | {100 * units * options.seconds / (ranks * elapsed):.1f} % |")
        print(lines[-1], flush=True)
    ranks, units = 4, 40
    even = run(options.programs, ranks, units, options.seconds, [])
    slow = run(options.programs, ranks, units, options.seconds, ["--slow-rank", "1", "--slow-factor", "5"])
    # Three ranks of speed 1 and one of 1/5 share the work at best.
    best = units * options.seconds / (ranks - 1 + 1 / 5)
    lines += ["", f"{ranks} ranks, {units} initial times: {even:.2f} s; with one rank 5 x slower {slow:.2f} s, "
              f"{(slow - best) / (5 * options.seconds):.2f} of its units after the best possible end ({best:.2f} s)."]
    print(lines[-1])
    if options.markdown:
        pathlib.Path(options.markdown).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
