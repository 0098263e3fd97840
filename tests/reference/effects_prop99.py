"""Synthetic difference-in-differences of California's tobacco programme, by our own function.

Usage: python tests/reference/effects_prop99.py california_prop99.csv
The file comes with the R package synthdid of the method's authors (State;Year;PacksPerCapita;
treated). Published: -15.6 (Arkhangelsky and others, 2021, table 1); the package's README prints
-15.604. This prints what Placeproof finds.
"""

import sys

import numpy as np
import polars as pl

from placeproof.effects.robustness.steps import Steps
from placeproof.effects.robustness.synthetic import synthetic

rows = pl.read_csv(sys.argv[1], separator=";").sort("State", "Year")
states, years = rows["State"].n_unique(), rows["Year"].n_unique()
packs = rows["PacksPerCapita"].to_numpy().reshape(states, years)
treated = rows["treated"].to_numpy().reshape(states, years) > 0
first = np.where(treated.any(axis=1), treated.argmax(axis=1), years)
data = Steps(tuple(rows["State"].unique(maintain_order=True)), first, packs, (), 1)
print(f"{synthetic(data).effect:.4f}")
