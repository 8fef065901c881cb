"""Visual inspection: what people note about spectra, kept at each change, merged and exported.

`InspectionPanel` is its part of a page; all else works without one.
"""

from racnet_tools.apps.inspection.export import read_inspections, to_table, write_table
from racnet_tools.apps.inspection.journal import Journal
from racnet_tools.apps.inspection.merge import merge
from racnet_tools.apps.inspection.panel import InspectionPanel
from racnet_tools.apps.inspection.record import Inspection

__all__ = ["Inspection", "InspectionPanel", "Journal", "merge", "read_inspections", "to_table", "write_table"]
