"""The benchmark harness: its gap against an independent computation, its command, its tables."""

import json
import mmap
import subprocess
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, sparse
from sklearn.linear_model import ElasticNet, Lasso, Ridge, lasso_path

from benchmarks import _data, _harness, _report, _worker, linear_model, multi_task
from benchmarks.__main__ import main, select_cases
from benchmarks._accuracy import compute_relative_gaps

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture
def problem():
    rng = np.random.default_rng(7)
    X = rng.standard_normal((30, 8)) + 1.0
    y = X[:, :3] @ [2.0, -1.0, 0.5] + rng.standard_normal(30) + 3.0
    return X, y


def objective(X, y, coef, intercept, alpha, l1_ratio):
    loss = np.mean((y - X @ coef - intercept) ** 2) / 2
    l1, l2 = np.abs(coef).sum(), (coef**2).sum() / 2
    return loss + alpha * (l1_ratio * l1 + (1 - l1_ratio) * l2)


def largest_dual(X, y, alpha, l1_ratio):
    """Fenchel dual of the centered problem, maximized by a general-purpose solver."""
    n = len(y)
    X, y = X - X.mean(axis=0), y - y.mean()

    def negative(theta):
        theta = theta - theta.mean()
        return -(y @ theta) + n * (theta @ theta) / 2

    if l1_ratio == 1:
        bounds = optimize.LinearConstraint(X.T, -alpha, alpha)
        start = np.zeros(n)
        found = optimize.minimize(
            negative,
            start,
            jac=lambda theta: -y + n * (theta - theta.mean()),
            constraints=[bounds, optimize.LinearConstraint(np.ones(n), 0, 0)],
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 1000},
        )
    else:

        def penalized(theta):
            excess = np.maximum(np.abs(X.T @ (theta - theta.mean())) - alpha * l1_ratio, 0)
            return negative(theta) + (excess**2).sum() / (2 * alpha * (1 - l1_ratio))

        found = optimize.minimize(penalized, np.zeros(n), method="BFGS", options={"gtol": 1e-9})
    return -found.fun


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
def test_gap_of_an_optimum_is_zero_and_the_dual_agrees(problem, l1_ratio):
    X, y = problem
    alpha = 0.3
    if l1_ratio == 0:
        model = Ridge(alpha=alpha * len(y)).fit(X, y)
    else:
        model = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-14, max_iter=10**6).fit(X, y)
    arguments = ([model.intercept_], [alpha], l1_ratio, True)
    gaps = compute_relative_gaps(X, y, model.coef_[:, None], *arguments)
    assert abs(gaps[0]) < 1e-9
    best = objective(X, y, model.coef_, model.intercept_, alpha, l1_ratio)
    assert_allclose(largest_dual(X, y, alpha, l1_ratio), best, rtol=1e-6)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.1, 0.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_gap_bounds_the_suboptimality(problem, l1_ratio, fit_intercept):
    X, y = problem
    alpha = 0.2
    if l1_ratio == 0:
        model = Ridge(alpha=alpha * len(y), fit_intercept=fit_intercept)
    else:
        model = ElasticNet(
            alpha=alpha, l1_ratio=l1_ratio, fit_intercept=fit_intercept, tol=1e-14, max_iter=10**6
        )
    model.fit(X, y)
    rng = np.random.default_rng(3)
    coefs = model.coef_[:, None] + rng.standard_normal((8, 6)) * np.logspace(-4, 0, 6)
    intercepts = model.intercept_ + fit_intercept * 0.01 * rng.standard_normal(6)
    gaps = compute_relative_gaps(
        X, y, coefs, intercepts, np.full(6, alpha), l1_ratio, fit_intercept
    )
    best = objective(X, y, model.coef_, model.intercept_, alpha, l1_ratio)
    at_zero = np.mean((y - y.mean() * fit_intercept) ** 2) / 2
    excess = [
        (objective(X, y, coefs[:, k], intercepts[k], alpha, l1_ratio) - best) / at_zero
        for k in range(6)
    ]
    assert np.all(gaps >= np.array(excess) - 1e-12)
    assert np.all(gaps > 0)
    refined = compute_relative_gaps(
        X, y, coefs, intercepts, np.full(6, alpha), l1_ratio, fit_intercept, refine=True
    )
    assert np.all(refined >= np.array(excess) - 1e-12)
    assert np.all(refined <= gaps)
    # The bound is of use only if it shrinks with the error it bounds.
    assert gaps[0] < 0.1 * gaps[-1]


def test_gap_of_a_path_is_close_to_scikit_learns(problem):
    X, y = problem
    X, y = X - X.mean(axis=0), y - y.mean()
    alphas, coefs, theirs = lasso_path(X, y, alphas=10, eps=1e-2, tol=1e-2)
    ours = compute_relative_gaps(X, y, coefs, np.zeros(10), alphas, 1.0, False)
    # The same dual point; ours scales it as well as it can be.
    relative = theirs / (np.mean(y**2) / 2)
    assert np.all(ours <= relative + 1e-12)
    assert (relative > 1e-6).sum() >= 5
    assert_allclose(ours, relative, rtol=0.2, atol=1e-9)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("container", [np.asarray, sparse.csc_matrix])
