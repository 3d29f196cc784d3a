"""How far a comparison has come: one line that changes on a terminal, else a line each."""

import shutil


class ProgressLine:
    """Writes progress to `stream`; does nothing where it is None.

    Parameters
    ----------
    stream : text file or None
        On a terminal one line is rewritten, elsewhere (a file, a pipe, a notebook's log)
        every step gets a line of its own.
    """

    def __init__(self, stream):
        self.stream = stream
        self.rewrites = stream is not None and stream.isatty()

    def show(self, done, total, text):
        """Say ``[done/total] text``."""
        line = f"[{done}/{total}] {text}"
        if self.rewrites:
            self._write(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}")
        elif self.stream is not None:
            self._write(line + "\n")

    def clear(self):
        """Leave the terminal as it was."""
        if self.rewrites:
            self._write("\r\x1b[K")

    def _write(self, text):
        self.stream.write(text)
        self.stream.flush()
