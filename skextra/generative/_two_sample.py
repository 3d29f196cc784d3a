"""How far generated rows are from real ones: a test, coverage, usefulness, copies."""

from dataclasses import dataclass, fields
from numbers import Integral

import numpy as np
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state

from skextra.ensemble import RandomForestClassifier, RandomForestRegressor
from skextra.generative._columns import find_column, read_tables

_N_FOLDS = 5
_FOREST = {"n_estimators": 100, "min_samples_leaf": 5}
# A copy is closer to its training row than this share of that row's distance to the next.
_COPY = 0.1


@dataclass(frozen=True)
class TwoSampleReport:
    """What :func:`two_sample_report` found; see there.

    Parameters
    ----------
    auc : float
        Area under the ROC curve of a classifier that tells real rows from generated ones; 0.5 if
        it cannot.
    auc_standard_error : float
        Of `auc`.
    precision : float
        Share of generated rows among real ones.
    recall : float
        Share of real rows among generated ones.
    near_copies : float
        Share of generated rows that nearly repeat a real one.
    near_copies_expected : float
        The same for real rows against other real ones.
    score_real, score_generated : float or None
        Score on held-out real rows of a model trained on real and on generated rows; None
        without a target.
    features : str
        What distances are measured between.

    See Also
    --------
    two_sample_report : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.generative import two_sample_report
    >>> random = np.random.default_rng(0)
    >>> real, generated = random.normal(size=(2, 200, 3))
    >>> report = two_sample_report(real, generated, random_state=0)
    >>> bool(abs(report.auc - 0.5) < 0.15)
    True
    """

    auc: float
    auc_standard_error: float
    precision: float
    recall: float
    near_copies: float
    near_copies_expected: float
    score_real: float | None
    score_generated: float | None
    features: str

    def to_dict(self):
        """All numbers by name.

        Returns
        -------
        numbers : dict
            Ready for a row of a table.
        """
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __repr__(self):
        rows = [
            ("classifier's AUC", f"{self.auc:.3f} +- {self.auc_standard_error:.3f}",
             "0.5: not told apart"),
            ("precision, recall", f"{self.precision:.3f}, {self.recall:.3f}",
             "generated rows among real ones, and the reverse"),
            ("near copies", f"{self.near_copies:.3f}",
             f"real rows of other real rows: {self.near_copies_expected:.3f}"),
        ]  # fmt: skip
        if self.score_real is not None:
            note = f"on as many real rows: {self.score_real:.3f}"
            rows.append(("trained on generated", f"{self.score_generated:.3f}", note))
        lines = [f"  {name:<22}{value:<18}({note})" for name, value, note in rows]
        return "\n".join(
            ["Generated rows beside real ones", *lines, f"  distances between {self.features}"]
        )


def two_sample_report(
    real,
    generated,
    *,
    target=None,
    categorical_features="from_dtype",
    n_neighbors=3,
    n_jobs=None,
    random_state=None,
):
    """Compare generated rows with real ones in four ways.

    Give rows that the generator has not seen as `real` to see how well it generalizes, its
    training rows to see whether it copies them.

    Parameters
    ----------
    real : array-like or data frame of shape (n_real, n_features)
        Real rows.
    generated : array-like or data frame of shape (n_generated, n_features)
        Generated rows, with the same columns.
    target : str or int, default=None
        Column that a model is trained to predict, from generated rows and from real ones.
    categorical_features : 'from_dtype', None, or array-like of bool, int or str, \
            default='from_dtype'
        Columns of categories, as in :class:`DensityForest`.
    n_neighbors : int, default=3
        Size of the neighborhoods in `precision` and `recall`.
    n_jobs : int, default=None
        Number of threads.
    random_state : int, RandomState instance or None, default=None
        Seed of forests and folds.

    Returns
    -------
    report : TwoSampleReport
        Its fields are explained in the notes; its `repr` is a table.

    Raises
    ------
    ValueError
        If the columns differ, `target` is not among them, or there are fewer than 10 rows.

    Notes
    -----
    **Classifier two-sample test** [1]_. As many real rows as generated ones; a random forest on
    the columns as they are; the area under its ROC curve on held-out rows, in five folds. The
    standard error is that of Hanley and McNeil for the pooled folds.

    **Precision and recall** [2]_. A generated row counts as covered if it is within the distance
    of some real row to its `n_neighbors`-th neighbor among the real rows; recall is the same
    with the roles exchanged. Distances are Euclidean, between numbers in standard deviations of
    the real rows and indicators of categories divided by the root of 2; missing numbers are at
    the mean.

    **Near copies.** Generated rows whose nearest real row is closer than a tenth of that row's
    distance to the next real row. Independent rows do that at the rate `near_copies_expected`,
    which is measured between halves of the real rows.

    **Trained on generated, tested on real**. A random forest predicts `target` from the other
    columns; accuracy for categories, R2 for numbers, on a third of the real rows. It is trained
    on the other real rows, and on as many generated ones.

    References
    ----------
    .. [1] Lopez-Paz & Oquab, "Revisiting classifier two-sample tests", ICLR 2017.
    .. [2] Kynkäänniemi, Karras, Laine, Lehtinen & Aila, "Improved precision and recall metric for
       assessing generative models", NeurIPS 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.generative import two_sample_report
    >>> random = np.random.default_rng(0)
    >>> real = random.normal(size=(300, 2)) @ [[1.0, 0.9], [0.0, 0.4]]
    >>> independent = random.normal(size=(300, 2))
    >>> two_sample_report(real, independent, random_state=0).auc > 0.65
    True
    """
    if not isinstance(n_neighbors, Integral) or n_neighbors < 1:
        raise ValueError(f"n_neighbors must be a positive integer, got {n_neighbors!r}")
    table, real, generated = read_tables(real, generated, categorical_features)
    least = max(10, 2 * n_neighbors + 2)
    if min(len(real), len(generated)) < least:
        raise ValueError(
            f"at least {least} rows are needed of either kind, got {len(real)} real and "
            f"{len(generated)} generated"
        )
    random = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
    real, generated = random.permutation(real), random.permutation(generated)
    n_rows, seed = min(len(real), len(generated)), int(random.integers(2**31))
    auc, error = _compute_auc(real[:n_rows], generated[:n_rows], seed, n_jobs)
    features = make_features(real, table.n_categories)
    points, others = features(real[:n_rows]), features(generated[:n_rows])
    scores = None, None
    if target is not None:
        labels = [column.label for column in table.columns]
        j = find_column(target, labels, "target")
        scores = _compare_models(real, generated, j, bool(table.n_categories[j]), seed, n_jobs)
    half = len(real) // 2
    return TwoSampleReport(
        auc=auc,
        auc_standard_error=error,
        precision=_compute_coverage(points, others, n_neighbors, n_jobs),
        recall=_compute_coverage(others, points, n_neighbors, n_jobs),
        near_copies=_count_copies(features(real), features(generated), n_jobs),
        near_copies_expected=_count_copies(features(real[:half]), features(real[half:]), n_jobs),
        score_real=scores[0],
        score_generated=scores[1],
        features="columns in standard deviations, and indicators of categories",
    )


