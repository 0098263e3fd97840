"""Reference values from the independent library etwfe 0.1.4 (Poisson, cohort dummies).

Run in this folder with etwfe, patsy and statsmodels installed: python effects_etwfe.py
etwfe gives the mean difference between fitted and counterfactual counts over treated cells. It has
cohort dummies where we have one for each place: the same numbers in a balanced panel only, so
places 2, 4 and 11 and period 6 of effects_counts.csv (missing or partial cells) are left out.
"""

import warnings
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from etwfe import etwfe

warnings.simplefilter("ignore")
counts = pd.read_csv("effects_counts.csv")
counts = counts[(counts["period"] != 6) & ~counts["place"].isin([2, 4, 11])].copy()
counts["cohort"] = counts["start"].fillna(0).astype(int)
model = etwfe(
    "count ~ 0",
    tvar="period",
    gvar="cohort",
    data=counts,
    ivar="place",
    cgroup="notyet",
    family="poisson",
    vcov={"CRV1": "place"},
)
lines = [f"# etwfe {version('etwfe')}, pyfixest {version('pyfixest')}", "name,value"]
lines.append(f"all,{model.emfx(type='simple')['estimate'].iloc[0]:.10g}")
by_cohort = model.emfx(type="group")
for name, value in zip(by_cohort["cohort"], by_cohort["estimate"], strict=True):
    lines.append(f"cohort_{int(name):02d},{value:.10g}")
Path("effects_etwfe.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