def test_refined_gap_of_a_lasso_is_its_suboptimality(problem, fit_intercept, container):
    X, y = problem
    model = Lasso(alpha=0.2, fit_intercept=fit_intercept, tol=1e-14, max_iter=10**6).fit(X, y)
    coef = np.where(model.coef_ != 0, model.coef_ * 1.01, 0.0)
    # The best intercept for these coefficients, so that they alone are off.
    intercept = (y - X @ coef).mean() * fit_intercept
    arguments = (coef[:, None], [intercept], [0.2], 1.0, fit_intercept)
    at_zero = np.mean((y - y.mean() * fit_intercept) ** 2) / 2
    best = objective(X, y, model.coef_, model.intercept_, 0.2, 1.0)
    excess = (objective(X, y, coef, intercept, 0.2, 1.0) - best) / at_zero
    (plain,) = compute_relative_gaps(container(X), y, *arguments)
    (refined,) = compute_relative_gaps(container(X), y, *arguments, refine=True)
    assert_allclose(refined, excess, rtol=1e-6)
    assert plain > 2 * refined


def test_gap_is_the_same_for_sparse_input_and_for_targets_at_once(problem):
    X, y = problem
    Y = np.column_stack([y, 2 * y + 1])
    rng = np.random.default_rng(0)
    coefs, intercepts = rng.standard_normal((8, 2)), rng.standard_normal(2)
    arguments = (coefs, intercepts, np.array([0.1, 0.4]), 0.5, True)
    together = compute_relative_gaps(X, Y, *arguments)
    assert_allclose(compute_relative_gaps(sparse.csc_matrix(X), Y, *arguments), together)
    for k in range(2):
        alone = compute_relative_gaps(
            X, Y[:, k], coefs[:, [k]], intercepts[[k]], arguments[2][[k]], 0.5, True
        )
        assert_allclose(alone, together[[k]])


def test_gap_at_zero_is_all_of_it_where_alpha_is_large_and_one_where_it_is_tiny(problem):
    X, y = problem
    zero, mean = np.zeros((8, 2)), np.full(2, y.mean())
    alpha_max = np.abs(X.T @ (y - y.mean())).max() / len(y)
    gaps = compute_relative_gaps(X, y, zero, mean, np.array([alpha_max, 1e-9]), 1.0, True)
    assert_allclose(gaps, [0.0, 1.0], atol=1e-6)


def test_nan_coefficients_never_count_as_solved(problem):
    X, y = problem
    gaps = compute_relative_gaps(X, y, np.full((8, 1), np.nan), np.zeros(1), np.ones(1), 1.0, True)
    assert not gaps[0] <= 1e-6


CASES = linear_model.CASES + multi_task.CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_scikit_learn_solves_a_miniature_of_every_case(case):
    problem = case.make(True)
    if problem is None:
        pytest.skip("the data set is not on this machine")
    problem = problem.miniature()
    result = case.runs["scikit-learn"](problem, 1e-10 if case.has_tolerance else None)
    assert 0 <= case.measure(case, problem, result) < 1e-6


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_problem_survives_the_way_to_a_worker(tmp_path, kind):
    problem = _data.make_regression(20, 5, 2).with_path(4, 1e-2, l1_ratio=0.5)
    if kind == "sparse":
        problem = _data.Problem(_data._make_csc(problem.X), problem.y, problem.alphas, 0.5, False)
    problem.save(tmp_path)
    loaded = _data.Problem.load(tmp_path)
    difference = loaded.X - problem.X
    assert abs(difference).max() == 0
    if kind == "sparse":
        assert loaded.X.format == "csc"
        assert loaded.X.indices.dtype == np.int32
    else:
        assert loaded.X.flags.f_contiguous
    assert_allclose(loaded.y, problem.y, rtol=0)
    assert_allclose(loaded.alphas, problem.alphas, rtol=0)
    assert (loaded.l1_ratio, loaded.fit_intercept) == (0.5, False)


def test_worker_answers_with_the_error_of_a_contestant_and_goes_on(tmp_path):
    _data.make_regression(20, 5, 2).with_path(4, 1e-2).save(tmp_path)
    request = {"case": "path-wide", "folder": str(tmp_path), "tol": "not a number"}
    lines = [json.dumps(request) + "\n", json.dumps(request | {"tol": 1e-9}) + "\n"]
    replies = StringIO()
    _worker.serve("linear_model", "scikit-learn", lines, replies)
    first, second = map(json.loads, replies.getvalue().splitlines())
    assert first["error"].startswith("TypeError")
    assert 0 <= second["gap"] < 1e-6
    assert second["seconds"] > 0


