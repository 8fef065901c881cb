"""The archives of real surveys: choosing objects from catalogues and fetching their spectra."""
