"""The proof of minutes at reduced counts: a band is missed only beyond Monte Carlo error."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

PROOFS = Path(__file__).resolve().parents[2] / "proofs" / "patrols"
FEW = 24


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, PROOFS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


walks, dwell, pages = load("walks"), load("dwell"), load("dwell_pages")


@pytest.mark.parametrize("memory_s", [0.0, 60.0])
def test_known_routes_are_recovered(memory_s: float) -> None:
    """5 m noise and 10 % dropouts: within a minute on average; 10 m: bias below 5 %."""
    made, places = dwell.patrols(FEW, 11), dwell.hotspots()
    for accuracy_m in (5.0, 10.0):
        world = walks.World(10.0, accuracy_m, memory_s, 0.1)
        found = dwell.crossing(dwell.positions(made, world, 12), places, world)
        one = dwell.accuracy_of(made, found, walks.KINDS)
        assert not dwell.outside(one["bias"], dwell.BIAS_BAND)
        assert abs(one["bias"]["share"]) < 0.05
        assert not dwell.outside(one["coverage"], dwell.COVERAGE_BAND)
        if accuracy_m == 5.0:
            assert one["mean_absolute_error_s"] < dwell.MEAN_ERROR_S


@pytest.mark.parametrize("interval_s", [5.0, 30.0, 60.0])
def test_minutes_stay_right_up_to_a_ping_a_minute(interval_s: float) -> None:
    made, places = dwell.patrols(FEW, 13), dwell.hotspots()
    world = walks.World(interval_s, 10.0, 0.0, 0.1)
    found = dwell.crossing(dwell.positions(made, world, 14), places, world)
    one = dwell.accuracy_of(made, found, walks.KINDS)
    assert not dwell.outside(one["bias"], dwell.MINUTES_BAND)


def test_the_straight_line_is_exact_for_who_walks_straight() -> None:
    """The proof's own straight lines, by hand: 100 m at 1 m/s through a corner."""
    route = np.linspace([-300.0, 20.0], [300.0, 20.0], 601)
    made = [dwell.Walked("foot", 150.0, route, walks.true_dwell_s(route, 150.0))]
    world = walks.World(60.0, 0.01, 0.0, 0.0)
    pings = dwell.positions(made, world, 15)
    assert dwell.straight_s(made, pings)[0] == pytest.approx(150, abs=1)


def test_kept_results_are_whole_and_meet_their_bands() -> None:
    import json

    kept = json.loads((PROOFS / "dwell.json").read_text(encoding="utf-8"))
    assert dwell.failures(kept) == []
    assert (PROOFS / "dwell.md").read_text(encoding="utf-8") == pages.page(kept)
    assert kept["worlds"]["10 m, independent"]["all"]["patrols"] == 5 * dwell.PER_KIND
