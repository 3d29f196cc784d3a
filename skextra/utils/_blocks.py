"""Arrays and tables in blocks of rows, each of which is loaded when it is needed."""

from functools import partial
from numbers import Integral

import numpy as np
from scipy import sparse

# Bytes of a block where the caller does not say.
_BLOCK_BYTES = 1 << 26


class Blocks:
    """An array in blocks of rows, of which only a few are in memory at a time.

    Estimators that accept blocks take them in place of arrays: ``fit(X, y, sample_weight)``,
    where `X`, `y` and `sample_weight` are :class:`Blocks` of equal numbers of rows. A block is
    read anew in each pass over the data.

    Parameters
    ----------
    blocks : sequence
        The blocks in order: arrays, sparse matrices, data frames, or functions without
        parameters that return one. Functions are called in each pass and must return the
        same rows every time.
    n_jobs : int, default=1
        Threads that read and process blocks, each one of its own. Results do not depend on
        it; memory does.

    Raises
    ------
    TypeError
        If `blocks` is an iterator, which could be read only once, or no sequence.
    ValueError
        If there is no block, or `n_jobs` is not positive.

    See Also
    --------
    skextra.linear_model.Ridge : One of the estimators that accept blocks.

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.linear_model import Ridge
    >>> from skextra.utils import Blocks
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((1000, 3))
    >>> y = X @ [1.0, 2.0, 3.0] + 4.0
    >>> in_memory = Ridge().fit(X, y)
    >>> in_blocks = Ridge().fit(Blocks.from_array(X, 100), Blocks.from_array(y, 100))
    >>> bool(np.allclose(in_blocks.coef_, in_memory.coef_, rtol=1e-10))
    True
    """

    def __init__(self, blocks, *, n_jobs=1):
        if not (hasattr(blocks, "__len__") and hasattr(blocks, "__getitem__")):
            raise TypeError(
                "blocks must be a sequence, such as a list of arrays or of functions that load "
                f"them: every pass reads them again; got {type(blocks).__name__}"
            )
        if hasattr(blocks, "shape"):
            raise TypeError(
                "blocks must be a sequence of blocks, got one array; use Blocks.from_array"
            )
        if len(blocks) == 0:
            raise ValueError("blocks must have at least one block, got none")
        if not isinstance(n_jobs, Integral) or n_jobs < 1:
            raise ValueError(f"n_jobs must be a positive integer, got {n_jobs!r}")
        self.n_jobs = int(n_jobs)
        self._loaders = [b if callable(b) else partial(_return, b) for b in blocks]
        self._columns = None
        self._row_counts = None
        self._sources = self._loaders
        self._pick = None

    @classmethod
    def from_array(cls, array, block_rows=None, *, n_jobs=1):
        """Cut an array into blocks of rows, without copying it.

        Parameters
        ----------
        array : ndarray, memmap, CSR matrix or data frame of shape (n_samples, ...)
            A memory map is read from its file block by block.
        block_rows : int, default=None
            Rows of a block; None is as many as take 64 MiB.
        n_jobs : int, default=1
            As in the constructor.

        Returns
        -------
        blocks : Blocks
        """
        if sparse.issparse(array) and array.format != "csr":
            raise TypeError(
                f"array must be a sparse matrix in CSR format to be cut, got {array.format}"
            )
        if not hasattr(array, "shape"):
            array = np.asarray(array)
        if len(array.shape) == 0 or array.shape[0] == 0:
            raise ValueError(f"array must have at least one row, got shape {array.shape}")
        n = array.shape[0]
        if block_rows is None:
            width = array.shape[1] if len(array.shape) > 1 else 1
            block_rows = max(1, _BLOCK_BYTES // (8 * max(width, 1)))
        if not isinstance(block_rows, Integral) or block_rows < 1:
            raise ValueError(f"block_rows must be a positive integer, got {block_rows!r}")
        starts = range(0, n, block_rows)
        blocks = cls([partial(_slice, array, s, s + block_rows) for s in starts], n_jobs=n_jobs)
        blocks._row_counts = [min(block_rows, n - s) for s in starts]
        return blocks

    @classmethod
    def from_parquet(cls, source, columns, *, n_jobs=1):
        """Columns of parquet files, one block for each row group.

        Needs ``pyarrow``. Only the columns that are asked for are read.

        Parameters
        ----------
        source : str, path, list of these, or pyarrow.dataset.Dataset
            A file, a folder, several of them, or a data set of parquet files.
        columns : str or list of str
            Names: of a list the blocks have two dimensions, of a single name one.
        n_jobs : int, default=1
            As in the constructor.

        Returns
        -------
        blocks : Blocks

        Raises
        ------
        ValueError
            If a column is not there, or the files hold no rows.
        TypeError
            If the data set is not one of parquet files.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> import pyarrow
        >>> from pyarrow import parquet
        >>> from skextra.linear_model import Ridge
        >>> from skextra.utils import Blocks
        >>> table = pyarrow.table({"a": np.arange(9.0), "b": np.arange(9.0) ** 2})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     parquet.write_table(table, f"{folder}/part-0.parquet", row_group_size=4)
        ...     X, y = (Blocks.from_parquet(folder, columns) for columns in (["a"], "b"))
        ...     len(X), Ridge(alpha=0).fit(X, y).coef_.round(6).tolist()
        (3, [8.0])
        """
        from pyarrow import dataset as arrow

        if not isinstance(source, arrow.Dataset):
            paths = [str(s) for s in source] if isinstance(source, list | tuple) else str(source)
            source = arrow.dataset(paths, format="parquet")
        if not all(isinstance(f, arrow.ParquetFileFragment) for f in source.get_fragments()):
            raise TypeError("source must be a data set of parquet files")
        names = [columns] if isinstance(columns, str) else list(columns)
        missing = [name for name in names if name not in source.schema.names]
        if missing or not names:
            raise ValueError(f"columns must be among {source.schema.names}, got {columns!r}")
        groups = [
            group
            for fragment in source.get_fragments()
            for group in fragment.split_by_row_group()
            if group.row_groups[0].num_rows
        ]
        if not groups:
            raise ValueError("source must hold at least one row, got none")
        is_vector = isinstance(columns, str)
        loaders = [partial(_read_group, group, names, is_vector, source.schema) for group in groups]
        blocks = cls(loaders, n_jobs=n_jobs)
        blocks._row_counts = [group.row_groups[0].num_rows for group in groups]
        blocks._columns = None if is_vector else tuple(names)
        return blocks

    @classmethod
    def unzip(cls, blocks, n_parts=2, *, n_jobs=1):
        """Blocks of features, targets and weights from blocks that hold them together.

        What is unzipped together and passed to one `fit` is loaded once for all of it.

        Parameters
        ----------
        blocks : sequence
            Tuples of `n_parts` arrays, or functions that return such a tuple.
        n_parts : int, default=2
            Length of the tuples.
        n_jobs : int, default=1
            As in the constructor.

        Returns
        -------
        parts : tuple of Blocks
        """
        whole = cls(blocks, n_jobs=n_jobs)
        parts = []
        for index in range(n_parts):
            loaders = [partial(_load_part, load, index, n_parts) for load in whole._loaders]
            part = cls(loaders, n_jobs=n_jobs)
            part._sources = whole._loaders
            part._pick = (index, n_parts)
            parts.append(part)
        return tuple(parts)

    def __len__(self):
        """Count the blocks."""
        return len(self._loaders)

    def __getitem__(self, index):
        """Load one block."""
        return self._loaders[index]()

    def __iter__(self):
        """Load one block after the other."""
        return (load() for load in self._loaders)

    def _make_rows(self, y, sample_weight, read_target):
        """Rows of these blocks, with targets and weights."""
        from skextra.utils._rows import Rows

        return Rows(self, y, sample_weight, read_target)


def _return(block):
    return block


def _slice(array, start, stop):
    rows = array.iloc if hasattr(array, "iloc") else array
    return rows[start:stop]


def _load_part(load, index, n_parts):
    return pick_part(load(), index, n_parts)


def pick_part(whole, index, n_parts):
    """One entry of a block that is a tuple."""
    if not isinstance(whole, tuple | list) or len(whole) != n_parts:
        raise TypeError(f"each block must be a tuple of {n_parts} arrays, got {_describe(whole)}")
    return whole[index]


def _describe(value):
    length = f" of length {len(value)}" if isinstance(value, tuple | list) else ""
    return type(value).__name__ + length


def _read_group(group, names, is_vector, schema):
    """Columns of a row group as one array."""
    table = group.to_table(schema=schema, columns=names, use_threads=False)
    if is_vector:
        return table.column(0).to_numpy()
    columns = [table.column(name) for name in names]
    is_single = all(str(column.type) == "float" for column in columns)
    X = np.empty((table.num_rows, len(names)), np.float32 if is_single else np.float64)
    for j, column in enumerate(columns):
        try:
            X[:, j] = column.to_numpy()
        except (TypeError, ValueError) as error:
            raise ValueError(f"column {names[j]!r} must hold numbers, got {column.type}") from error
    return X
