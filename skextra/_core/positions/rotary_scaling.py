"""Frequencies of rotary encodings that are stretched beyond the range they were made for.

Each rule maps the plain frequencies to new ones. `n_pairs` frequencies stand for a
width of ``2 * n_pairs`` features; `factor` is by how much the range grows and
`original_length` what it was.
"""

from decimal import Decimal, localcontext

from skextra._core.positions.frequencies import DIGITS, PI, compute_geometric

RULES = (
    "linear", "ntk", "ntk-fixed", "ntk-mixed", "dynamic", "ntk-by-parts", "yarn",
    "yarn-transformers", "llama3",
)  # fmt: skip
#: Rules that need to know the original length.
LENGTH_RULES = ("dynamic", "ntk-by-parts", "yarn", "yarn-transformers", "llama3")
#: Rotations within the original length below which a frequency is stretched in
#: full, and above which it is left alone.
RAMPS = {"ntk-by-parts": (1.0, 32.0), "yarn": (1.0, 32.0), "llama3": (1.0, 4.0)}
RAMPS["yarn-transformers"] = RAMPS["yarn"]


def compute_rotary(n_pairs, base, rule=None, factor=1.0, original_length=None, **options):
    """Angular frequencies of a rotary encoding, and the factor of its amplitudes.

    Parameters
    ----------
    n_pairs : int
    base : float
    rule : str or None
        One of `RULES`.
    factor : float
        At least 1.
    original_length : float or None
        Needed by `LENGTH_RULES`.
    **options
        ``ramp``, a pair of rotations, for the rules in `RAMPS`; ``length`` for
        'dynamic'; ``truncate`` for 'yarn-transformers'; ``exponent`` for
        'ntk-mixed'.

    Returns
    -------
    angular : tuple of Decimal
        Radians per unit of position.
    amplitude : float
    """
    with localcontext(prec=DIGITS):
        plain = compute_geometric(base, n_pairs, max(n_pairs, 1))
        if rule is None or n_pairs == 0 or (factor == 1.0 and rule != "dynamic"):
            return plain, 1.0
        k = Decimal(factor)
        amplitude = 1.0
        if rule.startswith("yarn"):
            amplitude = float(1 + k.ln() / 10)
        if rule == "yarn-transformers":
            angular = _ramp_by_index(plain, base, k, original_length, **options)
            return tuple(angular), amplitude
        if rule in RAMPS:
            ramp = options.get("ramp", RAMPS[rule])
            return tuple(_ramp_by_rotations(plain, k, original_length, ramp)), amplitude
        angular = _STRETCHES[rule](plain, base, k, original_length, **options)
        return tuple(angular), amplitude


def _stretch_evenly(plain, base, k, original_length):
    return [w / k for w in plain]


def _raise_base(plain, base, k, original_length):
    n = len(plain)
    if n == 1:
        return plain
    # The slowest frequency is stretched by k, the fastest one not at all.
    ratio = (k.ln() / (n - 1)).exp()
    return [w / ratio**i for i, w in enumerate(plain)]


def _raise_base_dynamically(plain, base, k, original_length, length=None):
    longer = max(Decimal(original_length if length is None else length), Decimal(original_length))
    stretched = k * longer / Decimal(original_length) - (k - 1)
    return _raise_base(plain, base, stretched, original_length)


def _stretch_digits(plain, base, k, original_length):
    # Su's correction: theta_m = n / (l (b l)^(m-1)) with l = k^(1/n) and digits of base b.
    ratio = (k.ln() / len(plain)).exp()
    return [w / ratio ** (i + 1) for i, w in enumerate(plain)]


def _stretch_mixed(plain, base, k, original_length, exponent=0.625):
    # l_1 ... l_m = exp(a m^b), a such that the slowest frequency is stretched by k.
    b = Decimal(exponent)
    a = k.ln() / Decimal(len(plain)) ** b
    return [w / (a * Decimal(i + 1) ** b).exp() for i, w in enumerate(plain)]


def _ramp_by_rotations(plain, k, original_length, ramp):
    low, high = (Decimal(r) for r in ramp)
    blended = []
    for w in plain:
        rotations = Decimal(original_length) * w / (2 * PI)
        kept = min(max((rotations - low) / (high - low), Decimal(0)), Decimal(1))
        blended.append(kept * w + (1 - kept) * w / k)
    return blended


def _ramp_by_index(plain, base, k, original_length, ramp=RAMPS["yarn"], truncate=True):
    # The transformers library ramps over the index of the pair, between rounded ends.
    slow, fast = (Decimal(r) for r in ramp)

    def find_index(rotations):
        ratio = Decimal(original_length) / (rotations * 2 * PI)
        return len(plain) * ratio.ln() / Decimal(base).ln()

    low, high = find_index(fast), find_index(slow)
    if truncate:
        low = low.to_integral_value("ROUND_FLOOR")
        high = high.to_integral_value("ROUND_CEILING")
    low, high = max(low, Decimal(0)), min(high, Decimal(2 * len(plain) - 1))
    if low == high:
        high += Decimal("0.001")
    blended = []
    for i, w in enumerate(plain):
        stretched = min(max((i - low) / (high - low), Decimal(0)), Decimal(1))
        blended.append(stretched * w / k + (1 - stretched) * w)
    return blended


_STRETCHES = {
    "linear": _stretch_evenly,
    "ntk": _raise_base,
    "ntk-fixed": _stretch_digits,
    "ntk-mixed": _stretch_mixed,
    "dynamic": _raise_base_dynamically,
}
