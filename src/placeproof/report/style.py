"""The one visual language: a type scale, and a palette in which a colour has one meaning."""

from importlib.resources import files

HOT_SPOT = "#9C3A06"
RING = "#BF8700"
COMPARISON = "#3F86BF"
SUPPRESSED = "#7D838C"
INK = "#16191D"
QUIET = "#454B54"
LINE = "#C9CDD3"
WASH = "#F4F5F7"
PAPER = "#FFFFFF"

MEANING: dict[str, str] = {
    "hot spot": HOT_SPOT,
    "ring": RING,
    "comparison": COMPARISON,
    "suppressed": SUPPRESSED,
}
"""A colour says what kind of place a figure speaks of, and nothing else."""

MARKER: dict[str, str] = {
    "hot spot": "circle",
    "ring": "diamond",
    "comparison": "square",
    "suppressed": "cross",
}
"""The same meanings by shape, for readers and printers without colour."""

DASH: dict[str, list[int]] = {
    "hot spot": [1, 0],
    "ring": [6, 3],
    "comparison": [2, 3],
    "suppressed": [1, 6],
}
"""The same meanings by line."""

SANS = 'system-ui, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif'
FIGURE_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
PRINT_FONTS: tuple[str, ...] = (
    "Liberation Sans",
    "Arial",
    "Helvetica",
    "DejaVu Sans",
    "Noto Sans",
    "Nirmala UI",
    "Libertinus Serif",
)
"""Fonts that a machine may have; the last is inside the typesetter, so one is always found."""


def css() -> str:
    """The style sheet of the page, its colours taken from here."""
    colours = {
        "hot-spot": HOT_SPOT,
        "ring": RING,
        "comparison": COMPARISON,
        "suppressed": SUPPRESSED,
        "ink": INK,
        "quiet": QUIET,
        "line": LINE,
        "wash": WASH,
        "paper": PAPER,
        "sans": SANS,
    }
    root = "".join(f"--{name}:{value};" for name, value in colours.items())
    sheet = files("placeproof.report").joinpath("style.css").read_text(encoding="utf-8")
    return f":root{{{root}}}\n{sheet}"


def kind_of(population: str) -> str:
    """Which meaning a population has: hot spot, ring or comparison."""
    words = population.casefold()
    if words.startswith("ring"):
        return "ring"
    return "comparison" if "comparison" in words else "hot spot"


def chart_config() -> dict[str, object]:
    """What every chart shares: font, sizes, quiet axes."""
    words = {"labelFont": FIGURE_FONT, "titleFont": FIGURE_FONT, "labelColor": QUIET}
    return {
        "background": PAPER,
        "font": FIGURE_FONT,
        "view": {"stroke": None},
        "axis": {
            **words,
            "titleColor": QUIET,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "domainColor": LINE,
            "tickColor": LINE,
            "gridColor": "#E6E8EB",
            "labelLimit": 400,
        },
        "legend": {**words, "titleColor": QUIET, "labelFontSize": 12, "orient": "top"},
        "header": words,
    }
