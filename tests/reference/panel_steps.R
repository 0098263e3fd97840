# Reference values for the largest F statistic of a step at an unknown month (supremum F test).
# Run in this folder: Rscript panel_steps.R
RNGversion("4.0.0")
set.seed(11)
n <- 40
month <- seq_len(n)
y <- -2 + 0.01 * month + 0.2 * cos(2 * pi * month / 12) + 0.5 * (month >= 31) + rnorm(n, 0, 0.15)
trend <- (month - mean(month)) / (n - 1)
# Months are counted as 12 · year + month; the first is April 2019.
angle <- 2 * pi * (12 * 2019 + 4 + month - 1) / 12
smooth <- cbind(1, trend, cos(angle), sin(angle), cos(2 * angle), sin(2 * angle))
null <- lm(y ~ smooth - 1)
places <- 5:(n - 4 + 1)
f <- sapply(places, function(k) {
  full <- lm(y ~ smooth + as.numeric(month >= k) - 1)
  (deviance(null) - deviance(full)) / (deviance(full) / df.residual(full))
})
best <- places[which.max(f)]
full <- lm(y ~ smooth + as.numeric(month >= best) - 1)
left <- residuals(full)
con <- file("panel_steps.csv", "w")
writeLines(paste("#", R.version.string), con)
out <- data.frame(
  name = c(sprintf("y%02d", month), "supremum_f", "position", "size", "autocorrelation"),
  value = sprintf("%.12g", c(y, max(f), best - 1, tail(coef(full), 1),
                             sum(left[-1] * left[-n]) / sum(left^2))))
write.csv(out, con, row.names = FALSE, quote = FALSE)
close(con)
