"""Time and peak memory of fits whose kernels are compiled."""

import warnings

from tracked._cases import CASES


class Fit:
    """One fit of each case."""

    params = list(CASES)
    param_names = ["case"]
    # Compilation belongs to cold_start.py.
    warmup_time = 0.5

    def setup(self, case):
        warnings.simplefilter("ignore")  # a fit that is cut short says so, here on purpose
        self.fit = CASES[case]()
        self.fit()

    def time_fit(self, case):
        self.fit()

    def peakmem_fit(self, case):
        self.fit()
