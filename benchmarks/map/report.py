"""Results of a map: a file that grows cell by cell, a table, and a picture."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.map.contestants import OURS, THEIRS

# Ratios within this factor of one are noise.
NOISE = 0.9


def read_results(path):
    """Rows of a file of results by the key of their cell; empty if there is no file."""
    if not Path(path).exists():
        return {}
    rows = (json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines())
    return {row["key"]: row for row in rows}


def append_result(path, cell, results):
    """Add a measured cell to a file of results."""
    row = {"key": cell.key, "variant": cell.variant, "cell": asdict(cell)}
    row["contestants"] = {
        name: {k: v for k, v in asdict(result).items() if k != "times" and v not in (None, "")}
        for name, result in results.items()
    }
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    return row


def compute_ratio(row, what="fit", rival=THEIRS):
    """Time of a rival divided by ours; NaN if either is missing."""
    ours, theirs = (row["contestants"].get(name, {}).get(what) for name in (OURS, rival))
    return theirs / ours if ours and theirs else np.nan


def list_rivals(row):
    """Contestants of a row but ours, scikit-learn first."""
    return [name for name in row["contestants"] if name != OURS]


def format_row(row):
    """One cell in one line: ratios of each rival, and accuracies reached."""
    parts = []
    for rival in list_rivals(row):
        ratios = [compute_ratio(row, what, rival) for what in ("fit", "predict", "predict_one")]
        shown = " / ".join("-" if np.isnan(r) else f"{r:.2f}" for r in ratios)
        parts.append(f"{rival} {shown}")
    return f"{row['key']:40} " + "   ".join(parts)


def make_table(rows):
    """Markdown table of all cells.

    Columns are ratios (fit / batch prediction / prediction of one row) of each rival, and the
    accuracies of ours and scikit-learn's: relative suboptimality, or score on held-out data.
    """
    rivals = list(dict.fromkeys(rival for row in rows for rival in list_rivals(row)))
    head = ["data", "ours (fit)", *rivals, "accuracy, ours", "accuracy, scikit-learn"]
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    for row in rows:
        ours = row["contestants"][OURS]
        cells = [
            row["key"],
            f"{1e3 * ours['fit']:.3g} ms" if "fit" in ours else ours.get("note", ""),
        ]
        for rival in rivals:
            ratios = [compute_ratio(row, what, rival) for what in ("fit", "predict", "predict_one")]
            cells.append(" / ".join("-" if np.isnan(r) else f"{r:.2g}" for r in ratios))
        cells += [_format_accuracy(row["contestants"].get(name, {})) for name in (OURS, THEIRS)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _format_accuracy(result):
    if "error" in result:
        return f"{result['error']:.0e}"
    return f"{result['score']:.4f}" if "score" in result else result.get("note", "")


def summarize(rows, what="fit"):
    """One sentence: how many cells, the median ratio, and the cells that are lost."""
    ratios = {row["key"]: compute_ratio(row, what) for row in rows}
    known = {key: ratio for key, ratio in ratios.items() if not np.isnan(ratio)}
    if not known:
        return f"{what}: nothing measured"
    lost = sorted((ratio, key) for key, ratio in known.items() if ratio < NOISE)
    text = f"{what}: {len(known)} cells, median {np.median(list(known.values())):.2f}x"
    if lost:
        text += f", slower in {len(lost)}: " + "; ".join(f"{key} {r:.2f}x" for r, key in lost[:8])
    return text


def draw(rows, title, path):
    """Heat map of the ratios to scikit-learn: fits above, predictions below, red where we lose."""
    import matplotlib.pyplot as plt
    from matplotlib.colors import TwoSlopeNorm

    variants = list(dict.fromkeys(row["variant"] for row in rows))
    samples = sorted({row["cell"]["n_samples"] for row in rows})
    features = sorted({row["cell"]["n_features"] for row in rows})
    kinds = {"fit": "fit", "predict": "prediction of a batch", "predict_one": "prediction of a row"}
    figure, axes = plt.subplots(
        len(kinds), len(variants), squeeze=False, layout="constrained", sharex=True, sharey=True,
        figsize=(2.2 + 2.3 * len(variants), 1.2 + 2.1 * len(kinds)),
    )  # fmt: skip
    norm = TwoSlopeNorm(0.0, -2.0, 3.0)
    for i, (what, label) in enumerate(kinds.items()):
        for j, variant in enumerate(variants):
            grid = np.full((len(samples), len(features)), np.nan)
            for row in rows:
                if row["variant"] == variant:
                    place = (
                        samples.index(row["cell"]["n_samples"]),
                        features.index(row["cell"]["n_features"]),
                    )
                    grid[place] = compute_ratio(row, what)
            axis = axes[i, j]
            image = axis.imshow(np.log2(grid), cmap="RdYlGn", norm=norm, origin="lower")
            for place, ratio in np.ndenumerate(grid):
                if not np.isnan(ratio):
                    axis.text(*place[::-1], f"{ratio:.2g}", ha="center", va="center", fontsize=7)
            axis.set_xticks(range(len(features)), [f"{p:,}" for p in features], rotation=60)
            axis.set_yticks(range(len(samples)), [f"{n:,}" for n in samples])
            if i == 0:
                axis.set_title(variant, fontsize=9)
            if j == 0:
                axis.set_ylabel(f"{label}\nsamples")
            if i == len(kinds) - 1:
                axis.set_xlabel("features")
    bar = figure.colorbar(image, ax=axes, label="scikit-learn's time / ours")
    bar.set_ticks([-2, -1, 0, 1, 2, 3], labels=["1/4", "1/2", "1", "2", "4", "8"])
    figure.suptitle(title)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