def make_features(real, n_categories):
    """Function that maps rows to points: standardized numbers, indicators of categories."""
    numbers = np.flatnonzero(np.asarray(n_categories) == 0)
    known = ~np.isnan(real[:, numbers])
    counts = np.maximum(known.sum(axis=0), 1)
    means = np.where(known, real[:, numbers], 0.0).sum(axis=0) / counts
    squares = np.where(known, real[:, numbers] - means, 0.0) ** 2
    scales = np.sqrt(squares.sum(axis=0) / counts)
    scales[scales == 0] = 1.0

    def apply(rows):
        parts = [np.nan_to_num((rows[:, numbers] - means) / scales)]
        for j in np.flatnonzero(n_categories):
            indicators = rows[:, [j]] == np.arange(n_categories[j])
            parts.append(indicators / np.sqrt(2.0))
        return np.hstack(parts)

    return apply


def _compute_auc(real, generated, seed, n_jobs):
    """Held-out area under the ROC curve, and its standard error."""
    rows, is_real = np.concatenate([real, generated]), np.repeat([1, 0], len(real))
    scores = np.empty(len(rows))
    folds = StratifiedKFold(_N_FOLDS, shuffle=True, random_state=seed)
    # Larger leaves for more rows: the forest is to estimate probabilities.
    parameters = {**_FOREST, "min_samples_leaf": max(5, int(np.sqrt(len(rows)) / 3))}
    for train, test in folds.split(rows, is_real):
        forest = RandomForestClassifier(**parameters, random_state=seed, n_jobs=n_jobs)
        scores[test] = forest.fit(rows[train], is_real[train]).predict_proba(rows[test])[:, 1]
    auc, n = float(roc_auc_score(is_real, scores)), len(real)
    # Hanley & McNeil, Radiology 143 (1982), with as many of either kind.
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = (auc * (1 - auc) + (n - 1) * (first + second - 2 * auc**2)) / n**2
    return auc, float(np.sqrt(variance))


def _compute_coverage(points, others, n_neighbors, n_jobs):
    """Share of `others` within the neighborhood of some of the `points`."""
    index = NearestNeighbors(n_neighbors=n_neighbors + 1, n_jobs=n_jobs).fit(points)
    radii = index.kneighbors(points)[0][:, -1]
    covered = 0
    for start in range(0, len(others), 512):
        block = others[start : start + 512]
        squares = (block**2).sum(axis=1)[:, None] + (points**2).sum(axis=1) - 2 * block @ points.T
        covered += (squares <= radii**2).any(axis=1).sum()
    return float(covered / len(others))


def _count_copies(points, others, n_jobs):
    """Share of `others` that nearly repeat a point."""
    index = NearestNeighbors(n_neighbors=2, n_jobs=n_jobs).fit(points)
    distances, nearest = index.kneighbors(others, n_neighbors=1)
    gaps = index.kneighbors(points)[0][:, 1]
    return float(np.mean(distances[:, 0] < _COPY * gaps[nearest[:, 0]]))


def _compare_models(real, generated, j, is_category, seed, n_jobs):
    """Scores on held-out real rows after training on real and on generated rows."""
    cls, score = RandomForestRegressor, r2_score
    if is_category:
        cls, score = RandomForestClassifier, accuracy_score
    real, generated = (rows[~np.isnan(rows[:, j])] for rows in (real, generated))
    n_test = len(real) // 3
    test, train = real[:n_test], real[n_test:]
    n_train = min(len(train), len(generated))
    scores = []
    for rows in (train[:n_train], generated[:n_train]):
        model = cls(**_FOREST, random_state=seed, n_jobs=n_jobs)
        model.fit(np.delete(rows, j, axis=1), rows[:, j])
        predicted = model.predict(np.delete(test, j, axis=1))
        scores.append(float(score(test[:, j], predicted)))
    return tuple(scores)
