"""What one column of positions becomes: frequencies, columns of output, their names."""

import numpy as np

from skextra import _core


class Block:
    """The encoding of one column of positions.

    Parameters
    ----------
    turns, residues : ndarray of shape (n_frequencies,)
        Turns per unit of position, as `_core.positions.frequencies.split_turns` gives them.
    width : int
        Columns of output.
    layout : {'interleaved', 'blocks'}
    labels : list of str
        What distinguishes the frequencies' names.
    unit : float
        As in `_core.positions.sinusoids.fill_tile`.

    Attributes
    ----------
    n_cosines : int
        One less than frequencies where the width is odd and not padded.
    """

    def __init__(self, turns, residues, width, layout, labels, unit):
        self.turns, self.residues = turns, residues
        self.width, self.layout, self.labels, self.unit = width, layout, labels, unit
        self.n_cosines = min(len(turns), width // 2)

    def to_plain(self):
        """The arguments that make this block."""
        return self.turns, self.residues, self.width, self.layout, self.labels, self.unit

    @property
    def n_sines(self):
        """Number of frequencies."""
        return len(self.turns)

    @property
    def has_lone_sine(self):
        """Whether the last frequency has a sine and no cosine."""
        return self.n_cosines < self.n_sines

    def write(self, positions, out, start):
        """Write the encoding into columns of `out` from `start` on."""
        if self.layout == "interleaved":
            cosine_start, step = start + 1, 2
        else:
            cosine_start, step = start + self.n_sines, 1
        cosine_start = min(cosine_start, out.shape[1])
        _core.positions.sinusoids.encode(
            positions, self.turns, self.residues, self.unit, out, start, cosine_start, step,
            self.n_cosines,
        )  # fmt: skip
        out[:, start + self.n_sines + self.n_cosines : start + self.width] = 0

    def read(self, encoded):
        """Split columns of an encoding into sines and cosines of whole pairs."""
        n = self.n_cosines
        if self.layout == "interleaved":
            return encoded[:, : 2 * n : 2], encoded[:, 1 : 2 * n : 2]
        return encoded[:, :n], encoded[:, self.n_sines : self.n_sines + n]

    def find_range(self, low, high):
        """Bounds within which `decode` is right, around the middle of `low` and `high`."""
        if not self.n_cosines:
            return np.nan, np.nan
        # Halves first: the sum of two large positions may overflow.
        center = 0.5 * low + 0.5 * high
        half = 0.5 / self.turns[: self.n_cosines].min()
        return center - half, center + half

    def decode(self, encoded, center):
        """Positions from columns of an encoding.

        Raises
        ------
        ValueError
            If there is no pair of sine and cosine.
        """
        if not self.n_cosines:
            raise ValueError("inverse_transform needs a pair of sine and cosine, the width is 1")
        turns = self.turns[: self.n_cosines]
        eps = 3e-7 if encoded.dtype == np.float32 else 1e-15
        safe = _core.positions.inverse.find_safe_frequencies(turns, eps)
        sines, cosines = self.read(encoded)
        return _core.positions.inverse.unwrap_positions(
            sines[:, safe], cosines[:, safe], turns[safe], center
        )

    def list_names(self, name):
        """Names of the columns of output for a column called `name`."""
        sines = [f"{name}_{label.format('sin')}" for label in self.labels]
        cosines = [f"{name}_{label.format('cos')}" for label in self.labels[: self.n_cosines]]
        if self.layout == "blocks":
            names = sines + cosines
        else:
            names = [n for pair in zip(sines, cosines) for n in pair] + sines[self.n_cosines :]
        return names + [f"{name}_zero"] * (self.width - len(names))

    def compute_kernel(self, distances):
        """Sum of the cosines of `distances` times the frequencies."""
        flat = np.ascontiguousarray(distances, dtype=np.float64).ravel()
        sines, cosines = np.empty((2, len(flat), self.n_sines))
        _core.positions.sinusoids.fill_rows(flat, self.turns, self.residues, 0.0, sines, cosines)
        return cosines.sum(axis=1).reshape(np.shape(distances))


def find_bounds(positions):
    """Smallest and largest position, zeros if all are missing."""
    low, high = positions.min(), positions.max()
    if np.isnan(low):
        present = positions[~np.isnan(positions)]
        return (present.min(), present.max()) if len(present) else (0.0, 0.0)
    return low, high


def find_limit(turns):
    """Size of a position from which on its phase is lost in its own rounding."""
    limit = _core.positions.sinusoids.MAX_TURNS / float(np.abs(turns).max(initial=1e-300))
    return min(limit, _core.positions.sinusoids.MAX_POSITION)


def check_positions(positions, turns, j):
    """Refuse positions whose phase is lost in their own rounding.

    Raises
    ------
    ValueError
        If X holds positions of more periods than can be told apart.
    """
    if not positions.size:
        return
    low, high = find_bounds(positions)
    largest = max(-low, high)
    limit = find_limit(turns)
    if not largest < limit:
        raise ValueError(
            f"X holds positions up to {largest:.3g} in feature {j}, beyond {limit:.3g}, where "
            "neighboring numbers are too far apart to tell the phases of the fastest "
            "frequency: scale them, or subtract an origin"
        )
