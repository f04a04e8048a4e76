"""The sample source systems of a made-up operator, a package each: real parts with invented, seeded, calibrated and dirty data."""
