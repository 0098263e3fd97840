"""The page and the figure that `dwell.py` makes from its results."""

from collections.abc import Mapping
from typing import Any

RULES = ("raw", "one interval added", "the same, short gap", "straight line", "crossings")
TEN = (
    *("stays of ≥ 10 min found: raw", "one interval added", "the same, short gap", "crossings"),
    "shorter stays taken for 10 min by crossings",
)
COLOURS = ("#9a9a9a", "#e69f00", "#d55e00", "#56b4e9", "#0b3d91")


def page(results: Mapping[str, Any]) -> str:
    """Lay everything out as Markdown."""
    lines = [
        "# Minutes inside, against known truth",
        "",
        "Made by `python proofs/patrols/dwell.py`. Square hot spots of 150 to 200 m, visits of 8",
        "to 25 minutes, 10 % of pings missing; `walks.py` describes the patrols. Accuracy is the",
        "radius that holds 68 % of errors; drifting errors have a memory of 60 s. Brackets: 99 %",
        "Monte Carlo interval. Seeds are fixed.",
        "",
        "## By quality of positions and kind of patrol, a ping every 10 s",
        "",
        "| positions | patrols | number | bias of minutes, % | mean absolute error, s "
        "| sd stated, s | error (rms), s | interval holds the truth, % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for world, kinds in results["worlds"].items():
        for kind, one in kinds.items():
            cells = (world, kind, one["patrols"], _signed(one["bias"]))
            more = (one["mean_absolute_error_s"], one["mean_sd_s"], one["rmse_s"])
            lines.append(_row(*cells, *more, _percent(one["coverage"])))
    for memory, intervals in results["by_interval"].items():
        lines += [
            "",
            f"## By ping interval, accuracy 10 m, {memory} errors",
            "",
            "Bias of the minutes, %. Raw: last minus first ping inside. One interval added: the",
            "path that needs no order, with a gap of 180 s or 2.5 intervals, whichever is longer;",
            "short gap: 2.5 intervals. Straight line: crossings where the line between two pings",
            "crosses, at constant speed, corners included. Crossings: the second path.",
            "",
            _row("interval, s", *RULES, "interval holds the truth, %", *TEN),
            _row(*["---"] * (len(RULES) + len(TEN) + 2)),
        ]
        for interval, one in intervals.items():
            biases = [_signed(one[rule]) for rule in RULES]
            ten = [_whole(share) for share in one["ten_minutes"].values()]
            falsely = _whole(one["ten_minutes_falsely"]["crossings"])
            lines.append(_row(interval, *biases, _percent(one["coverage"]), *ten, falsely))
    titles = {
        "motion": "By how people move, a ping every 60 s, accuracy 5 m, no dropouts",
        "membership": "By what is done with accuracy, a ping every 10 s, accuracy 10 m",
        "usual_stay": "By `usual_stay_s`, accuracy 10 m (rows: seconds between pings)",
    }
    for name, title in titles.items():
        lines += _biases(f"## {title}: bias of minutes, %", results[name])
    return "\n".join([*lines, *_fence(results["fence"]), *_passing(results["passing"])]) + "\n"


def figure(results: Mapping[str, Any]) -> str:
    """Bias by ping interval as SVG."""
    import altair as alt
    import polars as pl
    import vl_convert

    rows = [
        {"interval": int(interval), "rule": rule, "bias": 100 * one[rule]["share"]}
        for interval, one in results["by_interval"]["independent"].items()
        for rule in RULES
    ]
    lines = (
        alt.Chart(pl.DataFrame(rows))
        .mark_line(point=True, clip=True)
        .encode(
            x=alt.X(
                "interval:Q",
                scale=alt.Scale(type="log", domain=[4.5, 330]),
                axis=alt.Axis(values=[5, 10, 15, 30, 60, 120, 300], grid=False),
                title="seconds between pings",
            ),
            y=alt.Y("bias:Q", title="bias of minutes, %", scale=alt.Scale(domain=[-20, 10])),
            color=alt.Color(
                "rule:N", title=None, sort=list(RULES), scale=alt.Scale(range=list(COLOURS))
            ),
        )
    )
    band = (
        alt.Chart(pl.DataFrame({"low": [-2], "high": [2]}))
        .mark_rect(opacity=0.15, color="#009e73")
        .encode(y="low:Q", y2="high:Q")
    )
    chart = (band + lines).properties(width=440, height=240).configure_view(strokeWidth=0)
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return svg + "\n"


def _biases(title: str, rows: Mapping[str, Any]) -> list[str]:
    columns = list(next(iter(rows.values())))
    return [
        *("", title, ""),
        _row("", *columns),
        _row(*["---"] * (len(columns) + 1)),
        *(_row(name, *(_signed(one[column]) for column in columns)) for name, one in rows.items()),
    ]


def _fence(fence: Mapping[str, Any]) -> list[str]:
    names = [name for name in next(iter(fence.values())) if "coverage" not in name]
    lines = [
        "",
        "## Ten minutes standing still at the fence, a ping every 10 s, accuracy 10 m",
        "",
        "Minutes found, by metres outside the fence (negative: inside).",
        "",
        _row("metres outside", *(name.replace("truth_min", "truth") for name in names)),
        _row(*["---"] * (len(names) + 1)),
    ]
    return lines + [_row(offset, *(one[name] for name in names)) for offset, one in fence.items()]


def _passing(passing: Mapping[str, Any]) -> list[str]:
    names = list(next(iter(passing.values())))
    lines = [
        "",
        "## Cars that pass through or cut a corner at 10 m/s without stopping, accuracy 5 m",
        "",
        "Seconds found for each true second, and the share of passes that became a visit by the",
        "second path. The path without order learns a device's interval from its visits: a device",
        "that was only ever seen once inside, as here at 30 s, counts nothing.",
        "",
        _row("interval, s", *names),
        _row(*["---"] * (len(names) + 1)),
    ]
    return lines + [
        _row(interval, *(one[name] for name in names)) for interval, one in passing.items()
    ]


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _whole(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.0f}"


def _signed(share: Mapping[str, float]) -> str:
    low, high = 100 * share["low"], 100 * share["high"]
    return f"{100 * share['share']:+.1f} ({low:+.1f} to {high:+.1f})"


def _percent(share: Mapping[str, float]) -> str:
    return f"{100 * share['share']:.1f} ({100 * share['low']:.1f}–{100 * share['high']:.1f})"
