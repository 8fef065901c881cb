"""Spectrum inspector: look at spectra, mark lines, see what a network says and why, and note what you think."""

from racnet_tools.apps.inspector.app import Inspector

__all__ = ["Inspector"]
