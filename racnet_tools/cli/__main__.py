"""``python -m racnet_tools.cli``: the command where the script ``racnet`` is not on the path."""

import sys

from racnet_tools.cli import main

sys.exit(main())
