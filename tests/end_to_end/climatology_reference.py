"""Checks a climatology of mosaic_data against the recipe in terms of xarray's weighted statistics.

    climatology_reference.py INPUT.nc OUTPUT.zarr WINDOW

Ends with 1 and the largest differences if any is beyond what float32 results allow.
"""

import sys

import numpy as np
import xarray as xr

DRY = {"total_precipitation_24hr": 0.25e-3, "total_precipitation_6hr": 0.1e-3}


def stacked_years(states: xr.DataArray) -> xr.DataArray:
    """(year, dayofyear, ...) of one hour of the day; dayofyear 366 of a year without it is its 365."""
    years = []
    for year in np.unique(states.time.dt.year):
        one = states.sel(time=str(year))
        one = one.assign_coords(time=one.time.dt.dayofyear.values).rename(time="dayofyear")
        leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
        one = one.reindex(dayofyear=np.arange(1, 367))
        if not leap:
            one = xr.where(one.dayofyear == 366, one.sel(dayofyear=365), one)
        years.append(one.transpose("dayofyear", ...).assign_coords(dayofyear=np.arange(1, 367)))
    return xr.concat(years, dim="year")


def window_of(stacked: xr.DataArray, width: int) -> xr.DataArray:
    """Adds the dimension window: the days around each day of the periodic year."""
    half = width // 2
    shifted = [stacked.roll(dayofyear=-shift, roll_coords=False) for shift in range(-half, half + 1)]
    return xr.concat(shifted, dim="window")


def weights_of(width: int) -> xr.DataArray:
    rising = np.linspace(0, 1, width // 2 + 1)
    weights = np.concatenate([rising, rising[::-1][1:]])
    return xr.DataArray(weights / weights.mean(), dims=["window"])


def expected(states: xr.DataArray, width: int, quantiles) -> dict:
    samples = window_of(stacked_years(states.astype("f8")), width)
    dims = ["window", "year"]
    weighted = samples.weighted(weights_of(width))
    results = {"": weighted.mean(dims), "_std": weighted.std(dims)}
    results["_quantile"] = weighted.quantile(quantiles, dim=dims)
    if states.name in DRY:
        limit = float(np.float32(DRY[states.name]))
        wet = samples.where(~(samples < limit))
        threshold = wet.weighted(weights_of(width)).quantile(2 / 3, dim=dims)
        results["_seeps_threshold"] = threshold.drop_vars("quantile")
        results["_seeps_dry_fraction"] = (samples < limit).sum(dims) / samples.notnull().sum(dims)
    return results


def main() -> int:
    source = xr.open_dataset(sys.argv[1]).load()
    made = xr.open_zarr(sys.argv[2]).load()
    worst = {}
    names = [name for name in source.data_vars if "time" in source[name].dims]
    assert list(made.dayofyear.values) == list(range(1, 367)), made.dayofyear
    for name in names:
        for hour in made.hour.values:
            states = source[name].isel(time=source.time.dt.hour.values == hour)
            for suffix, truth in expected(states, int(sys.argv[3]), made["quantile"].values).items():
                ours = made[name + suffix].sel(hour=hour).transpose(*truth.dims)
                assert ours.dtype == np.float32
                same = np.isnan(ours.values) == np.isnan(truth.values)
                assert same.all(), f"{name}{suffix}: NaN in other places"
                scale = 1.0 if suffix.endswith("fraction") else float(np.nanmax(np.abs(states.values)))
                error = float(np.nanmax(np.abs(ours.values - truth.values))) / scale
                worst[name + suffix] = max(worst.get(name + suffix, 0.0), error)
    print(worst)
    # Both come from doubles; ours are rounded to float32: half a step of the largest value.
    return int(not worst or max(worst.values()) > 2.0**-24)


if __name__ == "__main__":
    sys.exit(main())
