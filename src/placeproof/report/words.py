"""Readers' words for the descriptive keys of a finding."""

from collections.abc import Mapping
from datetime import date

Row = Mapping[str, object]

ROLE_WORDS: dict[str, str] = {
    "headline": "headline",
    "beside": "beside the headline",
    "robustness": "robustness",
    "negative_control": "negative control",
    "placebo": "placebo",
    "description": "description",
    "not_impact": "not impact",
}

ESTIMAND_WORDS: dict[str, str] = {
    "rate_ratio": "change against expectation",
    "recovery_certificate": "recovery certificate",
    "simulated_bias": "average error in simulated studies",
    "simulated_coverage": "simulated studies whose interval holds the truth",
    "simulated_detectable_rate_ratio": "smallest change found in 80 of 100 simulated studies",
    "simulated_found": "simulated studies in which an effect is seen",
    "ratio_of_rate_ratios": "change in night-time hours against change in other hours",
    "change_in_rate_ratio": "change against the headline",
    "harm_rate_ratio": "change in harm against expectation",
    "harm_prevented": "harm less than expected",
    "cost_per_event_prevented": "pounds for each event prevented",
    "cost_per_harm_prevented": "pounds for each unit of harm prevented",
    "cost_per_patrol_hour": "pounds for each hour",
    "break_even_events": "offences whose cost equals spending",
    "benefit_per_pound": "pounds back for each pound",
    "events_prevented": "events fewer than expected",
    "weighted_displacement_difference": "weighted displacement difference",
    "events_changed_per_step": "events more or fewer a place and step",
    "breakdown_value": "departure of trends up to which an effect is seen",
    "event_study_rate_ratio": "change in the period",
    "pre_trend_slope": "drift before patrols",
    "missing_location_share": "share without a location",
    "tasked_night_rate_ratio": "change on nights with a tasked patrol",
    "unrecorded_victim_share": "share whose victim is not described",
    "top_share": "share in the fullest places",
    "gini_corrected": "concentration index, corrected for few events",
    "gini_plain": "concentration index, plain",
    "single_point_share": "share at the fullest single point",
    "standardised_difference": "difference between hot spots and comparison places",
    "rank_before": "rank before patrols",
    "rank_after": "rank after patrols began",
    "rank_correlation": "correlation of ranks",
    "share_still_among_hottest": "share still among the hottest",
    "share_in_hotspots": "share inside the hot spots",
    "matched_places": "places found",
    "matched_set_rate_ratio": "change with another set of comparison places",
    "median_rate_ratio": "middle over sets of comparison places",
    "quantile_rate_ratio": "spread over sets of comparison places",
    "share_of_sets_on_the_headlines_side": "sets on the headline's side of no change",
    "share_of_sets_below_the_headline": "sets below the headline",
    "placebo_in_space_rate_ratio": "change in places that never had patrols",
    "placebo_in_time_rate_ratio": "change after a pretended earlier start",
    "one_left_out_rate_ratio": "change without one place",
    "events_per_place": "events in an average place",
    "places_derived": "places derived",
    "horizon_rate_ratio": "change up to a horizon",
    "effect_change_per_year": "how the change itself changes from year to year",
    "effect_half_life": "time in which half of the effect is gone",
    "dose_rate_ratio": "change for each step of patrol minutes a day",
    "dose_group_rate_ratio": "change at this dose against none",
    "untreated_periods": "time without patrols before the first ones",
    "tasked_day_rate_ratio": "days with a tasked patrol against days without",
    "lag_rate_ratio": "what is left of a patrol that many days later",
    "summed_lag_rate_ratio": "a patrol and what is left of it, together",
    "rival_rate_ratio": "change against expectation, by what else was done",
    "displaced_share": "share of events that moved outwards",
    "step_in_recording": "step in recording",
    "level_before_step": "before the step",
    "level_after_step": "after the step",
    "series_scanned": "series scanned",
    "tipping_odds": "odds at which the change vanishes",
    "cronbach_alpha": "reliability of the scale",
    "difference_in_means": "difference from the others",
    "difference_in_shares": "difference from the others",
    "effective_n": "people after weighting",
    "mean": "average",
    "count": "number",
}

