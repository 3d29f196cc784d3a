"""One line on a terminal that says how far a comparison has come."""

import shutil


class ProgressLine:
    """Rewrites one line of `stream`; does nothing where it is None.

    Parameters
    ----------
    stream : text file or None
    """

    def __init__(self, stream):
        self.stream = stream

    def show(self, done, total, text):
        """Replace the line by ``[done/total] text``."""
        if self.stream is not None:
            width = shutil.get_terminal_size().columns - 1
            self._write(f"[{done}/{total}] {text}"[:width])

    def clear(self):
        """Leave the terminal as it was."""
        if self.stream is not None:
            self._write("")

    def _write(self, line):
        self.stream.write(f"\r\x1b[K{line}")
        self.stream.flush()
