"""One machine, no services installed: the embedded PostgreSQL, the sample source systems and the one-command night."""
