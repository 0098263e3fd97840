# Poisson imputation on the county teen employment data of Callaway and Sant'Anna (mpdta), by glm.
# Usage: Rscript tests/reference/effects_mpdta.R ../shared/data/reference/mpdta.csv
# Writes effects_mpdta.csv beside this script: log of observed over expected employment in all
# treated county-years, and for each cohort. Expected: glm on untreated county-years + predict.
arguments <- commandArgs(trailingOnly = TRUE)
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
d <- read.csv(arguments[1])
d$employment <- exp(d$lemp)
d$treated <- d$first.treat > 0 & d$year >= d$first.treat
d$county <- factor(d$countyreal)
d$year <- factor(d$year)
free <- glm(employment ~ county + year, family = quasipoisson(), data = d[!d$treated, ],
            control = glm.control(epsilon = 1e-12, maxit = 100))
d$expected <- predict(free, newdata = d, type = "response")
ratio <- function(rows) log(sum(d$employment[rows]) / sum(d$expected[rows]))
cohorts <- sort(unique(d$first.treat[d$treated]))
names <- c("overall", paste0("cohort_", cohorts))
values <- c(ratio(d$treated), sapply(cohorts, function(g) ratio(d$treated & d$first.treat == g)))
path <- file.path(here, "effects_mpdta.csv")
writeLines(paste0("# ", R.version.string, ", glm"), path)
write.table(data.frame(name = names, value = format(values, digits = 12)), path, sep = ",",
            row.names = FALSE, quote = FALSE, append = TRUE)
