"""`make bench`: rows a second of each stage, as ratios to floors measured beside them in the same run."""
