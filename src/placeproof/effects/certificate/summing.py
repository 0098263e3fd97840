"""From many scores to coverage, bias, false alarms and power, each with its Monte Carlo error."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from placeproof.effects.certificate.judging import Score

MONTE_CARLO_LEVEL = 0.99
POWER = 0.80
MOST_WITHOUT = 0.05
"""Share of studies without an interval from which an estimator cannot be certified."""
LEAST_STUDIES = 100
"""Fewer simulated studies certify nothing: a bad estimator would pass by chance."""

Share = dict[str, float]
"""share, low, high, studies: with its exact 99 % Monte Carlo interval."""


@dataclass(frozen=True)
class Bands:
    """What a planned estimator must keep to carry a headline."""

    coverage: tuple[float, float]
    false_alarms: tuple[float, float]
    largest_bias: float
    """On the log scale, or as a share."""


def share(hits: int, studies: int) -> Share:
    """
    Give a share with its exact 99 % Monte Carlo interval.

    Parameters
    ----------
    hits, studies : int
        How often, of how many.

    Returns
    -------
    dict
        share, low, high, studies.
    """
    outer = (1 - MONTE_CARLO_LEVEL) / 2
    low = float(stats.beta.ppf(outer, hits, studies - hits + 1)) if hits else 0.0
    high = float(stats.beta.isf(outer, hits + 1, studies - hits)) if hits < studies else 1.0
    return {
        "share": hits / studies,
        "low": _short(low),
        "high": _short(high),
        "studies": studies,
    }


def outside(one: Share, band: tuple[float, float]) -> bool:
    """
    Say whether the Monte Carlo interval of a share lies wholly outside a band.

    Parameters
    ----------
    one : dict
        From `share`.
    band : (float, float)
        What is accepted.

    Returns
    -------
    bool
        False where a part of the interval lies inside.
    """
    return one["high"] < band[0] or one["low"] > band[1]


def summary(scores: Sequence[Score]) -> dict[str, object]:
    """
    Sum up how an estimator fared in many studies of one truth.

    Parameters
    ----------
    scores : sequence of Score
        One for each study.

    Returns
    -------
    dict
        studies; without_interval (studies); coverage and found (shares, absent where nothing of
        the kind was made); bias, bias_error (Monte Carlo standard error), spread (standard
        deviation of the errors) and mean_standard_error.
    """
    made: dict[str, object] = {"studies": len(scores)}
    covered = [one.covered for one in scores if one.covered is not None]
    found = [one.found for one in scores if one.found is not None]
    made["without_interval"] = len(scores) - len(found)
    if covered:
        made["coverage"] = share(sum(covered), len(covered))
    if found:
        made["found"] = share(sum(found), len(found))
    errors = np.array([one.error for one in scores])
    errors = errors[np.isfinite(errors)]
    if len(errors) > 1:
        made["bias"] = _short(float(errors.mean()))
        made["bias_error"] = _short(float(errors.std(ddof=1) / math.sqrt(len(errors))))
        made["spread"] = _short(float(errors.std(ddof=1)))
        widths = np.array([one.standard_error for one in scores])
        if np.isfinite(widths).any():
            made["mean_standard_error"] = _short(float(np.nanmean(widths)))
    return made


def verdict(by_ratio: Mapping[float, Mapping[str, object]], bands: Bands) -> tuple[str, str]:
    """
    Say whether an estimator may carry a headline in studies like these.

    Parameters
    ----------
    by_ratio : mapping of float to dict
        True rate ratio to `summary`; 1 is among them.
    bands : Bands
        What is accepted.

    Returns
    -------
    (str, str)
        certified, barred or not_certifiable; and why, in words for a reader.
    """
    lacking = _lacking(by_ratio)
    if lacking:
        return "not_certifiable", lacking
    faults = [
        *_of_coverage(by_ratio, bands),
        *_of_false_alarms(by_ratio, bands),
        *_of_bias(by_ratio, bands),
    ]
    return ("barred", " ".join(faults)) if faults else ("certified", "")


def _lacking(by_ratio: Mapping[float, Mapping[str, object]]) -> str:
    for one in by_ratio.values():
        studies, without = _whole(one["studies"]), _whole(one["without_interval"])
        if without > MOST_WITHOUT * studies:
            if without == studies:
                return "It gives no interval in any of the simulated studies."
            return f"It gives no interval in {without:,} of {studies:,} simulated studies."
        if studies < LEAST_STUDIES:
            return f"It was tried on {studies} studies; fewer than {LEAST_STUDIES} say too little."
    return ""


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _of_coverage(by_ratio: Mapping[float, Mapping[str, object]], bands: Bands) -> list[str]:
    wrong = {
        ratio: one["coverage"]
        for ratio, one in by_ratio.items()
        if isinstance(one.get("coverage"), dict) and outside(one["coverage"], bands.coverage)  # type: ignore[arg-type]
    }
    if not wrong:
        return []
    return [
        f"Its interval holds the truth in {_listed([_per_cent(one) for one in wrong.values()])} of "
        f"studies whose true rate ratio is {_listed([f'{ratio:g}' for ratio in wrong])}; accepted "
        f"are {_band(bands.coverage)}."
    ]


def _of_false_alarms(by_ratio: Mapping[float, Mapping[str, object]], bands: Bands) -> list[str]:
    found = by_ratio[1.0].get("found")
    if not isinstance(found, dict) or not outside(found, bands.false_alarms):
        return []
    return [
        f"Where patrols change nothing, it sees an effect in {_per_cent(found)} of studies; "
        f"accepted are {_band(bands.false_alarms)}."
    ]


def _of_bias(by_ratio: Mapping[float, Mapping[str, object]], bands: Bands) -> list[str]:
    faults = []
    reach = float(stats.norm.ppf(0.5 + MONTE_CARLO_LEVEL / 2))
    for ratio, one in by_ratio.items():
        bias, error = one.get("bias"), one.get("bias_error")
        if not isinstance(bias, float) or not isinstance(error, float):
            continue
        if abs(bias) - reach * error > bands.largest_bias:
            faults.append(
                f"Where the true rate ratio is {ratio:g}, it misses it by {bias:+.3f} on average; "
                f"accepted is {bands.largest_bias:g}."
            )
    return faults


def _per_cent(one: object) -> str:
    assert isinstance(one, dict)
    return f"{100 * one['share']:.1f} %"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _band(band: tuple[float, float]) -> str:
    return f"{100 * band[0]:g} to {100 * band[1]:g} %"


@dataclass(frozen=True)
class Detectable:
    """The smallest true effect that is found in 80 of 100 studies."""

    rate_ratio: float
    low: float
    """Ends of its 99 % Monte Carlo interval, the one nearer to 0 first."""
    high: float


def ladder(null: Sequence[Score]) -> tuple[float, ...]:
    """
    Choose the true effects at which power is tried.

    Parameters
    ----------
    null : sequence of Score
        Of the estimator in studies without effect.

    Returns
    -------
    tuple of float
        Log rate ratios, falls and rises; empty where there is no interval.
    """
    reach = np.array([one.reach for one in null])
    errors = np.array([one.error for one in null])
    if not np.isfinite(reach).any():
        return ()
    guess = float(np.nanmean(reach)) + float(stats.norm.ppf(POWER)) * float(np.nanstd(errors))
    steps = [_short(min(6.0, factor * guess)) for factor in (0.7, 0.9, 1.1, 1.4)]
    return (*(-step for step in reversed(steps)), *steps)


def detectable(tried: Sequence[tuple[float, int, int]]) -> Detectable | None:
    """
    Find the effect that is seen in 80 of 100 studies, from power at several effects.

    Parameters
    ----------
    tried : sequence of (float, int, int)
        Log rate ratio, all of one sign; studies in which an effect was found; studies.

    Returns
    -------
    Detectable or None
        By a probit of power on the log rate ratio; None where power does not rise with it, or
        80 % lies far outside what was tried.
    """
    at = np.array([abs(one[0]) for one in tried])
    hits, studies = (np.array([one[k] for one in tried], dtype=float) for k in (1, 2))
    if len(at) < 2 or not studies.all() or hits.max() < 0.5 * studies.max():
        return None
    scale = at.mean()

    def loss(terms: np.ndarray) -> float:
        line = terms[0] + terms[1] * at / scale
        return -float(
            (hits * stats.norm.logcdf(line) + (studies - hits) * stats.norm.logsf(line)).sum()
        )

    best = optimize.minimize(loss, np.array([-2.0, 2.8]), method="BFGS").x
    if best[1] <= 0:
        return None
    basis = np.stack([np.ones(len(at)), at / scale], axis=1)
    line = basis @ best
    density, power = stats.norm.pdf(line), np.clip(stats.norm.cdf(line), 1e-9, 1 - 1e-9)
    weights = studies * density**2 / (power * (1 - power))
    covariance = np.linalg.pinv(basis.T @ (weights[:, None] * basis))
    wanted = float(stats.norm.ppf(POWER))
    found = (wanted - best[0]) / best[1] * scale
    slope = np.array([-1.0, -found / scale]) * scale / best[1]
    error = float(np.sqrt(max(0.0, slope @ covariance @ slope)))
    if not 0.3 * at.min() < found < 2 * at.max():
        return None
    reach = float(stats.norm.ppf(0.5 + MONTE_CARLO_LEVEL / 2)) * error
    sign = math.copysign(1.0, tried[0][0])
    ends = sorted(math.exp(sign * value) for value in (found - reach, found + reach))
    return Detectable(_short(math.exp(sign * found)), _short(ends[0]), _short(ends[1]))


def _short(value: float) -> float:
    return float(f"{value:.8g}")
