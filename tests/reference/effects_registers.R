# Reference values for patrols and a rival estimated together, and for the relative incident rate.
# Run in this folder: Rscript effects_registers.R (after effects_poisson.R, whose counts it reads)
library(sandwich)

rows <- read.csv("effects_counts.csv")
# A rival, by place and period: it comes after patrols, goes again, or comes where none patrol.
rival <- data.frame(place = c(1, 4, 6, 10), first = c(15, 20, 19, 8), last = c(24, 24, 22, 14))
rows$rival <- 0
for (k in seq_len(nrow(rival))) {
  rows$rival[rows$place == rival$place[k] & rows$period >= rival$first[k] &
               rows$period <= rival$last[k]] <- 1
}
used <- rows[!is.na(rows$count) & rows$partial == 0, ]
used$p <- factor(used$place)
used$t <- factor(used$period)
control <- glm.control(epsilon = 1e-14, maxit = 200)
values <- list()
note <- function(name, value) values[[length(values) + 1]] <<- data.frame(
  name = name, value = sprintf("%.12g", value))

together <- function(data) {
  nothing <- data$treated == 0 & data$rival == 0
  fit <- glm(count ~ p + t, family = poisson, data = data[nothing, ], control = control)
  rest <- data[!nothing, ]
  rest$exposure <- predict(fit, rest, type = "response")
  coef(glm(count ~ treated + rival - 1 + offset(log(exposure)), family = poisson, data = rest,
           control = control))
}
theta <- together(used)
places <- sort(unique(used$place))
without <- sapply(places, function(k) together(droplevels(used[used$place != k, ])))
for (name in c("treated", "rival")) {
  note(paste0("joint_", name), theta[[name]])
  n <- length(places)
  note(paste0("joint_error_", name), sqrt((n - 1) / n * sum((without[name, ] - theta[[name]])^2)))
}

two_way <- glm(count ~ treated + rival + p + t, family = poisson, data = used, control = control)
meat <- vcovCL(two_way, cluster = used$place, type = "HC0", cadjust = FALSE)
for (name in c("treated", "rival")) {
  note(paste0("two_way_", name), coef(two_way)[[name]])
  note(paste0("two_way_error_", name), sqrt(meat[name, name]))
}
note("two_way_rows", nrow(used))
note("two_way_parameters", length(coef(two_way)))

# The relative incident rate ratio of four sums, its error by a quasi-Poisson regression of the
# sums of each place before and after (saturated in side and time; the dispersion is Pearson's).
counts <- data.frame(place = rep(1:8, 2), after = rep(0:1, each = 8), treated = rep(rep(1:0, each = 4), 2),
                     count = c(41, 52, 38, 60, 47, 55, 39, 58, 30, 44, 29, 50, 45, 57, 41, 52))
sums <- aggregate(count ~ after + treated, counts, sum)
poisson_fit <- glm(count ~ after * treated, family = poisson, data = sums)
note("rirr_log", coef(poisson_fit)[["after:treated"]])
note("rirr_poisson_error", sqrt(vcov(poisson_fit)["after:treated", "after:treated"]))
within <- glm(count ~ factor(place) + after * treated, family = quasipoisson, data = counts)
note("rirr_within_places_log", coef(within)[["after:treated"]])

con <- file("effects_registers.csv", "w")
writeLines(c(paste("#", R.version.string),
             paste("# sandwich", packageVersion("sandwich"))), con)
write.csv(do.call(rbind, values), con, row.names = FALSE, quote = FALSE)
close(con)
