#!/usr/bin/env python3
"""Times WeatherBench 2's own code on the arrays of `mosaic_bench scores`: run both on the same idle machine.

    time_weatherbench2.py [--members 24] [--fields 200] [--regions 4] [--repeats 3] [--json]

WeatherBench 2 is not part of this suite; install it from its public source into a Python of your own, together with what it needs:

    python3 -m venv wb2 && wb2/bin/pip install git+https://github.com/google-research/weatherbench2.git
    wb2/bin/python tests/bench/time_weatherbench2.py

Its classes CRPS (fair), CRPSSpread, EnsembleMeanMSE and EnsembleVariance of weatherbench2.metrics get one field at a time (all members on
the grid, float32, in memory), metrics outside and regions inside as in its own loop, by compute_chunk. `mosaic_bench scores` computes in
one pass all of these and also errors of single members, anomalies and ranks. One process; NumPy does none of this on several threads.

--json adds the scores of the first field, to be compared. Exit codes: 64 for bad flags, 66 where weatherbench2 cannot be imported.

Classes and arguments were compared with the public source; with the package itself this script has not been run yet, only with a
stand-in (time_weatherbench2_test.cpp).
"""

import argparse
import importlib
import json
import os
import platform
import sys
import time

REGIONS = ("global", "tropics", "extra-tropics", "northern-hemisphere")  # those of mosaic_bench, in its order
METRICS = ("CRPS", "CRPSSpread", "EnsembleMeanMSE", "EnsembleVariance")
USAGE, MISSING = 64, 66


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def natural(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = Parser(prog="time_weatherbench2.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag, default, words in (("longitudes", 240, "of the grid"), ("latitudes", 121, "of the grid, both poles among them"),
                                 ("members", 24, ""), ("fields", 200, "channels x lead times"), ("repeats", 3, "the best counts")):
        parser.add_argument(f"--{flag}", type=natural, default=default, help=f"{words} (default {default})".strip())
    parser.add_argument("--regions", type=int, choices=range(1, len(REGIONS) + 1), default=len(REGIONS), help="of " + ", ".join(REGIONS))
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args(arguments)
    if options.latitudes < 4:
        parser.error("--latitudes: at least 4")
    return options


def import_or_end():
    """weatherbench2.metrics, weatherbench2.regions; the program ends with 66 where they are not there."""
    try:
        return importlib.import_module("weatherbench2.metrics"), importlib.import_module("weatherbench2.regions")
    except ImportError as problem:
        print(f"time_weatherbench2.py: {sys.executable} cannot import weatherbench2: {problem}\n"
              "It is not part of this suite. Install it from its public source:\n"
              f"  {sys.executable} -m pip install git+https://github.com/google-research/weatherbench2.git\n"
              "or run this file with the Python that has it.", file=sys.stderr)
        raise SystemExit(MISSING) from problem


def random_field(points: int, seed: int):
    """The field of this seed that mosaic_bench makes (std::mt19937, 24 of its 32 bits): [points], float32 in [-8, 8)."""
    import numpy as np
    bits = np.frombuffer(np.random.RandomState(seed).bytes(4 * points), dtype="<u4")
    return (bits >> 8).astype(np.float32) * np.float32(2.0**-20) - np.float32(8)


def datasets(options: argparse.Namespace):
    """Truth and ensembles as mosaic_bench has them: one dataset per field, over realization, latitude, longitude."""
    import numpy as np
    import xarray as xr
    shape = (options.latitudes, options.longitudes)
    points = shape[0] * shape[1]
    axes = {"latitude": np.linspace(-90, 90, shape[0]), "longitude": np.arange(shape[1]) * (360 / shape[1])}
    truth = xr.Dataset({"field": (("latitude", "longitude"), random_field(points, 1).reshape(shape))}, coords=axes)
    forecasts = []
    for i in range(options.fields):
        seeds = range(3 + i * options.members, 3 + (i + 1) * options.members)
        members = np.stack([random_field(points, seed).reshape(shape) for seed in seeds])
        forecasts.append(xr.Dataset({"field": (("realization", "latitude", "longitude"), members)},
                                    coords={"realization": np.arange(options.members), **axes}))
    return truth, forecasts


def regions_of(module, count: int) -> dict:
    boxes = {"global": module.SliceRegion(), "tropics": module.SliceRegion(lat_slice=slice(-20, 20)),
             "extra-tropics": module.ExtraTropicalRegion(), "northern-hemisphere": module.SliceRegion(lat_slice=slice(20, 90))}
    return {name: boxes[name] for name in REGIONS[:count]}


def score(metrics: dict, regions: dict, truth, forecast) -> dict[str, dict[str, float]]:
    return {name: {region: float(metric.compute_chunk(forecast, truth, region=box)["field"]) for region, box in regions.items()}
            for name, metric in metrics.items()}


def best_times(repeats: int, body) -> tuple[float, float]:
    """Elapsed and processor seconds."""
    best = (float("inf"), float("inf"))
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        body()
        best = min(best[0], time.perf_counter() - start[0]), min(best[1], time.process_time() - start[1])
    return best


def processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def measure(options: argparse.Namespace) -> dict:
    metrics_module, regions_module = import_or_end()
    metrics = {name: getattr(metrics_module, name)(ensemble_dim="realization") for name in METRICS}
    regions = regions_of(regions_module, options.regions)
    load = os.getloadavg()[0]
    truth, forecasts = datasets(options)
    first = score(metrics, regions, truth, forecasts[0])  # what is imported or cached late is not timed

    def all_fields(chosen):
        for forecast in forecasts:
            score(chosen, regions, truth, forecast)

    seconds, processor_seconds = best_times(options.repeats, lambda: all_fields(metrics))
    alone = {name: best_times(options.repeats, lambda: all_fields({name: metric}))[0] for name, metric in metrics.items()}
    per_member = 1e6 / options.fields / options.members
    return {**{key: value for key, value in vars(options).items() if key != "json"}, "processor": processor(), "load": load,
            "seconds": seconds, "processor_seconds": processor_seconds, "microseconds_per_member": per_member * seconds,
            "microseconds_per_member_of": {name: per_member * value for name, value in alone.items()},
            "scores_of_first_field": first}


def table(report: dict) -> str:
    lines = [f"# WeatherBench 2: {report['fields']} fields of {report['members']} members on {report['longitudes']} x "
             f"{report['latitudes']}, {report['regions']} regions, one process", "",
             f"{report['processor']}, load average {report['load']:.2f} at the start; best of {report['repeats']}", ""]
    rows = [("quantity", "value"), None, ("all fields", f"{report['seconds']:.3f} s"),
            ("all fields, processor time", f"{report['processor_seconds']:.3f} s"),
            ("per member and field", f"{report['microseconds_per_member']:.1f} us")]
    rows += [(f"per member and field, {name} alone", f"{value:.1f} us")
             for name, value in report["microseconds_per_member_of"].items()]
    lines += [f"| {row[0]:<52} | {row[1]:>18} |" if row else f"|{'-' * 54}|{'-' * 20}|" for row in rows]
    return "\n".join(lines)


def main() -> None:
    options = parse(sys.argv[1:])
    report = measure(options)
    print(json.dumps(report, indent=2) if options.json else table(report))


if __name__ == "__main__":
    main()
