"""The same instants are encoded alike in whatever time zone and container they come."""

import datetime
import pickle
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skextra.preprocessing import RotaryEncoder, SinusoidalEncoder

# The last Sunday of October: 2:30 in Berlin comes twice.
INSTANTS = pd.date_range("2024-10-26 12:00", periods=30, freq="1h", tz="UTC")


def to_pandas(zone):
    return pd.DataFrame({"t": INSTANTS.tz_convert(zone)})


def to_arrow(zone):
    dtype = f"timestamp[ns, tz={zone}][pyarrow]"
    return pd.DataFrame({"t": pd.Series(INSTANTS.tz_convert(zone)).astype(dtype)})


def to_polars(zone):
    frame = pl.DataFrame({"t": INSTANTS.tz_localize(None).to_numpy()})
    utc = pl.col("t").dt.replace_time_zone("UTC")
    return frame.with_columns(utc.dt.convert_time_zone(zone))


def to_objects(zone):
    return [[t.to_pydatetime().astimezone(ZoneInfo(zone))] for t in INSTANTS]


def to_object_frame(zone):
    values = [row[0] for row in to_objects(zone)]
    return pd.DataFrame({"t": pd.Series(values, dtype=object)})


CONTAINERS = [to_pandas, to_arrow, to_polars, to_objects, to_object_frame]
each_container = pytest.mark.parametrize("container", CONTAINERS)


@each_container
@pytest.mark.parametrize("fitted_on", CONTAINERS)
@pytest.mark.filterwarnings("ignore:X has feature names", "ignore:X does not have valid feature")
def test_other_zone_and_container_than_in_fit(container, fitted_on):
    encoder = SinusoidalEncoder(periods=["day", "week"]).fit(fitted_on("Europe/Berlin"))
    wall = pd.DataFrame({"t": INSTANTS.tz_convert("Europe/Berlin").tz_localize(None)})
    expected = SinusoidalEncoder(periods=["day", "week"]).fit_transform(wall)
    encoder = pickle.loads(pickle.dumps(encoder))
    for zone in ("Europe/Berlin", "UTC", "Asia/Kolkata"):
        np.testing.assert_array_equal(encoder.transform(container(zone)), expected)
    restored = encoder.inverse_transform(encoder.transform(container("UTC")))
    np.testing.assert_array_equal(restored[:, 0], wall["t"].to_numpy().astype("M8[us]"))


def test_zones_without_a_name():
    plus_two = datetime.timezone(datetime.timedelta(hours=2))
    shifted = [[t.to_pydatetime().astimezone(plus_two)] for t in INSTANTS]
    encoder = SinusoidalEncoder(periods="day").fit(shifted)
    expected = encoder.transform(shifted)
    np.testing.assert_array_equal(encoder.transform(to_objects("America/Lima")), expected)
    frame = pd.DataFrame({"t": INSTANTS.tz_convert(plus_two)})
    fitted = SinusoidalEncoder(periods="day").fit(frame)
    np.testing.assert_array_equal(fitted.transform(frame), expected)
    np.testing.assert_array_equal(fitted.transform(to_pandas("UTC")), expected)
    fitted = pickle.loads(pickle.dumps(fitted)).set_params()
    np.testing.assert_array_equal(fitted.transform(to_pandas("UTC")), expected)
    with pytest.raises(ValueError, match="cannot be converted to UTC[+]02:00"):
        fitted.transform(to_polars("UTC"))


@each_container
@pytest.mark.filterwarnings("ignore:X has feature names", "ignore:X does not have valid feature")
def test_dates_with_and_without_zone_do_not_mix(container):
    naive = pd.DataFrame({"t": INSTANTS.tz_localize(None)})
    encoder = SinusoidalEncoder(periods="day").fit(naive)
    with pytest.raises(ValueError, match="the time zone .* in feature 0.* dates without one"):
        encoder.transform(container("Europe/Berlin"))
    encoder.fit(container("Europe/Berlin"))
    with pytest.raises(ValueError, match="no time zone in feature 0.*Europe/Berlin"):
        encoder.transform(naive)
    with pytest.raises(ValueError, match="with and without a time zone"):
        encoder.fit([[datetime.datetime(2024, 1, 1)], [INSTANTS[0].to_pydatetime()]])


@pytest.mark.filterwarnings("ignore:X has feature names")
def test_rotary_encoder_takes_other_zones():
    features = {"a": np.arange(30.0), "b": np.ones(30)}
    encoder = RotaryEncoder(columns="t", unit="h").fit(
        to_pandas("Europe/Berlin").assign(**features)
    )
    expected = encoder.transform(to_pandas("Europe/Berlin").assign(**features))
    other = to_pandas("US/Pacific").assign(**features)
    np.testing.assert_array_equal(encoder.transform(other), expected)
    with pytest.raises(ValueError, match="no time zone in feature 0"):
        encoder.transform(other.assign(t=other["t"].dt.tz_localize(None)))


@each_container
def test_origin_with_a_zone_of_its_own(container):
    X = container("Europe/Berlin")
    origin = pd.Timestamp("2024-10-26 12:00", tz="UTC")
    expected = SinusoidalEncoder(periods=[7.0], unit="h", origin="2024-10-26 14:00").fit_transform(
        X
    )
    for value in (origin, origin.to_pydatetime(), origin.tz_convert("Asia/Tokyo")):
        encoder = SinusoidalEncoder(periods=[7.0], unit="h", origin=value)
        np.testing.assert_array_equal(encoder.fit_transform(X), expected)
    naive = pd.DataFrame({"t": INSTANTS.tz_localize(None)})
    with pytest.raises(ValueError, match="origin has a time zone"):
        SinusoidalEncoder(periods="day", origin=origin).fit(naive)


def test_missing_dates_in_another_zone():
    X = to_pandas("Europe/Berlin")
    X.loc[3, "t"] = pd.NaT
    encoder = SinusoidalEncoder(periods="day", handle_missing="zero").fit(X)
    other = X.assign(t=X["t"].dt.tz_convert("UTC"))
    np.testing.assert_array_equal(encoder.transform(other), encoder.transform(X))
    objects = [[None if pd.isna(t) else t.to_pydatetime()] for t in other["t"]]
    fitted = SinusoidalEncoder(periods="day", handle_missing="zero").fit(X.to_numpy(dtype=object))
    np.testing.assert_array_equal(fitted.transform(objects), encoder.transform(X))
