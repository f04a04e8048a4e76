"""Superset on the marts: dashboards made from the marts' own metadata, put into a Superset that has an environment of its own."""
