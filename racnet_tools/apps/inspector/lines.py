"""Which lines a page marks over a spectrum, and which bands it shades."""

from __future__ import annotations

from functools import lru_cache

from racnet_tools.spectra.lines import Line, kinds_of, known_lines

__all__ = ["LINE_SETS", "clickable", "marked", "shades"]

#: Names of line lists to what the page says of them.
LINE_SETS = {
    "class": "those of its class",
    "nebular": "emission of galaxies",
    "stellar": "stars, old galaxies",
    "quasar": "quasars",
    "all": "all",
    "none": "none",
}

_MAIN = frozenset(
    """[O II] 3727|H-gamma|H-beta|[O III] 4959|[O III] 5007|H-alpha|[N II] 6583|[S II] 6716|[S II] 6731|[O I] 6300|
    Ca II K|Ca II H|H-delta|G band|Mg b2|Na D2|Ca II 8498|Ca II 8542|Ca II 8662|TiO 6158|TiO 7053|
    Ly-alpha|N V|Si IV|C IV|C III]|Mg II|[O II] 3728|[Ne III] 3869|[Ne V] 3426""".replace("\n    ", "").split("|")
)
_SKY_HALF = 4.0  # Angstrom to each side of a line of the sky that are shaded


@lru_cache(maxsize=32)
def marked(chosen: str, label: str, main: bool) -> tuple[Line, ...]:
    """Lines at rest of a list of `LINE_SETS`.

    Parameters
    ----------
    chosen : str
        Name of the list.
    label : str
        Class of the spectrum, for "class"; letters of stellar types count as STAR, anything unknown as GALAXY.
    main : bool
        Only the strong ones.
    """
    if chosen == "class":
        kinds = kinds_of(label)
    elif chosen == "all":
        kinds = ("nebular", "stellar", "quasar")
    else:
        kinds = (chosen,)
    found: list[Line] = []
    for line in known_lines():
        twin = any(line.name == other.name and abs(line.wave - other.wave) < 3 for other in found)
        if line.kind in kinds and not twin and (line.name in _MAIN or not main):
            found.append(line)
    return tuple(found)


@lru_cache(maxsize=1)
def clickable() -> dict[str, Line]:
    """Lines by which a redshift can be set, by the name that the page shows."""
    found: dict[str, Line] = {}
    for line in marked("all", "", True):
        if line.name != "[O II] 3728":  # the doublet is marked by its parts
            found.setdefault(f"{line.name} ({line.wave:.0f})", line)
    return found


def shades(telluric: bool, sky: bool, low: float, high: float) -> list[tuple[float, float, str]]:
    """Stretches from `low` to `high` that the atmosphere spoils: from, to, "telluric" or "sky"."""
    found = []
    for line in known_lines():
        if telluric and line.kind == "telluric":
            found.append((max(line.low, low), min(line.high, high), "telluric"))
        elif sky and line.kind == "sky":
            found.append((max(line.wave - _SKY_HALF, low), min(line.wave + _SKY_HALF, high), "sky"))
    return [one for one in found if one[0] < one[1]]
