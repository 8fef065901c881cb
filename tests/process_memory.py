"""Source text for the processes that tests start: defines `peak()`, the most memory the process ever held, in MB.

Read from Linux's /proc (0 elsewhere), not from ``ru_maxrss``, which a process inherits from the one that started it.
"""

PEAK = r"""
import re as _re
from pathlib import Path as _Path

def peak():
    status = _Path("/proc/self/status")
    return int(_re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024 if status.exists() else 0
"""
