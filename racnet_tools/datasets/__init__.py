"""Spectra in a store, and the data sets that networks are trained on."""
