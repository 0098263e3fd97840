"""Effects in events a place and step, and the ratio that they amount to."""

import math
from dataclasses import dataclass, field

from placeproof.effects.inference import Spread, spread


@dataclass(frozen=True)
class Linear:
    """The mean effect over treated place-steps on the scale of counts."""

    effect: float
    """Events more (or, negative, fewer) a place and step."""
    error: float
    """Standard error of it; not finite where the places do not bear one."""
    observed: float
    """Mean events a place and step over the same place-steps."""
    cells: int
    """Treated place-steps that it rests on."""
    treated_places: int
    comparison_places: int
    by_step: tuple[tuple[int, float, float], ...] = ()
    """Steps since the start, effect and standard error, where the estimator gives them."""
    notes: dict[str, object] = field(default_factory=dict)
    refusal: str | None = None

    @property
    def expected(self) -> float:
        """Mean events a place and step had no patrol come, by this estimator."""
        return self.observed - self.effect

    @property
    def degrees(self) -> int:
        """Degrees of freedom of t, as for the headline: treated places minus 1."""
        return self.treated_places - 1


def refused_linear(reason: str) -> Linear:
    """
    Make an effect that says why there is none.

    Parameters
    ----------
    reason : str
        In plain words.

    Returns
    -------
    Linear
        With `refusal`.
    """
    nothing = math.nan
    return Linear(nothing, nothing, nothing, 0, 0, 0, refusal=reason)


def events_spread(made: Linear, *, level: float) -> Spread | None:
    """
    Make the interval of the effect in events.

    Parameters
    ----------
    made : Linear
        With an effect.
    level : float
        Coverage that the interval claims.

    Returns
    -------
    Spread or None
        None where there is no usable standard error, or a single treated place.
    """
    if made.degrees < 1 or not math.isfinite(made.error) or made.error <= 0:
        return None
    return spread(made.effect, made.error, degrees=made.degrees, level=level)


def log_spread(made: Linear, *, level: float) -> Spread | None:
    """
    Make the interval of the ratio on the log scale.

    The ratio is observed over expected, expected = observed − effect. Its error on the log scale is
    the error in events divided by the logarithmic mean of the two, (observed − expected) /
    log(observed / expected): so effect and ratio have one p-value, and where they differ little
    the error is relative to the expected count, the observed count being held as it is for events
    prevented.

    Parameters
    ----------
    made : Linear
        With an effect.
    level : float
        Coverage that the interval claims.

    Returns
    -------
    Spread or None
        None where there is no usable standard error, or no ratio.
    """
    if events_spread(made, level=level) is None or made.expected <= 0 or made.observed <= 0:
        return None
    ratio = math.log(made.observed / made.expected)
    mean = made.effect / ratio if abs(ratio) > 1e-9 else made.expected
    made_spread = spread(ratio, made.error / mean, degrees=made.degrees, level=level)
    return made_spread if max(abs(made_spread.lower), abs(made_spread.upper)) < 500 else None
