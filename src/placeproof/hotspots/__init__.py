"""Places: the register of hot spots, who is inside, rings, concentration, comparison places."""

from placeproof.hotspots.areas import areas_by_patrol
from placeproof.hotspots.assignment import OutlineRule, assign, assign_by_code, assign_to_places
from placeproof.hotspots.balance import balance
from placeproof.hotspots.comparison import candidates, match, matched_places, split_periods
from placeproof.hotspots.concentration import (
    concentration,
    gini_corrected,
    lorenz,
    persistence,
    top_share,
)
from placeproof.hotspots.delineation import (
    delineation_estimates,
    derive,
    gi_star,
    single_point_shares,
)
from placeproof.hotspots.features import Features, features_of
from placeproof.hotspots.forge import (
    TESSELLATED,
    Ground,
    MatchedSet,
    Matching,
    Pool,
    candidate_pool,
    forged,
)
from placeproof.hotspots.grid import area_cells, grid_counts
from placeproof.hotspots.points import Points, gathered
from placeproof.hotspots.register import (
    first_treated,
    outline_on,
    places,
    require_register,
    version_on,
)
from placeproof.hotspots.rings import ring_places
from placeproof.hotspots.set_balance import balance_of_sets

__all__ = [
    "TESSELLATED",
    "Features",
    "Ground",
    "MatchedSet",
    "Matching",
    "OutlineRule",
    "Points",
    "Pool",
    "area_cells",
    "areas_by_patrol",
    "assign",
    "assign_by_code",
    "assign_to_places",
    "balance",
    "balance_of_sets",
    "candidate_pool",
    "candidates",
    "concentration",
    "delineation_estimates",
    "derive",
    "features_of",
    "first_treated",
    "forged",
    "gathered",
    "gi_star",
    "gini_corrected",
    "grid_counts",
    "lorenz",
    "match",
    "matched_places",
    "outline_on",
    "persistence",
    "places",
    "require_register",
    "ring_places",
    "single_point_shares",
    "split_periods",
    "top_share",
    "version_on",
]
