# Gini coefficients by definition and Getis-Ord Gi* by spdep.
# Run: Rscript tests/reference/hotspots_concentration.R > tests/reference/hotspots_concentration.csv
suppressPackageStartupMessages(library(spdep))

# Plain Gini: half the mean absolute difference over the mean, all ordered pairs.
gini_plain <- function(x) sum(abs(outer(x, x, "-"))) / (2 * length(x)^2 * mean(x))
# Against maximal equality, by areas under the curves (trapezoids), after the definition in
# Bernasco and Steenbeek (2017): the line of equality reaches 1 at events / places.
gini_against_maximal_equality <- function(x) {
  n <- length(x); events <- sum(x)
  y <- c(0, cumsum(sort(x, decreasing = TRUE)) / events)
  observed <- sum((y[-1] + y[-(n + 1)]) / 2) / n
  reach <- min(1, events / n)
  equal <- reach / 2 + (1 - reach)
  (observed - equal) / (1 - equal)
}

vectors <- list(
  vignette_dense = c(22, 18, 17, 12, 11, 8, 6, 3, 2, 1),
  vignette_sparse = c(3, 1, 1, rep(0, 7)),
  all_in_one = c(7, rep(0, 99)),
  each_alone = c(rep(1, 5), rep(0, 15)),
  equal = rep(4, 6)
)
cat("# ", R.version.string, ", spdep ", as.character(packageVersion("spdep")), "\n", sep = "")
cat("figure,item,value\n")
for (name in names(vectors)) {
  cat(sprintf("gini_plain,%s,%.15g\n", name, gini_plain(vectors[[name]])))
  cat(sprintf("gini_corrected,%s,%.15g\n", name, gini_against_maximal_equality(vectors[[name]])))
}

# An 8 x 6 grid, cells by row from the south; the counts are a fixed rule, no randomness.
east <- rep(0:7, times = 6); north <- rep(0:5, each = 8)
count <- (east * 7 + north * 5) %% 4 + ifelse(east >= 5 & north <= 2, 9, 0)
neighbours <- dnearneigh(cbind(east, north), 0, 1.5)
weights <- nb2listw(include.self(neighbours), style = "B")
star <- localG(count, weights)
for (i in seq_along(count)) cat(sprintf("gi_star,%d_%d,%.12g\n", east[i], north[i], star[i]))
