"""What stands out in a user's table before anything is fitted to it."""

import numpy as np

from skextra._compare._encoding import guess_kind
from skextra._compare._tables import split_target
from skextra._compare._targets import guess_tasks, target_values

_MOST_NAMED = 5
_SAMPLE = 2000  # rows from which a column that gives the target away is found
_TELLTALE = 0.98  # share of the errors of a constant that a single column avoids


def diagnose(frame, target, name):
    """Describe a table in a few lines: types, missing values, classes, suspects of leakage.

    Parameters
    ----------
    frame : pandas.DataFrame
    target : str
        Name of the column to predict.
    name : str
        How the table is called.

    Returns
    -------
    lines : list of str
    """
    X, y = split_target(frame, target)
    values = target_values(y)
    is_class = "classification" in guess_tasks(values)[0]
    lines = [f"{name}: {len(X):,} rows, {X.shape[1]} columns and the target {str(target)!r}"]
    lines.append(f"  {_describe_target(y, is_class)}")
    kinds = {}
    for position in range(X.shape[1]):
        column = X.iloc[:, position]
        kinds.setdefault(guess_kind(column), []).append(str(column.name))
    lines += [f"  {len(names)} {kind}: {_shorten(names)}" for kind, names in kinds.items()]
    missing = X.isna().mean().sort_values(ascending=False)
    gaps = [f"{column} {share:.1%}" for column, share in missing.items() if share > 0]
    lines.append(f"  missing values: {_shorten(gaps) if gaps else 'none'}")
    for column, how in frame.attrs.get("numbers", {}).items():
        if column in {*map(str, X.columns), str(target)}:
            lines.append(f"  {column!r} is read as numbers: {how}")
    return lines + [f"  {line}" for line in _find_suspects(X, y, is_class)]


def _shorten(names):
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _describe_target(y, is_class):
    present = y.dropna()
    if not is_class:
        if present.dtype.kind not in "biuf":
            return "the target holds neither numbers nor classes"
        low, middle, high = np.quantile(present.astype(float), [0, 0.5, 1])
        return f"a number: {low:g} to {high:g}, median {middle:g}"
    shares = present.value_counts(normalize=True)
    listed = _shorten([f"{label} {share:.1%}" for label, share in shares.items()])
    guess = f"accuracy of always guessing {shares.index[0]}: {shares.iloc[0]:.3f}"
    return f"{len(shares)} classes: {listed}; {guess}"


def _find_suspects(X, y, is_class):
    for position in range(X.shape[1]):
        column = X.iloc[:, position]
        if _is_identifier(column):
            yield (
                f"{column.name!r} differs in every row: an identifier? "
                f"Leave it out with --drop {column.name!r}"
            )
        elif _gives_away(column, y, is_class):
            yield (
                f"{column.name!r} alone predicts the target: is it known beforehand? "
                f"If not, --drop {column.name!r}"
            )


def _is_identifier(column):
    present = column.dropna()
    if len(present) < 20 or present.dtype.kind == "f" or present.nunique() < len(present):
        return False
    if present.dtype.kind not in "iu":
        return guess_kind(column) not in ("numbers", "dates")
    # Counted through, or almost.
    return int(present.max()) - int(present.min()) < 2 * len(present)


def _gives_away(column, y, is_class):
    """Whether a small tree on this column alone leaves almost no error, in cross-validation."""
    from sklearn.model_selection import cross_val_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    both = column.notna() & y.notna()
    column, y = column[both], y[both]
    if len(column) > _SAMPLE:
        kept = np.random.RandomState(0).permutation(len(column))[:_SAMPLE]
        column, y = column.iloc[kept], y.iloc[kept]
    if len(column) < 20 or y.nunique() < 2 or y.value_counts().min() < 3 and is_class:
        return False
    if column.dtype.kind in "biuf":
        values = np.clip(column.astype(float).to_numpy(), -1e30, 1e30)[:, None]
    else:
        labels, codes = np.unique(column.astype(str), return_inverse=True)
        if len(labels) > 30:
            return False
        values = (codes[:, None] == np.arange(len(labels))).astype(float)
    if is_class:
        tree, goal = DecisionTreeClassifier(max_leaf_nodes=16), y.astype(str)
        constant = goal.value_counts(normalize=True).iloc[0]
    elif y.dtype.kind in "biuf":
        tree, goal, constant = DecisionTreeRegressor(max_leaf_nodes=64), y.astype(float), 0.0
    else:
        return False
    tree.set_params(random_state=0)
    score = cross_val_score(tree, values, goal, cv=3).mean()
    return (score - constant) / (1 - constant) > _TELLTALE
