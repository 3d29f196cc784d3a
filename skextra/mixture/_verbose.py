"""What a fit prints, in scikit-learn's words."""

from time import perf_counter


class Printer:
    """Prints the progress of one start.

    Parameters
    ----------
    verbose : int
        0 for nothing, 1 for iterations, 2 for times and changes.
    interval : int
        Iterations between two lines.
    number : int
        Of the start.
    """

    def __init__(self, verbose, interval, number):
        self.verbose, self.interval = verbose, interval
        self.begin = self.last = perf_counter()
        if verbose:
            print(f"Initialization {number}")

    def print_iteration(self, iteration, change):
        """Print a line, if it is time for one; `change` is None for a step in vain."""
        if not self.verbose or iteration % self.interval:
            return
        if self.verbose == 1:
            print(f"  Iteration {iteration}")
            return
        now = perf_counter()
        shown = "none" if change is None else f"{change:.5f}"
        print(f"  Iteration {iteration}\t time lapse {now - self.last:.5f}s\t ll change {shown}")
        self.last = now

    def print_end(self, bounds, converged):
        """Print how the start ended."""
        if not self.verbose or not bounds:
            return
        state = "converged." if converged else "did not converge."
        line = f"Initialization {state}"
        if self.verbose >= 2:
            seconds = perf_counter() - self.begin
            line += f" time lapse {seconds:.5f}s\t lower bound {bounds[-1]:.5f}."
        print(line)
