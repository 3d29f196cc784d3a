"""
Hours, weeks and years as sines
===============================

How many bicycles are on the road depends on the hour, the weekday and the season. A linear model
can learn that from a timestamp, if the timestamp is encoded. Here are hourly counts of four years,
ridge regression, and several encodings; every fold is later than what the model was trained on.
"""

# %%
# The data is the hourly count of a bike-sharing system with the day's weather. Where the file is
# not on this machine, a simulation with the same calendar stands in, so that the page can be built
# anywhere.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from benchmarks._data import find_file
from skextra.preprocessing import RotaryEncoder, SinusoidalEncoder


def simulate():
    rng = np.random.default_rng(0)
    time = pd.Series(pd.date_range("2015-01-01", periods=4 * 8766, freq="h"))
    hour, working = time.dt.hour, time.dt.day_of_week < 5
    commute = np.exp(-((hour - 8) ** 2) / 4) + np.exp(-((hour - 17.5) ** 2) / 6)
    leisure = np.exp(-((hour - 14) ** 2) / 20)
    season = np.cos(2 * np.pi * (time.dt.day_of_year - 200) / 365.25)
    tmax = 17 + 11 * season + 4 * rng.standard_normal(len(time))
    level = 3 + 2 * np.where(working, commute, leisure) + 0.5 * season + 0.02 * tmax
    count = np.expm1(level + 0.3 * rng.standard_normal(len(time)))
    return pd.DataFrame({"ts": time, "tmax": tmax, "pn": 0.0, "count": count.clip(0)})


path = find_file("bikeshare_hourly.csv.gz")
data = simulate() if path is None else pd.read_csv(path, parse_dates=["ts"])
data = data.dropna(subset=["count", "tmax", "pn"]).iloc[-4 * 8766 :]
X = data[["ts", "tmax", "pn"]].rename(columns={"ts": "time"})
y = np.log1p(data["count"].to_numpy())

# %%
# A period and its harmonics represent any periodic curve. The week's 42 harmonics, 84 columns, are
# half as many as its hours; three represent the year. Nothing has to be extracted from the
# timestamp first, and hour 23 of Sunday is close to hour 0 of Monday.

calendar = make_column_transformer(
    (SinusoidalEncoder(periods="week", n_harmonics=42), ["time"]),
    (SinusoidalEncoder(periods="year", n_harmonics=3), ["time"]),
)


def split_time(X):
    t = X["time"].dt
    return pd.DataFrame({"hour": t.hour, "weekday": t.day_of_week, "month": t.month})


split = FunctionTransformer(split_time)
one_hot = make_pipeline(split, OneHotEncoder(handle_unknown="ignore"))
numbers = make_pipeline(split, StandardScaler())

# %%
# Warmth matters more at some hours than at others. `RotaryEncoder` rotates a feature by the time of
# day: it turns the pair (feature, 0) into (feature times cosine, feature times sine), so that a
# linear model has coefficients that vary with the time of day.

N_HARMONICS = 4


def make_pairs(X):
    features = np.column_stack([(X["tmax"] - 15) / 10, np.log1p(X["pn"])])
    pairs = np.zeros((len(X), N_HARMONICS, 2, 2))
    pairs[..., 0] = features[:, None]
    return pd.DataFrame(pairs.reshape(len(X), -1)).add_prefix("w").assign(time=X["time"].array)


frequencies = np.repeat(2 * np.pi * np.arange(1, N_HARMONICS + 1) / 86400, 2)
weather_by_hour = make_pipeline(
    FunctionTransformer(make_pairs), RotaryEncoder("time", frequencies=frequencies)
)
encoders = {
    "hour, weekday, month": [(numbers, ["time"])],
    "the same, one-hot": [(one_hot, ["time"])],
    "sines of week and year": [(calendar, ["time"])],
    "and weather that turns\nwith the clock": [
        (calendar, ["time"]),
        (weather_by_hour, ["time", "tmax", "pn"]),
    ],
}
folds, scores = TimeSeriesSplit(4), {}
for name, encoder in encoders.items():
    columns = make_column_transformer(*encoder, (StandardScaler(), ["tmax", "pn"]))
    model = make_pipeline(columns, RidgeCV(np.logspace(-2, 4, 7)))
    scores[name] = cross_val_score(model, X, y, cv=folds)
    print(f"{' '.join(name.split()):45} R2 {scores[name].mean():.3f}")

# %%
fig, ax = plt.subplots(layout="constrained")
ax.boxplot(list(scores.values()), orientation="horizontal", tick_labels=list(scores))
ax.set_xlabel("R2 on later data, four folds")
plt.show()

# %%
# The kernel shows what such a model considers similar: a linear model on the encoding is a kernel
# machine with this function of the time between two rows.

encoder = SinusoidalEncoder(periods="week", n_harmonics=42).fit(X[["time"]])
hours = np.linspace(0, 14 * 24, 2000)
fig, ax = plt.subplots(layout="constrained")
ax.plot(hours / 24, encoder.kernel(3600 * hours))
ax.set(xlabel="days apart", ylabel="kernel")
plt.show()
