"""What the command says of a table before it runs."""

import numpy as np
import pandas as pd

from skextra._compare._diagnosis import diagnose


def make_frame(n=200):
    rng = np.random.RandomState(0)
    x, label = rng.normal(size=n), rng.rand(n) < 0.1
    return pd.DataFrame(
        {
            "id": np.arange(n) + 1000,
            "key": [f"row {i}" for i in range(n)],
            "x": np.where(rng.rand(n) < 0.25, np.nan, x),
            "color": rng.choice(["red", "green"], n),
            "day": pd.date_range("2020-01-01", periods=n).astype(str),
            "paid": np.where(label, "yes", "no"),
            "label": np.where(label, "bad", "good"),
            "amount": 3 * x + 1 + 0.1 * rng.normal(size=n),
        }
    )


def test_types_gaps_classes_and_suspects():
    frame = make_frame()
    lines = "\n".join(diagnose(frame, "label", "t.csv"))
    share = (frame["label"] == "good").mean()
    assert "t.csv: 200 rows, 7 columns and the target 'label'" in lines
    assert f"2 classes: good {share:.1%}" in lines
    assert f"accuracy of always guessing good: {share:.3f}" in lines
    assert "3 numbers: id, x, amount" in lines and "1 dates: day" in lines
    assert "1 free text: key" in lines and "2 categories: color, paid" in lines
    assert f"missing values: x {frame['x'].isna().mean():.1%}" in lines
    suspects = [line.split("'")[1] for line in lines.splitlines() if "--drop" in line]
    assert suspects == ["id", "key", "paid"]


def test_a_number_and_nothing_suspicious():
    frame = make_frame()[["x", "color", "amount"]].assign(x=0.0)
    lines = diagnose(frame, "amount", "t.csv")
    assert lines[1].startswith("  a number: ") and not any("--drop" in line for line in lines)
