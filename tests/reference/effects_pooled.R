# Random-effects means: REML, Hartung-Knapp, by metafor. Three invented sets of studies.
library(metafor)
sets <- list(
  apart = list(y = c(-0.31, -0.05, 0.12, -0.42, -0.18), s = c(0.10, 0.08, 0.15, 0.12, 0.20)),
  alike = list(y = c(-0.15, -0.16, -0.14, -0.15), s = c(0.10, 0.20, 0.15, 0.12)),
  three = list(y = c(0.22, -0.46, -0.17), s = c(0.136, 0.255, 0.06))
)
rows <- do.call(rbind, lapply(names(sets), function(name) {
  fit <- rma(yi = sets[[name]]$y, sei = sets[[name]]$s, method = "REML", test = "knha",
             control = list(threshold = 1e-12, maxiter = 10000))
  data.frame(set = name, effects = paste(sets[[name]]$y, collapse = " "),
             errors = paste(sets[[name]]$s, collapse = " "), mean = as.numeric(fit$beta),
             error = fit$se, lower = fit$ci.lb, upper = fit$ci.ub, between = fit$tau2,
             made_by = paste("metafor", packageVersion("metafor"), R.version.string))
}))
write.csv(format(rows, digits = 15, trim = TRUE), "effects_pooled.csv", row.names = FALSE, quote = TRUE)
