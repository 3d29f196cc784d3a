"""python -m skextra: its options, its one line about a mistake, and its silence in a pipe."""

import gzip
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes

from skextra._compare import _cli, _errors


@pytest.fixture
def table(tmp_path):
    data = load_diabetes(as_frame=True).frame.round(4)
    data["sex"] = np.where(data["sex"] > 0, "m", "f")
    path = tmp_path / "table.csv"
    data.to_csv(path, index=False)
    return path


def run(capsys, *arguments):
    status = _cli.main([*map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def run_quickly(capsys, *arguments):
    return run(capsys, *arguments, "--seconds", 0)


def assert_refused(capsys, message, *arguments):
    status, out, err = run_quickly(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("skextra: error: ") and err.count("\n") == 1
    assert message in err


def test_table_on_shipped_data(alike, capsys):
    status, out, _ = run_quickly(capsys, "ridge", "Lasso")
    assert status == 0
    names = [line.split()[0] for line in out.splitlines()[3:8]]
    assert names == ["diabetes,", "Ridge", "Lasso", "digits-halves,", "Ridge"]


def test_all_is_the_long_table(alike, capsys):
    status, out, _ = run_quickly(capsys, "--all")
    assert status == 0
    assert {line.split()[0] for line in out.splitlines() if line} >= {c.name for c in alike}
    assert_refused(capsys, "--all runs every estimator", "--all", "Ridge")


def test_list(alike, capsys):
    status, out, _ = run(capsys, "--list")
    assert status == 0
    assert "LassoCV" in out and "disease progression" in out


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "semicolons", "tsv", "parquet"])
def test_own_data_in_every_format(alike, capsys, table, tmp_path, kind):
    data = pd.read_csv(table)
    path = tmp_path / f"other.{'csv' if kind == 'semicolons' else kind}"
    if kind == "parquet":
        pytest.importorskip("pyarrow")
        data.to_parquet(path)
    else:
        data.to_csv(path, index=False, sep={"semicolons": ";", "tsv": "\t"}.get(kind, ","))
    status, out, _ = run_quickly(capsys, "Ridge", "--data", path, "--target", "target", "--json")
    assert status == 0
    (row,) = json.loads(out)["rows"]
    assert (row["data"], row["n_samples"], row["n_features"]) == (path.name, 442, 10)
    assert 0.3 < row["score"] < 0.6


def test_question_marks_and_a_byte_order_mark(alike, capsys, tmp_path):
    path = tmp_path / "odd.csv"
    lines = [f"{i % 7 if i % 5 else '?'}, {i % 3}, {i}" for i in range(60)]
    path.write_text("a, b, t\n" + "\n".join(lines), encoding="utf-8-sig")
    status, out, _ = run_quickly(capsys, "Ridge", "--data", path, "--target", "t", "--json")
    assert status == 0
    content = json.loads(out)
    assert content["rows"][0]["n_features"] == 2
    assert any("missing numbers" in note for note in content["notes"])


def test_semicolons_decimal_commas_and_an_encoding(alike, capsys, tmp_path):
    path = tmp_path / "odd.csv"
    rows = [f"{i};{i % 17},5;{i % 7}.000,25;{i % 17 + i % 7},125" for i in range(90)]
    path.write_bytes("Nr;Größe;Preis;Ziel\n".encode("cp1252") + "\n".join(rows).encode())
    arguments = ("Ridge", "--data", path, "--target", "Ziel")
    assert_refused(capsys, "as UTF-8: name its encoding, such as --encoding", *arguments)
    arguments = (*arguments, "--encoding", "cp1252", "--sep", ";")
    status, out, _ = run_quickly(capsys, *arguments, "--json")
    content = json.loads(out)
    assert status == 0 and content["rows"][0]["n_features"] == 3
    assert content["rows"][0]["score"] > 0.99
    assert "'Preis' is read as numbers: '0.000,25' as 0.25" in "\n".join(content["diagnosis"])
    status, out, _ = run_quickly(capsys, *arguments, "--drop", "Nr", "--drop", "Preis")
    assert status == 0 and "odd.csv, 90 x 1\n" in out and "Preis" not in out


def test_report_needs_no_other_file(alike, capsys, tmp_path):
    path = tmp_path / "report.html"
    status, out, _ = run_quickly(capsys, "Lasso", "Ridge", "--html", path)
    page = path.read_text(encoding="utf-8")
    assert status == 0 and page.count("<svg") == 2
    assert "http" not in page and "src=" not in page and "Ridge  (diabetes)" in page
    assert_refused(capsys, "cannot write", "Lasso", "--html", tmp_path / "no" / "r.html")


def test_plot_is_written(alike, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "ratios.png"
    status, _, _ = run_quickly(capsys, "Lasso", "--plot", path)
    assert status == 0
    assert path.read_bytes().startswith(b"\x89PNG")


def test_mistakes_take_one_line_and_status_2(alike, capsys, table, tmp_path):
    on_table = ("--data", table, "--target")
    assert_refused(capsys, "unknown estimator 'Laso': did you mean 'Lasso'?", "Laso")
    assert_refused(capsys, "unrecognized arguments: --nonsense", "--nonsense")
    assert_refused(capsys, "no such file", "--data", tmp_path / "none.csv", "--target", "t")
    assert_refused(capsys, "not a file", "--data", tmp_path, "--target", "t")
    assert_refused(capsys, "did you mean 'target'?", *on_table, "targte")
    assert_refused(capsys, "--data needs --target COLUMN; columns: age", "--data", table)
    assert_refused(capsys, "--target needs --data", "--target", "age")
    assert_refused(capsys, "target 'sex' is text ('m', 'f', ...)", "Lasso", *on_table, "sex")
    assert_refused(capsys, "--rows needs --data", "Lasso", "--rows", "50")
    assert_refused(capsys, "--drop needs --data", "Lasso", "--drop", "a")
    assert_refused(
        capsys, "unknown column 'agee': did you mean", *on_table, "bmi", "--drop", "agee"
    )
    assert_refused(capsys, "unknown encoding 'x'", *on_table, "bmi", "--encoding", "x")
    assert_refused(capsys, "blas_threads must be", "Lasso", "--blas-threads", "0")


@pytest.mark.parametrize("seconds", ["nan", "-1", "soon"])
def test_bad_seconds(alike, capsys, seconds):
    status, out, err = run(capsys, "Lasso", "--seconds", seconds)
    assert (status, out) == (2, "")
    assert err.startswith("skextra: error: ") and "--seconds" in err and seconds in err


def test_bad_files_take_one_line_and_status_2(alike, capsys, tmp_path):
    def refuse(name, content, message):
        (tmp_path / name).write_bytes(content)
        assert_refused(capsys, message, "Lasso", "--data", tmp_path / name, "--target", "t")

    refuse("empty.csv", b"", "cannot read")
    refuse("header.csv", b"a,t\n", "holds no rows")
    refuse("short.csv", b"a,t\n1,2\n3,4\n", "2 usable rows: a comparison needs at least 10")
    refuse("constant.csv", b"a,t\n" + b"".join(b"%d,1\n" % i for i in range(30)), "is constant")
    refuse("useless.csv", b"a,t\n" + b"".join(b"1,%d\n" % i for i in range(30)), "no usable")
    refuse("ragged.csv", b"a,t\n1,2\n1,2,3,4\n", "cannot read")
    refuse("binary.csv", bytes(range(256)), "cannot read")
    refuse("fake.csv.gz", b"a,t\n1,2\n", "cannot read")
    refuse("cut.csv.gz", gzip.compress(b"a,t\n" + b"1,2\n" * 999)[:-9], "cannot read")
    refuse("fake.parquet", b"a,t\n1,2\n", "cannot read")
    refuse("table.xlsx", b"", "cannot tell the format")


def test_unwritable_plot_is_refused_before_the_run(alike, capsys, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    import skextra._compare as package

    monkeypatch.setattr(package, "run_comparison", lambda *a, **k: pytest.fail("ran all the same"))
    folder = tmp_path / "folder.png"
    folder.mkdir()
    assert_refused(capsys, "cannot write", "Lasso", "--plot", tmp_path / "no" / "p.png")
    assert_refused(capsys, "cannot write", "Lasso", "--plot", folder)
    assert_refused(capsys, "must end in one of", "Lasso", "--plot", tmp_path / "p.doc")
    assert not (tmp_path / "p.doc").exists()


@pytest.mark.parametrize(
    ("absent", "arguments"),
    [("pandas", ("--data", "{table}", "--target", "target")), ("matplotlib", ("--plot", "p.png"))],
)
def test_absent_package_says_what_to_install(alike, capsys, monkeypatch, table, absent, arguments):
    monkeypatch.setitem(sys.modules, absent, None)
    arguments = [a.format(table=table) for a in arguments]
    assert_refused(capsys, f"needs {absent}: pip install {absent}", "Lasso", *arguments)


def test_frame_without_pandas_is_an_import_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="to_frame needs pandas: pip install pandas"):
        _errors.need("pandas", "Comparison.to_frame")


def test_progress_is_a_line_each_in_a_pipe_and_one_on_a_terminal(alike, capsys, monkeypatch):
    _, _, err = run_quickly(capsys, "Lasso", "Ridge")
    lines = ["[1/3] Lasso on diabetes", "[2/3] Ridge on diabetes", "[3/3] Ridge on digits-halves"]
    assert err.splitlines() == lines
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    _, out, err = run_quickly(capsys, "Lasso")
    assert "[1/1] Lasso on diabetes" in err and err.endswith("\r\x1b[K")
    assert "\r" not in out


def test_interrupt_is_one_line(alike, capsys, monkeypatch):
    import skextra._compare as package

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(package, "run_comparison", interrupt)
    assert run(capsys, "Lasso") == (130, "", "skextra: interrupted\n")


def run_module(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "skextra", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=300,
        **options,
    )


def test_module_in_a_pipe():
    result = run_module("Ridge", "--seconds", "0", "--json")
    assert result.returncode == 0 and "[1/4] Ridge on diabetes" in result.stderr
    rows = json.loads(result.stdout)["rows"]
    assert {row["estimator"] for row in rows} == {"Ridge"}
    for row in rows:
        assert row["score"] == pytest.approx(row["sklearn_score"], abs=1e-3)


def test_module_with_a_mistake():
    result = run_module("Nonsense")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("skextra: error: unknown estimator 'Nonsense'")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "target", "n_columns", "note"),
    [
        ("penguins", "body_mass_g", 12, "2 rows without a target"),
        ("nycflights13", "arr_delay", 98, "'tailnum': "),
        ("clothing_reviews", "Rating", 36, "'Review Text' left out"),
    ],
)
def test_real_tables(alike, capsys, data_folder, name, target, n_columns, note):
    path = data_folder / f"{name}.csv.gz"
    arguments = ("Ridge", "--data", path, "--target", target, "--rows", 20000, "--json")
    status, out, _ = run_quickly(capsys, *arguments)
    assert status == 0
    content = json.loads(out)
    # A sample of the flights may lack a rare category.
    assert abs(content["rows"][0]["n_features"] - n_columns) <= 4
    assert content["rows"][0]["score"] > 0.5
    assert any(note in line for line in content["notes"])
