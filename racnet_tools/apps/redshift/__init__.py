"""Redshift explorer: drag an object through redshift, and see where networks go wrong."""

from racnet_tools.apps.redshift.app import RedshiftExplorer

__all__ = ["RedshiftExplorer"]
