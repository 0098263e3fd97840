# Reference values for the imputation, the trend adjustment and the two-way Poisson.
# Run in this folder: Rscript effects_poisson.R
# Writes effects_counts.csv (invented counts) and effects_poisson.csv (values).
library(sandwich)
RNGversion("4.0.0")
set.seed(20210719)

places <- 14
periods <- 24
start <- c(9, 9, 9, 13, 13, 17, 17, rep(NA, 7))
level <- exp(rnorm(places, log(4), 0.5))
season <- exp(0.3 * sin(2 * pi * (1:periods) / 12) - 0.01 * (1:periods))
rows <- expand.grid(period = 1:periods, place = 1:places)
rows$start <- start[rows$place]
rows$treated <- ifelse(is.na(rows$start), 0, as.integer(rows$period >= rows$start))
rows$mean <- level[rows$place] * season[rows$period] * ifelse(rows$treated == 1, 0.8, 1)
rows$count <- rpois(nrow(rows), rows$mean * rgamma(nrow(rows), 5, 5))
# Not supplied: one period everywhere, and some cells of single places.
rows$count[rows$period == 6] <- NA
rows$count[rows$place == 2 & rows$period %in% c(3, 20)] <- NA
rows$count[rows$place == 11 & rows$period %in% c(1, 2, 14)] <- NA
# A partial period: the start of place 4 lies inside its period 13.
rows$partial <- as.integer(rows$place == 4 & rows$period == 13)
rows$side <- as.integer(!is.na(rows$start))
write.csv(rows[, c("place", "period", "start", "treated", "partial", "count")],
          "effects_counts.csv", row.names = FALSE, quote = FALSE)

used <- rows[!is.na(rows$count) & rows$partial == 0, ]
used$p <- factor(used$place)
used$t <- factor(used$period)
control <- glm.control(epsilon = 1e-14, maxit = 200)

impute <- function(data) {
  fit <- glm(count ~ p + t, family = poisson, data = data[data$treated == 0, ],
             control = control)
  after <- data[data$treated == 1, ]
  c(observed = sum(after$count), imputed = sum(predict(fit, after, type = "response")))
}
log_ratio <- function(data) { v <- impute(data); unname(log(v["observed"] / v["imputed"])) }
values <- list()
note <- function(name, value) values[[length(values) + 1]] <<- data.frame(
  name = name, value = sprintf("%.12g", value))

full <- impute(used)
note("observed", full["observed"])
note("imputed", full["imputed"])
theta <- log_ratio(used)
note("log_ratio", theta)
for (k in 1:places) note(sprintf("without_%02d", k), log_ratio(used[used$place != k, ]))
without <- sapply(1:places, function(k) log_ratio(used[used$place != k, ]))
note("jackknife_error", sqrt((places - 1) / places * sum((without - theta)^2)))
for (s in c(9, 13, 17)) {
  v <- impute(used[used$treated == 0 | used$start == s, ])
  note(sprintf("cohort_%02d", s), unname(log(v["observed"] / v["imputed"])))
}

trended <- glm(count ~ p + t + I(side * period), family = poisson,
               data = used[used$treated == 0, ], control = control)
after <- used[used$treated == 1, ]
note("trend_slope", coef(trended)[["I(side * period)"]])
note("trend_slope_model_error", sqrt(diag(vcov(trended)))[["I(side * period)"]])
note("trend_imputed", sum(predict(trended, after, type = "response")))

two_way <- glm(count ~ treated + p + t, family = poisson, data = used, control = control)
note("two_way_log_ratio", coef(two_way)[["treated"]])
# The clustered covariance without small-sample factors; the test applies pyfixest's own.
meat <- vcovCL(two_way, cluster = used$place, type = "HC0", cadjust = FALSE)
note("two_way_cluster_error_unadjusted", sqrt(meat["treated", "treated"]))
note("two_way_rows", nrow(used))
note("two_way_parameters", length(coef(two_way)))

con <- file("effects_poisson.csv", "w")
writeLines(c(paste("#", R.version.string),
             paste("# sandwich", packageVersion("sandwich"))), con)
write.csv(do.call(rbind, values), con, row.names = FALSE, quote = FALSE)
close(con)
