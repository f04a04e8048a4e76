"""The sample source systems: real parts with invented, seeded, calibrated and dirty data."""
