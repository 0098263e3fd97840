"""Which of the two paths from pings to visits suits a delivery of pings, and why."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

Path = Literal["crossings", "order_free"]

IRREGULAR = 3.0
"""The upper tenth of intervals over the median from which pings come on events, not on a clock."""
MOST_SORTED = 60_000_000
"""Pings that a machine with 16 GB sorts in memory."""
LONGEST_INTERVAL_S = 60.0
"""Up to here minutes are right within 2 % (proofs/patrols/dwell.md)."""
_LONGEST_STEP_S = 3600
_LOOKED_AT = 2_000_000


@dataclass(frozen=True)
class PathAdvice:
    """
    What a delivery of pings is like, and which path suits it.

    Attributes
    ----------
    path : str
        crossings or order_free. The path itself is chosen by name in `plan.toml`.
    reasons : tuple of str
        Sentences, for the run's summary.
    pings, devices : int
    median_interval_s, low_interval_s, high_interval_s : float or None
        Median and outer tenths of the time between a device's pings; hours of silence left out.
        None where no device has two.
    out_of_order_share, repeat_share, accuracy_share, speed_share : float
        Share of pings that lie before an earlier row of their device, that repeat a device-second,
        that give an accuracy, and a speed.
    """

    path: Path
    reasons: tuple[str, ...]
    pings: int
    devices: int
    median_interval_s: float | None
    low_interval_s: float | None
    high_interval_s: float | None
    out_of_order_share: float
    repeat_share: float
    accuracy_share: float
    speed_share: float

    def about(self, chosen: str) -> str:
        """
        Say which path is used and why, or why it does not suit.

        Parameters
        ----------
        chosen : str
            The path of `plan.toml`.

        Returns
        -------
        str
        """
        why = " ".join(self.reasons)
        if chosen == self.path:
            return f"Positions become visits by {chosen}, which suits them. {why}"
        said = f"Positions become visits by {chosen}, as the plan says; {self.path} suits them."
        return f"{said} {why}"


def choose_path(
    pings: pl.DataFrame, hotspots: pl.DataFrame, *, packed: int | None = None
) -> PathAdvice:
    """
    Look at the cadence, order and accuracy of pings, and say which path suits them.

    Of more than two million pings, those of every second, third, … device are looked at.

    Parameters
    ----------
    pings : table `ping`
        In the order of the files.
    hotspots : table `hotspot`
        How small the places are that accuracy has to tell apart.
    packed : int, optional
        Packed pings in all, where `pings` are those of some devices: packing has changed their
        order, and no path sorts all of them at once.

    Returns
    -------
    PathAdvice
        `pings` and `devices` count those that were looked at.
    """
    looked_at = _some(pings).select(
        "accuracy_m",
        "speed_m_s",
        device=pl.col("device_id").cast(pl.Categorical).to_physical(),
        at=pl.col("at").dt.epoch("us"),
    )
    facts = looked_at.select(
        out_of_order=(pl.col("at") < pl.col("at").cum_max().over("device")).mean(),
        accuracy=pl.col("accuracy_m").is_not_null().mean(),
        speed=pl.col("speed_m_s").is_not_null().mean(),
        usual_accuracy_m=pl.col("accuracy_m").median(),
    ).row(0, named=True)
    ordered = looked_at.select("device", "at").sort("device", "at")
    own = pl.col("device") == pl.col("device").shift()
    second = pl.col("at") // 1_000_000
    facts["repeated"] = ordered.select(
        (own & (second == second.shift())).fill_null(False).mean()
    ).item()
    steps = (
        ordered.select(step_s=pl.when(own).then(pl.col("at").diff() / 1e6))
        .filter(pl.col("step_s").is_between(0, _LONGEST_STEP_S, closed="right"))["step_s"]
        .to_numpy()
    )
    low, median, high = np.quantile(steps, [0.1, 0.5, 0.9]).tolist() if len(steps) else [None] * 3
    shares = [facts[name] or 0.0 for name in ("out_of_order", "repeated", "accuracy", "speed")]
    path, reasons = _judged(
        pings.height,
        *(median, high, shares, facts["usual_accuracy_m"], hotspots["area_m2"], packed),
    )
    return PathAdvice(
        path,
        reasons,
        pings.height,
        pings["device_id"].n_unique(),
        *(median, low, high),
        *map(float, shares),
    )


def _some(pings: pl.DataFrame) -> pl.DataFrame:
    every = -(-pings.height // _LOOKED_AT)
    if every < 2:
        return pings
    devices = pings["device_id"].unique().sort().gather_every(every)
    return pings.filter(pl.col("device_id").is_in(devices.implode()))


def _judged(
    pings: int,
    median: float | None,
    high: float | None,
    shares: list[float],
    accuracy_m: float | None,
    area_m2: pl.Series,
    packed: int | None,
) -> tuple[Path, tuple[str, ...]]:
    late, repeated, accurate, _ = shares
    if median is None or high is None:
        return "order_free", ("No device has two pings: there is no order to use.",)
    come = f"Pings come every {median:g} s (upper tenth {high:g} s); "
    reasons = [
        f"{come}{late:.1%} are out of order and {repeated:.1%} repeat a device-second, which "
        "neither path minds."
        if packed is None
        else f"{come}{repeated:.1%} repeat a device-second, which neither path minds "
        f"({pings:,} of {packed:,} packed positions were looked at)."
    ]
    if high > IRREGULAR * median:
        reasons.append("They come irregularly, so the time around a stay is a guess on both paths.")
    if median > LONGEST_INTERVAL_S:
        reasons.append(
            f"At more than {LONGEST_INTERVAL_S:g} s the order of pings tells little about what lay "
            "between them; minutes are uncertain, and thresholds near the interval mean nothing."
        )
        return "order_free", tuple(reasons)
    if packed is None and pings > MOST_SORTED:
        reasons.append("There are too many to sort in memory; the path without order streams.")
        return "order_free", tuple(reasons)
    if accurate < 0.5 or accuracy_m is None:
        reasons.append(
            f"Only {accurate:.0%} give an accuracy: name default_accuracy_m, or error at the fence "
            "is not corrected. Teleports and devices left on are seen all the same."
        )
        return "crossings", tuple(reasons)
    width_m = float(np.sqrt(area_m2.median())) if len(area_m2) else float("nan")  # type: ignore[arg-type]
    reasons.append(
        f"{accurate:.0%} give an accuracy, {accuracy_m:g} m in the middle, against places about "
        f"{width_m:.0f} m wide: that is used, and teleports and devices left on are taken out."
    )
    return "crossings", tuple(reasons)
