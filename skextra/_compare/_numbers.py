"""Columns of text that people write numbers in: decimal commas, thousands, percentages."""

import numpy as np

_SPACES = " \u00a0\u202f'\u2019"
# How a number may be written, the first that all values of a column match; what the
# thousands are set apart by, and what the decimals.
_STYLES = (
    (r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", "", "."),
    (r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?|[+-]?\d+(\.\d+)?", ",", "."),
    (rf"[+-]?\d{{1,3}}([{_SPACES}]\d{{3}})+([.]\d+)?|[+-]?\d+([.]\d+)?", _SPACES, "."),
    (r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?|[+-]?\d+(,\d+)?", ".", ","),
    (rf"[+-]?\d{{1,3}}([{_SPACES}]\d{{3}})*(,\d+)?|[+-]?\d+(,\d+)?", _SPACES, ","),
)


def read_written_numbers(frame, prefers_comma=False):
    """Turn columns of text whose every value is a written number into numbers.

    Parameters
    ----------
    frame : pandas.DataFrame
    prefers_comma : bool
        Whether ``1,234`` is a decimal fraction, where all values allow either reading.

    Returns
    -------
    frame : pandas.DataFrame
        ``frame.attrs["numbers"]`` maps each changed column to how its first value was read.
    """
    columns, read = {}, {}
    for position, name in enumerate(frame.columns):
        series = frame.iloc[:, position]
        if series.dtype.kind in "biufcmM":
            continue
        values = _read_series(series, prefers_comma)
        if values is not None:
            columns[position] = values
            first = series.dropna().iloc[0]
            read[str(name)] = f"{str(first).strip()!r} as {values[series.notna()][0]:g}"
    if columns:
        frame = frame.copy()
        for position, values in columns.items():
            frame.isetitem(position, values)
    frame.attrs["numbers"] = read
    return frame


def _read_series(series, prefers_comma):
    present = series.dropna().astype(str).str.strip()
    if present.empty:
        return None
    is_share = present.str.endswith("%")
    text = (
        present.str.removesuffix("%")
        .str.strip()
        .str.replace(r"^[$€£¥]\s*|\s*[$€£¥]$", "", regex=True)
    )
    infinite = text.str.fullmatch(r"[+-]?(inf|infinity)", case=False)
    styles = sorted(_STYLES, key=lambda style: style[2] != ",") if prefers_comma else _STYLES
    fitting = (s for s in styles if (text.str.fullmatch(s[0]) | infinite).all())
    _, thousands, decimal = next(fitting, (None, None, None))
    if decimal is None:
        return None
    for sign in thousands:
        text = text.str.replace(sign, "", regex=False)
    numbers = text.str.replace(decimal, ".", regex=False).astype(float)
    values = np.full(len(series), np.nan)
    values[series.notna().to_numpy()] = np.where(is_share, numbers / 100, numbers)
    return values
