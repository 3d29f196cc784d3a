"""The encoding that a fit of `SinusoidalEncoder` settles on."""

from dataclasses import dataclass

import numpy as np

from skextra import _core
from skextra.preprocessing._blocks import Block, check_positions, find_bounds
from skextra.preprocessing._columns import Schema, count_positions, restore_dates


@dataclass(frozen=True)
class Encoding:
    """All that `transform`, `inverse_transform` and the names of columns need.

    Attributes
    ----------
    schema : Schema
    columns : tuple of int
        Indices of the columns of positions.
    origins : tuple of (float or int)
        As `resolve_origins` returns them.
    unit, mode : str
    blocks : tuple of Block
        The columns of output for each column of positions.
    ranges : ndarray of shape (n_columns, 2)
        Bounds within which the inverse is right.
    """

    schema: Schema
    columns: tuple
    origins: tuple
    unit: str
    mode: str
    blocks: tuple
    ranges: np.ndarray

    def to_plain(self):
        """Write the object as arrays, tuples and numbers, which any format can hold."""
        plain = dict(vars(self), schema=(self.schema.kinds, self.schema.zones))
        return plain | {"blocks": tuple(block.to_plain() for block in self.blocks)}

    @classmethod
    def from_plain(cls, plain):
        """The object that `to_plain` wrote."""
        blocks = tuple(Block(*values) for values in plain["blocks"])
        return cls(**plain | {"schema": Schema(*plain["schema"]), "blocks": blocks})

    @property
    def is_combined(self):
        """Whether the encoding is added to, or multiplied with, the other features."""
        return self.mode in ("add", "multiply")

    @property
    def width(self):
        """Columns of all encodings."""
        return sum(block.width for block in self.blocks)

    @property
    def kept(self):
        """Indices of the features of the input that the output holds (or is combined with)."""
        n_features = len(self.schema.kinds)
        if self.mode == "append":
            return list(range(n_features))
        return [j for j in range(n_features) if j not in self.columns]

    def encode(self, table, dtype, missing_is_zero):
        """Columns of output for the rows of a table."""
        kept = self.kept
        start = 0 if self.is_combined else len(kept)
        out = np.empty((len(table.numbers), start + self.width), dtype=dtype)
        if not self.is_combined:
            self._copy_kept(table, kept, out)
        for block, j, origin in zip(self.blocks, self.columns, self.origins):
            positions = count_positions(table, j, origin, self.unit)
            check_positions(positions, block.turns, j)
            block.write(positions, out, start)
            if missing_is_zero:
                out[np.isnan(positions), start : start + block.width] = 0
            start += block.width
        if self.mode == "add":
            out += table.numbers[:, kept]
        elif self.mode == "multiply":
            out *= table.numbers[:, kept]
        return out

    def _copy_kept(self, table, kept, out):
        origins = dict(zip(self.columns, self.origins))
        for i, j in enumerate(kept):
            if j in table.dates:
                out[:, i] = count_positions(table, j, origins.get(j, 0), self.unit)
            else:
                out[:, i] = table.numbers[:, j]

    def decode(self, X):
        """Columns of input from columns of output: numbers, dates, or objects if both occur."""
        kept, kinds = self.kept, self.schema.kinds
        columns = {j: X[:, i].astype(np.float64) for i, j in enumerate(kept)}
        origins, start = dict(zip(self.columns, self.origins)), len(kept)
        for block, j, bounds in zip(self.blocks, self.columns, self.ranges):
            if self.mode != "append":
                positions = block.decode(X[:, start : start + block.width], bounds.mean())
                columns[j] = positions + (0.0 if kinds[j] == "datetime" else origins[j])
            start += block.width
        restored = [
            restore_dates(columns[j], kind, origins.get(j, 0), self.unit)
            for j, kind in enumerate(kinds)
        ]
        if len(set(kinds)) == 1:
            return np.column_stack(restored)
        result = np.empty((len(X), len(restored)), dtype=object)
        for j, column in enumerate(restored):
            result[:, j] = list(column)
        return result

    def list_names(self, names):
        """Names of the columns of output, from those of the input."""
        listed = [names[j] for j in self.kept]
        if not self.is_combined:
            for block, j in zip(self.blocks, self.columns):
                listed += block.list_names(names[j])
        return listed


def create_encoding(table, indices, origins, unit, mode, layout, frequencies):
    """The encoding of a table's columns of positions.

    Parameters
    ----------
    table : Table
    indices : list of int
    origins : list of (float or int)
    unit, mode, layout : str
    frequencies : list of (int, list of str, list)
        For each column of positions: columns of output, labels and exact frequencies.

    Raises
    ------
    ValueError
        If a column holds positions whose phase is lost in their own rounding.
    """
    blocks, ranges = [], []
    for j, origin, (width, labels, angular) in zip(indices, origins, frequencies):
        positions = count_positions(table, j, origin, unit)
        turns = _core.positions.frequencies.split_turns(angular)
        grid = _core.positions.sinusoids.find_unit(positions)
        block = Block(*turns, width, layout, labels, grid)
        check_positions(positions, block.turns, j)
        blocks.append(block)
        ranges.append(block.find_range(*find_bounds(positions)))
    return Encoding(
        table.schema, tuple(indices), tuple(origins), unit, mode, tuple(blocks), np.array(ranges)
    )