METHOD_WORDS: dict[str, str] = {
    "poisson_imputation_jackknife": "Poisson imputation, interval by leaving out places in turn",
    "poisson_imputation": "Poisson imputation",
    "poisson_imputation_trend_adjusted": "Poisson imputation, adjusted for earlier trends",
    "poisson_imputation_placebo_permutation": "places exchanged at random, placebo",
    "poisson_two_way_fixed_effects": "two-way Poisson regression",
    "weighted_displacement_difference_quasi_poisson": "difference of differences with rings",
    "pre_trend_slope_jackknife": "slope, interval by leaving out places in turn",
    "callaway_santanna": "Callaway and Sant'Anna, in events a step",
    "sun_abraham": "Sun and Abraham, in events a step",
    "synthetic_did": "synthetic difference-in-differences",
    "bounded_calibration": "comparison places weighted to the same past",
    "honest_did": "bounds where trends part",
    "honest_relative_magnitudes": "bounds where trends part as they did before",
    "honest_smoothness": "bounds where trends part smoothly",
    "before_after": "before against after alone",
    "poisson_imputation_joint": "Poisson imputation with a factor for each rival",
    "poisson_two_way_joint": "two-way Poisson regression with a term for each rival",
    "poisson_imputation_unlocated": "Poisson imputation, unlocated events given to places",
    "relative_incident_rate_quasi_poisson": "sums before and after, corrected variance",
    "supremum_f_test": "largest F statistic of a step at any month",
    "f_test_at_registered_month": "F statistic of a step at the registered month",
    "linearised_cluster_by_area": "survey estimate, variance between areas",
    "lorenz_over_places": "curve over places",
    "matching_on_history": "matching on earlier months",
    "matching_on_history_and_features": "matching on earlier months and features of the ground",
    "poisson_imputation_over_matched_sets": "Poisson imputation over many sets",
    "poisson_imputation_placebo_in_space": "Poisson imputation where no patrols were",
    "poisson_imputation_trend_of_effect": "Poisson imputation, course of the effect",
    "poisson_two_way_dose_jackknife": "two-way Poisson, slope of the dose",
    "poisson_two_way_dose_calibrated": "the same, corrected for the error of the dose",
    "poisson_within_place_months_jackknife": "Poisson within places and months",
    "mantel_haenszel_randomisation_inference": "randomisation inference",
    "reconciliation": "events followed from file to table",
    "matching_to_gazetteer": "words held against the names of places",
    "reading": "rows counted on reading",
    "count": "counted",
    "none": "nothing estimated",
}

_HOURS = {
    "nte-core": "core night-time economy hours",
    "nte-wide": "wide night-time economy hours",
    "nte-late": "late night-time economy hours",
    "nte-peak": "peak night-time economy hours",
}
_MINUS = "\u2212"
_VARIABLES = {
    "hotspot": "hot spot",
    "site": "hospital",
    "hours_of_use": "uses the place in",
    "days": "days allotted",
    "victim_age_band": "age of the victim",
    "victim_ethnicity": "ethnic group of the victim",
    "victim_sex": "sex of the victim",
}
_CATEGORIES = {"nte": "night-time economy hours", "other": "other hours", "both": "both"}


def plain(identifier: object) -> str:
    """An identifier without its joints, for those that have no words of their own."""
    return str(identifier).replace("_", " ").replace("poisson", "Poisson")


def estimand_words(row: Row) -> str:
    """What is estimated, in words."""
    name = str(row["estimand"])
    if name == "ratio_of_rate_ratios" and row["hours"] == "all" and row["subgroup"] != "all":
        return "change in the group against change in the other groups"
    return ESTIMAND_WORDS.get(name, plain(name))


def method_words(row: Row) -> str:
    """How it is estimated, in words."""
    name = str(row["method"])
    return METHOD_WORDS.get(name, plain(name))


def hours_words(hours: object) -> str:
    """Hours of the day in words: "core night-time economy hours", "other hours"."""
    kind, _, preset = str(hours).partition(":")
    if kind == "nte":
        other = f" ({plain(preset)})" if preset else ""
        return _HOURS.get(preset, f"night-time economy hours{other}")
    if kind == "band":
        return "{}:00 to {}:00".format(*preset.split("-"))
    if kind in ("within", "outside"):
        return f"{kind} {preset.replace('-', ' to ')}"
    if kind in ("before", "after"):
        return f"just {kind} {hours_words(f'nte:{preset}')}"
    words = {"other": "other hours", "all": "all hours", "rest": "hours beside no night"}
    return words.get(kind, plain(kind))


def subgroup_words(subgroup: object) -> str:
    """A subgroup in words: "age band: 18-24"."""
    said = []
    for part in str(subgroup).split(";"):
        variable, _, category = part.partition("=")
        name = _VARIABLES.get(variable, plain(variable))
        if variable.startswith("hours"):
            category = _CATEGORIES.get(category, category)
        said.append(f"{name}: {category}" if category else plain(part))
    return ", ".join(said)


def horizon_words(horizon: object) -> str:
    """A horizon in words: "month −3", "May 2021", "FM18", "the fullest 10"."""
    words = str(horizon)
    name, _, value = words.partition("=")
    if name == "hotspot":
        return value
    if words == "without=after-exit":
        return "without what came after a place left the list"
    if name == "times":
        return f"uncertain times at the {value} of their window"
    if name == "without":
        return f"without the periods around {plain(value)}"
    if name in ("until", "since"):
        return f"{'before' if name == 'until' else 'since'} {plain(value)}"
    if name == "unlocated":
        return f"unlocated events, {value}"
    if name == "top":
        return f"the fullest {value}"
    if value:
        return f"{plain(name)} {value.replace('-', _MINUS) if value[:1] == '-' else value}"
    day = month_of(words)
    return f"{day:%B} {day.year}" if day else plain(words)


def month_of(horizon: str) -> date | None:
    """The first day of a month written "2021-07"; None for anything else."""
    year, _, month = horizon.partition("-")
    if len(horizon) == 7 and year.isdigit() and month.isdigit() and 1 <= int(month) <= 12:
        return date(int(year), int(month), 1)
    return None


def capital(words: str) -> str:
    """The words with a capital first letter."""
    return words[:1].upper() + words[1:]


def people_words(population: object) -> tuple[str, str]:
    """Who answered, and how they were met: ("residents", "met by fieldworkers")."""
    who, _, how = str(population).partition(", ")
    return who, how
