# Tasked place-days within places and their months: Poisson with a level for each place-month and
# days of the week, by glm; and the leave-one-place-out jackknife by fitting anew. Invented counts.
# Run in this folder: Rscript effects_days.R > effects_days.csv (it writes the counts as well)
set.seed(20261123)
places <- 5; days <- 84
d <- expand.grid(day = 0:(days - 1), place = 1:places)
d$month <- d$day %/% 28
d$weekday <- d$day %% 7
d$tasked <- as.integer(runif(nrow(d)) < 0.5)
d$tasked[d$place == 5 & d$month == 2] <- 1  # a month that says nothing
lag <- function(x, k) c(rep(0, k), x)[seq_along(x)]
d$lag_1 <- ave(d$tasked, d$place, FUN = function(x) lag(x, 1))
d$lag_2 <- ave(d$tasked, d$place, FUN = function(x) lag(x, 2))
level <- c(0.8, 1.2, 0.5, 1.6, 0.9)
mean <- level[d$place] * exp(0.2 * (d$weekday >= 4) - 0.35 * d$tasked - 0.15 * d$lag_1)
d$count <- rpois(nrow(d), mean)
write.csv(d[, c("place", "day", "tasked", "lag_1", "lag_2", "count")], "effects_days_counts.csv",
          row.names = FALSE, quote = FALSE)
fit <- function(x, formula) {
  coef(glm(formula, family = poisson, data = x,
           control = glm.control(epsilon = 1e-14, maxit = 200)))
}
# Place-months in which none of the terms varies say nothing of them and are left out.
varies <- function(x, terms) {
  apart <- sapply(terms, function(t) ave(x[[t]], x$place, x$month, FUN = function(v) diff(range(v))))
  rowSums(matrix(apart, ncol = length(terms))) > 0
}
whole <- d
one <- function(name, formula, terms) {
  d <- whole[varies(whole, terms), ]
  d$stratum <- factor(paste(d$place, d$month))
  d$weekday <- factor(d$weekday)
  all <- fit(d, formula)[terms]
  without <- sapply(1:places, function(p) fit(droplevels(d[d$place != p, ]), formula)[terms])
  without <- matrix(without, nrow = length(terms))
  se <- sqrt((places - 1) / places * rowSums((without - all)^2))
  cat(sprintf("%s,%s,%.12f,%.12f\n", name, terms, all, se), sep = "")
  if (length(terms) > 1) {
    total <- sum(all)
    se <- sqrt((places - 1) / places * sum((colSums(without) - total)^2))
    cat(sprintf("%s,%s,%.12f,%.12f\n", name, "sum", total, se))
  }
}
cat(sprintf("# %s\nmodel,term,log_ratio,standard_error\n", R.version.string))
one("tasked", count ~ tasked + weekday + stratum, "tasked")
one("lags", count ~ tasked + lag_1 + lag_2 + weekday + stratum, c("tasked", "lag_1", "lag_2"))