def test_peak_memory_sees_what_was_allocated_and_freed():
    def allocate():
        # Pages of its own: an array may be given memory that the process never handed back.
        with mmap.mmap(-1, 32 * 2**20) as pages:
            np.frombuffer(pages, dtype=np.uint8)[::4096] = 1

    _, _, peak = _worker._measure_peak(allocate)
    if peak is None:
        pytest.skip("this system does not tell the peak of a process")
    assert 28 < peak < 48


def test_a_call_that_takes_too_long_is_stopped_and_the_next_one_starts_afresh(tmp_path):
    _data.make_regression(20, 5, 2).with_path(4, 1e-2).save(tmp_path)
    request = {"case": "path-wide", "folder": str(tmp_path), "tol": 1e-9}
    worker = _harness.LastingWorker("linear_model", "scikit-learn", tmp_path / "cache", 0)
    try:
        with pytest.raises(_harness.CallFailed, match=r"over 0\.001 s"):
            worker.ask(request, timeout=0.001)
        assert worker.ask(request, timeout=60)["gap"] < 1e-6
    finally:
        worker.close()


def run_command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_command_prints_every_column_and_fills_it(tmp_path):
    target = tmp_path / "README.md"
    target.write_text("# Results\n\nbefore\n")
    contestants = ["--contestant", "scikit-learn", "--contestant", "skextra"]
    arguments = ["linear_model", "--quick", "--case", "tiny", "--repeat", "1", *contestants]
    process = run_command(*arguments, "--markdown", str(target))
    assert process.returncode == 0, process.stderr
    lines = process.stdout.splitlines()
    header = next(line for line in lines if line.startswith("contestant"))
    assert tuple(header.split()) == _report.COLUMNS
    rows = {line.split()[0]: line for line in lines[lines.index(header) + 1 :] if line}
    assert list(rows) == ["skextra", "scikit-learn"]
    assert "1.0x" in rows["skextra"]
    for row in rows.values():
        assert " - " not in row
    text = target.read_text()
    assert text.startswith("# Results\n\nbefore\n")
    assert "### Lasso\n\n| case | skextra | gap | scikit-learn |\n" in text
    assert "\n| `tiny`: defaults, 442 x 10 dense, default tolerances | " in text


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["no_such_family"], "no_such_family"),
        (["--case", "no-such-case"], "no-such-case"),
        (["--contestant", "nobody"], "nobody"),
        (["--repeat", "0"], "--repeat"),
    ],
)
def test_command_refuses_what_it_does_not_know(arguments, named, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert named in capsys.readouterr().err


def test_exact_case_name_wins_over_a_part():
    cases = linear_model.CASES
    assert [case.name for case in select_cases(cases, ["tiny"])] == ["tiny"]
    spectra = select_cases(cases, ["tecator", "path-yarn"])
    assert [case.name for case in spectra] == ["path-tecator", "path-yarn"]
    assert len({case.name for case in cases}) == len(cases)


def test_markers_keep_the_rest_of_the_file(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("above\n")
    _report.write_between_markers(path, "one", "first\n")
    _report.write_between_markers(path, "two", "second\n")
    path.write_text(path.read_text() + "\nbelow\n")
    _report.write_between_markers(path, "one", "again\n")
    text = path.read_text()
    assert "first" not in text
    order = [text.index(part) for part in ("above", "again", "second", "below")]
    assert order == sorted(order)


def test_markdown_has_one_table_per_estimator_and_a_column_per_contestant():
    ours = _harness.Row("a", "skextra", gap=1e-7, excess=1e-9, hot=2.0, ratio=1.0)
    peer = _harness.Row("a", "x", gap=3e-7, excess=4e-9, hot=6.0, ratio=3.0, note="a | b")
    failed = _harness.Row("b", "y", note="over 40 s")
    sections = [
        ("a: Lasso, words, 9 x 9 dense, gap 1e-06", [ours, peer]),
        ("b: Lasso at alpha_max, 9 x 9 dense, gap 1e-06", [ours, failed]),
        ("c: L1 binary, 9 x 9 dense, excess 1e-06", [ours, peer]),
    ]
    text = _report.format_markdown(["machine"], sections)
    lasso, logistic = text.split("### ")[1:]
    assert lasso.splitlines()[0] == "Lasso" and logistic.splitlines()[0] == "LogisticRegression"
    rows = [line for line in lasso.splitlines() if line.startswith("|")]
    assert rows[0] == "| case | skextra | gap | x | y |"
    assert rows[2] == "| `a`: words, 9 x 9 dense | 2.00 s | 1e-07 | 3.0x (3e-07) |  |"
    assert rows[3].endswith("| 2.00 s | 1e-07 |  | - |")
    assert {line.count("|") for line in rows} == {6}
    assert "- `a`, x: a | b" in lasso and "- `b`, y: over 40 s" in lasso
    assert "| 1e-09 | 3.0x (4e-09) |" in logistic  # the accuracy on which they were matched


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (2e-6, "2.00 us"), (0.0123, "12.3 ms"), (1.5, "1.50 s"), (123.4, "123 s")],
)
def test_seconds_are_readable(seconds, text):
    assert _report.format_seconds(seconds) == text
