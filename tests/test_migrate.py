"""python -m skextra.migrate: what a script would change, without running it."""

import subprocess
import sys

import pytest

from skextra.migrate import list_changes, main


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import numpy as np\nfrom sklearn.datasets import load_iris", []),
        (
            "from sklearn.ensemble import RandomForestClassifier as R, StackingClassifier",
            [
                "StackingClassifier: not in skextra, may stay scikit-learn's",
                "from sklearn.ensemble: from skextra.ensemble import RandomForestClassifier",
            ],
        ),
        ("from sklearn import svm, metrics", ["from sklearn import svm: from skextra import svm"]),
        ("import sklearn.tree as t", ["import sklearn.tree: import skextra.tree"]),
        (
            "from sklearn.ensemble._forest import BaseForest",
            ["from sklearn.ensemble._forest: a private module, which stays scikit-learn's"],
        ),
        ("from .ensemble import X\nimport mysklearn.tree", []),
    ],
)
def test_imports(source, expected):
    assert [message for _, message in list_changes(source)] == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("LogisticRegression(penalty='l1')", "(penalty='l1'): deprecated, write l1_ratio=1"),
        ("LogisticRegression('l2')", "(penalty='l2'): deprecated, write l1_ratio=0"),
        ("LogisticRegression(penalty=None)", "(penalty=None): deprecated, write C=np.inf"),
        ("LogisticRegression(penalty=p)", "(penalty=p): deprecated, leave it out"),
        ("LogisticRegression(n_jobs=2)", "(n_jobs=2): deprecated, leave it out"),
        ("LogisticRegressionCV(penalty='l1')", "deprecated, write l1_ratios=(1,)"),
        ("lasso_path(X, y, n_alphas=5)", "(n_alphas=5): deprecated, write alphas="),
        ("Lasso(normalize=True)", "Lasso(normalize=): skextra does not have this argument"),
    ],
)
@pytest.mark.parametrize(
    ("before", "prefix"),
    [
        ("from sklearn.linear_model import *", None),
        ("import sklearn.linear_model", "sklearn.linear_model."),
        ("import sklearn.linear_model as lm", "lm."),
        ("from sklearn import linear_model", "linear_model."),
    ],
)
def test_arguments(call, message, before, prefix):
    if prefix is None:
        before, prefix = f"from sklearn.linear_model import {call.partition('(')[0]}", ""
    changes = list_changes(f"{before}\nmodel = f(\n    {prefix}{call})\n")
    assert [(line, message in text) for line, text in changes if line > 1] == [(3, True)]


def test_what_is_accepted_is_not_mentioned():
    assert len(list_changes("from sklearn.linear_model import Lasso\nLasso(alpha=1, **k)")) == 1


def test_command(tmp_path, capsys):
    script = tmp_path / "script.py"
    script.write_text("from sklearn.svm import SVC\nraise SystemExit('never run')\n")
    assert main([str(script)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{script}:1: from sklearn.svm: from skextra.svm import SVC",
        "1 found; nothing was written",
    ]
    script.write_text("x = (")
    assert main([str(script)]) == 2 and "cannot read" in capsys.readouterr().err
    assert main([str(tmp_path / "none.py")]) == 2
    command = [sys.executable, "-m", "skextra.migrate"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2
