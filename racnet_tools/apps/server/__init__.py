"""Serving the dashboards: Voila with a start page, plotly.js as a file, limits on memory, and doors shut."""
