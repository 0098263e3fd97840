"""What patrols did: positions to visits, dose, compliance and routes, each made once for a run."""

from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from placeproof import calendar, patrols
from placeproof.files.premises import premises
from placeproof.files.streets import streets
from placeproof.patrols.reported import reporting
from placeproof.study import drawing, following, position_files, ringing, visiting
from placeproof.study.counting import nights
from placeproof.study.patrol_names import unknown_names
from placeproof.study.work import Work
from placeproof.tables import estimate

if TYPE_CHECKING:
    from placeproof.patrols.dividing import Night

_LOOKED_AT = 1_000_000
"""Packed positions, about as many, by which it is judged which path suits them."""


def measure_patrols(work: Work) -> None:
    """
    Say what was delivered, and keep what the panel, the sheets and the return rest on.

    Parameters
    ----------
    work : Work
        The run; estimates and the tables of patrols are added.
    """
    _Measuring(work).all()


class _Measuring:
    """One run's patrols: what several parts need is made once."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.plan = work.plan.patrols
        self.pings = work.inputs.get("ping")
        self.tasking = work.inputs.get("tasking")
        self.delivered = work.inputs.get("delivered")
        self.log = work.inputs.get("patrol_log")

    def all(self) -> None:
        """Measure everything."""
        said = unknown_names(self.work.study, self.plan, self.work.inputs)
        self.work.inputs = self.work.inputs.noting(said)
        rows = self.dose_rows() + self.planned_rows()
        self.work.add(estimate.rows(patrols.finished(rows)))
        self.keep_minutes()
        self.draw()
        if self.work.hotspots is not None:
            self.work.tables["hotspot"] = self.work.hotspots

    @cached_property
    def premises(self) -> pl.DataFrame | None:
        """Premises of the study, or None."""
        path = self.work.study.premises
        return None if path is None else premises(path)

    @cached_property
    def positions(self) -> "position_files.Positions | None":
        """Where positions are, if some of them are packed; None: table ping is all there is."""
        return position_files.positions_of_study(self.work.study, self.pings)

    @cached_property
    def found(self) -> "visiting.Visits | None":
        """Visits of positions, by the path that the plan names."""
        made = None if self.work.hotspots is None else self.visits_in(self.work.hotspots)
        if made is None:
            return None
        self.work.patrol_facts |= made.facts | {"why": self.why(made)}
        self.work.tables["visit"] = made.visits
        if made.cleaned is not None:
            self.work.tables["positions_cleaned"] = made.cleaned
        return made

    @cached_property
    def around(self) -> dict[str, pl.DataFrame]:
        """Visits to the rings around hot spots."""
        if self.found is None or self.work.hotspots is None:
            return {}
        rings = ringing.ring_register(
            self.work.hotspots, self.work.comparison, edges_m=self.work.plan.ring_edges_m
        )
        made = None if rings.is_empty() else self.visits_in(rings)
        return {} if made is None else ringing.by_ring(made.visits)

    def visits_in(self, outlines: pl.DataFrame) -> "visiting.Visits | None":
        """Visits to outlines: ids, days and shapes of a table `hotspot`."""
        if self.positions is not None:
            return self.of_packed(self.positions, outlines)
        return None if self.pings is None else self.of_table(self.pings, outlines)

    def of_table(self, pings: pl.DataFrame, outlines: pl.DataFrame) -> "visiting.Visits":
        """Visits of positions that are in memory."""
        cleaned = None
        if self.plan.path == "crossings":
            by_crossings = patrols.visits_by_crossings(
                pings, outlines, premises=self.premises, rules=self.plan.crossing_rules
            )
            made, cleaned = by_crossings.visits, by_crossings.cleaned
        else:
            made = patrols.visits(
                pings,
                outlines,
                longest_gap_s=self.plan.longest_gap_s,
                shortest_dwell_s=self.plan.shortest_dwell_s,
            )
        facts = {"path": self.plan.path}
        return visiting.Visits(made, patrols.device_days(pings), facts, cleaned)

    def of_packed(
        self, positions: "position_files.Positions", outlines: pl.DataFrame
    ) -> "visiting.Visits":
        """Visits of packed positions, whatever their number."""
        from placeproof.patrols.outline_index import OutlineIndex

        index = OutlineIndex.of(outlines)
        if self.plan.path == "crossings":
            return following.visits_by_crossing(
                positions,
                index,
                rules=self.plan.crossing_rules,
                premises=None if self.premises is None else patrols.premises_index(self.premises),
                progress=self.work.progress,
            )
        return visiting.visits_of_sources(
            positions,
            index,
            longest_gap_s=self.plan.longest_gap_s,
            shortest_dwell_s=self.plan.shortest_dwell_s,
            progress=self.work.progress,
        )

    def why(self, made: "visiting.Visits") -> str:
        """Which path suits these positions, and why."""
        assert self.work.hotspots is not None
        if self.positions is None:
            assert self.pings is not None
            return patrols.choose_path(self.pings, self.work.hotspots).about(self.plan.path)
        some: list[pl.DataFrame] = []
        for pings in position_files.by_device(self.positions, most=_LOOKED_AT):
            some.append(pings)
            if sum(part.height for part in some) >= _LOOKED_AT:
                break
        if not some:
            return str(made.facts["why"])
        advice = patrols.choose_path(
            pl.concat(some), self.work.hotspots, packed=made.facts["pings"]
        )
        said = advice.about(self.plan.path)
        return said if self.plan.path == visiting.CROSSINGS else f"{said} {made.facts['why']}"

    @cached_property
    def reported(self) -> pl.DataFrame | None:
        """When each device reported anything; asked where logs are held against positions."""
        if self.log is None or self.found is None:
            return None
        if self.positions is not None:
            return position_files.reported_of(self.positions, slot_s=self.plan.silence_s)
        assert self.pings is not None
        return reporting(self.pings, slot_s=self.plan.silence_s)

    def dose_rows(self) -> "list[patrols.Row]":
        """Rows about the dose; table `dose` is kept."""
        found = self.found
        made = patrols.doses(
            visit=None if found is None else found.visits,
            device_days=None if found is None else found.device_days,
            hotspots=self.work.hotspots,
            tasking=self.tasking,
            delivered=self.delivered,
            officers=patrols.stated_officers(
                patrol_log=self.log, tasking=self.tasking if self.log is None else None
            ),
            events=self.work.inputs.get("event"),
            ring_visits=self.around,
            rules=patrols.DoseRules(
                presets=tuple(calendar.NTE_PRESETS),
                nte_id=self.work.plan.nte,
                bands=True,
                longest_gap_s=self.plan.longest_gap_s,
                shortest_dwell_s=self.plan.shortest_dwell_s,
                made_by=self.plan.path,
                tasked_by=self.plan.tasked_by,  # type: ignore[arg-type]
                vehicle_devices=frozenset(self.plan.vehicle_devices),
                without_gps=frozenset(self.plan.without_gps),
            ),
        )
        self.work.tables["dose"] = made.dose
        return made.rows

    def planned_rows(self) -> "list[patrols.Row]":
        """Rows about compliance and logs; table `attendance` is kept."""
        found = self.found
        days = None if found is None else found.observed_days
        held = patrols.as_planned(
            tasking=self.tasking,
            visit=None if found is None else found.visits,
            observed_days=pl.Series("operating_day", [], pl.Date) if days is None else days,
            reported=self.reported,
            delivered=self.delivered,
            patrol_log=self.log,
            stop_search=self.work.inputs.get("stop_search"),
            hotspots=self.work.hotspots,
            dose=self.work.tables["dose"],
            night=self.night(),
            rules=self.plan.planned_rules,
        )
        self.work.tables["attendance"] = held.attendance
        self.work.tables["activity_unmapped"] = held.unmapped
        self.work.observations = held.observations
        return held.rows

    def night(self) -> "Night":
        """Hours of the night-time economy over all that patrols speak of."""
        days = [self.work.study.start, self.work.study.cut_off]
        for table, column in ((self.tasking, "window_from"), (self.log, "started_at")):
            if table is not None:
                days += [value.date() for value in (table[column].min(), table[column].max())]  # type: ignore[union-attr]
        preset = self.work.plan.nte
        return patrols.Night(nights(self.work, preset, first=min(days), last=max(days)), preset)

    def keep_minutes(self) -> None:
        """Put planned and delivered minutes where the panel finds them."""
        if self.tasking is not None:
            self.work.tables["planned_minutes"] = patrols.planned_minutes(
                self.tasking, include_cancelled=True
            )
        found = self.found
        if found is not None and found.observed_days is not None:
            self.work.tables["delivered_minutes"] = patrols.panel_dose(
                self.work.tables["dose"], source="pings", hours="all"
            ).select("place_id", "operating_day", minutes="patrol_minutes")
        elif self.delivered is not None:
            self.work.tables["delivered_minutes"] = patrols.stated_minutes(self.delivered)

    def draw(self) -> None:
        """Draw routes and measure what they reach."""
        rules, spots, found = self.plan.routes, self.work.hotspots, self.found
        if spots is None or found is None or found.observed_days is None:
            self.work.add(
                patrols.coverage_estimates(None, cell_m=rules.cell_m, reach_m=rules.reach_m)
            )
            return
        drawn = drawing.lines(
            self.pings if self.positions is None else self.positions,
            found.visits,
            spots,
            rules=rules,
            longest_gap_s=self.plan.longest_gap_s,
            premises=self.premises,
        )
        network = self.work.study.streets
        lines = None if network is None else streets(network, crs=self.work.study.streets_crs)
        if lines is not None:
            self.work.tables["street"] = lines
        observed = patrols.place_days(spots, found.observed_days)
        reached = patrols.coverage(
            drawn,
            spots,
            observed=observed.rename({"place_id": "hotspot_id"}),
            streets=lines,
            cell_m=rules.cell_m,
            reach_m=rules.reach_m,
            kind="month",
        )
        self.work.tables["route"] = drawn
        self.work.add(
            patrols.coverage_estimates(reached.shares, cell_m=rules.cell_m, reach_m=rules.reach_m)
        )
