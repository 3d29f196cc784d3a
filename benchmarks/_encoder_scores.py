"""One linear model, several encoders of time and place: scores on real data."""

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    SplineTransformer,
    StandardScaler,
)

from benchmarks._data import find_file

_ALPHAS = np.logspace(-4, 4, 9)
_WEATHER = ["tmax", "pn"]
_PLACE = ["Latitude", "Longitude"]


def load_bikes():
    """The last four years of hourly counts: time and weather, and log(1 + count)."""
    import pandas as pd

    frame = pd.read_csv(find_file("bikeshare_hourly.csv.gz"), parse_dates=["ts"])
    frame = frame.dropna(subset=["count", *_WEATHER]).iloc[-4 * 8766 :]
    X = frame[["ts", *_WEATHER]].rename(columns={"ts": "time"})
    return X, np.log1p(frame["count"].to_numpy())


def load_houses():
    """California's blocks: where they are and what they are like, and the log price."""
    import pandas as pd

    X = pd.read_csv(find_file("california_housing.csv.gz"))
    y = np.log(X.pop("MedHouseVal").to_numpy())
    skewed = ["MedInc", "AveRooms", "AveBedrms", "Population", "AveOccup"]
    X[skewed] = np.log(X[skewed])
    return X, y


def split_time(X):
    """Hour, weekday, month, hour of the week and day of the year."""
    import pandas as pd

    t = X["time"].dt
    return pd.DataFrame(
        {
            "hour": t.hour,
            "weekday": t.day_of_week,
            "month": t.month,
            "week": 24 * t.day_of_week + t.hour,
            "year": t.day_of_year,
        }
    ).astype(float)


def make_periodic_splines(period, n):
    """scikit-learn's recipe: cubic splines that join at the ends of the period."""
    knots = np.linspace(0, period, n + 1)[:, None]
    return SplineTransformer(knots=knots, extrapolation="periodic")


def list_time_encoders():
    """Name -> encoder of the column ``time``; peers that are installed among them."""
    from skextra.preprocessing import SinusoidalEncoder

    split = FunctionTransformer(split_time)
    encoders = {
        "skextra, week (42 harmonics) and year (3)": make_column_transformer(
            (SinusoidalEncoder(periods="week", n_harmonics=42), ["time"]),
            (SinusoidalEncoder(periods="year", n_harmonics=3), ["time"]),
        ),
        "periodic splines of week (84) and year (6)": make_pipeline(
            split,
            make_column_transformer(
                (make_periodic_splines(168, 84), ["week"]),
                (make_periodic_splines(366, 6), ["year"]),
            ),
        ),
        "periodic splines of hour, weekday, year": make_pipeline(
            split,
            make_column_transformer(
                (make_periodic_splines(24, 12), ["hour"]),
                (make_periodic_splines(7, 6), ["weekday"]),
                (make_periodic_splines(366, 6), ["year"]),
            ),
        ),
        "one-hot hour, weekday, month": make_pipeline(
            split,
            make_column_transformer(
                (OneHotEncoder(handle_unknown="ignore"), ["hour", "weekday", "month"])
            ),
        ),
        "hour, weekday, month as numbers": make_pipeline(
            split, make_column_transformer(("passthrough", ["hour", "weekday", "month"]))
        ),
    }
    return encoders | _list_peers(split)


def _list_peers(split):
    peers = {}
    try:
        from skrub import DatetimeEncoder
    except ImportError:
        pass
    else:
        for kind in ("circular", "spline"):
            encoder = DatetimeEncoder(
                resolution="hour", add_weekday=True, add_total_seconds=False,
                add_day_of_year=True, periodic_encoding=kind,
            )  # fmt: skip
            peers[f"skrub DatetimeEncoder, {kind}"] = make_column_transformer((encoder, "time"))
    try:
        from feature_engine.creation import CyclicalFeatures
    except ImportError:
        pass
    else:
        cycles = CyclicalFeatures(variables=["hour", "weekday", "month"], drop_original=True)
        peers["feature-engine CyclicalFeatures"] = make_pipeline(split, cycles)
    return peers


def list_place_encoders():
    """Name -> encoder of latitude and longitude."""
    from skextra.preprocessing import SinusoidalEncoder

    sampler = RBFSampler(gamma=1.0, n_components=200, random_state=0)
    return {
        "skextra, 12 degrees and 10 harmonics": SinusoidalEncoder(periods=12.0, n_harmonics=10),
        "SplineTransformer(n_knots=17)": SplineTransformer(n_knots=17),
        "RBFSampler(n_components=200)": sampler,
        "numbers": StandardScaler(),
    }


def score(encoder, columns, others, X, y, folds):
    """Mean and spread of R2, and how many columns the encoder makes."""
    before = make_column_transformer((encoder, columns), (StandardScaler(), others))
    scores = cross_val_score(
        make_pipeline(before, RidgeCV(_ALPHAS)), X, y, cv=folds, error_score="raise"
    )
    width = before.fit_transform(X.iloc[:5000]).shape[1] - len(others)
    return scores.mean(), scores.std(), width


def run_scores():
    """Print R2 of ridge regression for each encoder."""
    for title, load, encoders, columns, folds in (
        ("hourly bike counts, later folds", load_bikes, list_time_encoders, ["time"],
         TimeSeriesSplit(4)),
        ("house prices in California", load_houses, list_place_encoders, _PLACE,
         KFold(5, shuffle=True, random_state=0)),
    ):  # fmt: skip
        X, y = load()
        others = [name for name in X if name not in columns]
        print(f"\n{title}: {X.shape[0]:,} rows, RidgeCV, R2 over {folds.get_n_splits()} folds")
        for name, encoder in encoders().items():
            mean, spread, width = score(encoder, columns, others, X, y, folds)
            print(f"  {name:45} {mean:.3f} +- {spread:.3f}  {width:4d} columns", flush=True)
