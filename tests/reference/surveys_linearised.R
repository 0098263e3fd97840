# Means, shares, differences and design effects with areas as clusters, by R package survey.
# Writes surveys_linearised.csv beside itself (results) and reads surveys_people.csv (invented people).
# Run from tests/reference: Rscript surveys_linearised.R
suppressPackageStartupMessages(library(survey))

people <- read.csv("surveys_people.csv", na.strings = "")
rows <- list()
keep <- function(case, statistic, value)
  rows[[length(rows) + 1]] <<- data.frame(case = case, statistic = statistic, value = as.numeric(value))

describe <- function(case, design, column, share) {
  design <- subset(design, !is.na(design$variables[[column]]))
  formula <- as.formula(paste0("~", column))
  estimate <- svymean(formula, design, deff = "replace")
  freedom <- degf(design)
  keep(case, "estimate", coef(estimate))
  keep(case, "standard_error", SE(estimate))
  keep(case, "design_effect", deff(estimate))
  ends <- if (share) confint(svyciprop(formula, design, method = "logit", df = freedom)) else confint(estimate, df = freedom)
  keep(case, "lower", ends[1])
  keep(case, "upper", ends[2])
}

contrast <- function(case, design, column) {
  design <- subset(design, !is.na(design$variables[[column]]))
  by <- svyby(as.formula(paste0("~", column)), ~group, design, svymean, covmat = TRUE)
  gap <- svycontrast(by, c(a = 1, b = -1))
  freedom <- degf(subset(design, group %in% c("a", "b")))
  reach <- qt(0.975, freedom) * SE(gap)
  keep(case, "estimate", coef(gap))
  keep(case, "standard_error", SE(gap))
  keep(case, "lower", coef(gap) - reach)
  keep(case, "upper", coef(gap) + reach)
  keep(case, "p_value", 2 * pt(-abs(coef(gap) / SE(gap)), freedom))
}

for (weighted in c("weighted", "unweighted")) {
  people$w <- if (weighted == "weighted") people$weight else 1
  design <- svydesign(ids = ~area, weights = ~w, data = people)
  describe(paste(weighted, "share", "all"), design, "yes", TRUE)
  describe(paste(weighted, "mean", "all"), design, "score", FALSE)
  describe(paste(weighted, "share", "a"), subset(design, group == "a"), "yes", TRUE)
  describe(paste(weighted, "mean", "a"), subset(design, group == "a"), "score", FALSE)
  describe(paste(weighted, "share", "c"), subset(design, group == "c"), "yes", TRUE)
  contrast(paste(weighted, "share", "a-b"), design, "yes")
  contrast(paste(weighted, "mean", "a-b"), design, "score")
}

items <- people[, c("item1", "item2", "item3")]
items <- items[complete.cases(items), ]
k <- ncol(items)
keep("alpha", "estimate", k / (k - 1) * (1 - sum(diag(cov(items))) / sum(cov(items))))

out <- do.call(rbind, rows)
out$value <- sprintf("%.17g", out$value)
con <- file("surveys_linearised.csv", "w")
writeLines(sprintf("# %s; survey %s", R.version.string, packageVersion("survey")), con)
write.csv(out, con, row.names = FALSE, quote = FALSE)
close(con)
