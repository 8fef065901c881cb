"""Small browser widgets that ipywidgets lacks: plot, keys, the page's address, downloads and uploads.

Each is an anywidget of one Python module and one JavaScript file of the same name. The browser can set none of their
traits (`base.BrowserWidget`); what it sends arrives as messages that Python checks.
"""

from racnet_tools.apps.widgets.address import Address
from racnet_tools.apps.widgets.download import Download
from racnet_tools.apps.widgets.keyboard import Keyboard
from racnet_tools.apps.widgets.masthead import Masthead
from racnet_tools.apps.widgets.plot_view import Click, PlotView
from racnet_tools.apps.widgets.upload import Upload, UploadedFile

__all__ = ["Address", "Click", "Download", "Keyboard", "Masthead", "PlotView", "Upload", "UploadedFile"]
