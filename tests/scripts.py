"""Scripts of the project that are no part of the package, as modules."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def load_script(path, name=None):
    """The module of a script, named from the project's root; imported once."""
    path = ROOT / path
    name = name or path.stem
    if name not in sys.modules:
        specification = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        sys.modules[name] = module
    return sys.modules[name]
