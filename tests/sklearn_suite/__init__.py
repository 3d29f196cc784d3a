"""scikit-learn's own shipped tests, run with our classes in place of theirs."""
