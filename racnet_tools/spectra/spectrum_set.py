"""`SpectrumSet`: many spectra on one wavelength grid, with a table that describes each of them.

It is the one container that every stage of the toolkit takes and gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.spectra.grid import LogLambdaGrid
from racnet_tools.spectra.resample import resample_arrays

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["SpectrumSet", "concatenate"]

_TEXT_COLUMNS = ("spec_id", "object_id", "survey", "path", "label", "subclass")


class SpectrumSet:
    """Spectra on one wavelength grid.

    Parameters
    ----------
    wave : (n_pix,) array_like
        Vacuum, heliocentric wavelengths, Angstrom, increasing.
    flux : (n, n_pix) or (n_pix,) array_like
        Flux density per Angstrom (any linear unit: surveys calibrate relatively).
    ivar : array_like of the same shape, optional
        Inverse variance of `flux`; 0 means no information. Where it is not known it is 1 for every finite pixel
        and ``meta["ivar"]`` says "not given".
    mask : array_like of bool of the same shape, optional
        True = bad. Pixels that are not finite or have no information are always masked.
    table : Table or sequence of mappings, optional
        One row a spectrum; standard columns are described in `racnet_tools.spectra.COLUMNS`.
    meta : mapping, optional
        What holds for the whole set.

    Attributes
    ----------
    wave : (n_pix,) float64
    flux, ivar : (n, n_pix) float32
    mask : (n, n_pix) bool
    table : Table
    meta : dict

    Raises
    ------
    RacnetError
        If the shapes do not agree, or `wave` is not increasing and positive.

    Examples
    --------
    >>> import numpy as np
    >>> spectra = SpectrumSet(np.linspace(4000, 5000, 6), np.ones((2, 6)))
    >>> len(spectra), spectra[0].flux.shape
    (2, (1, 6))
    """

    def __init__(
        self,
        wave: Any,
        flux: Any,
        ivar: Any = None,
        mask: Any = None,
        table: Table | Sequence[Mapping[str, Any]] | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> None:
        self.wave = np.asarray(wave, dtype=np.float64)
        self.meta = dict(meta or {})
        with np.errstate(over="ignore"):  # beyond float32 becomes infinite, and is masked below
            self.flux = np.atleast_2d(np.asarray(flux, dtype=np.float32))
        if self.wave.ndim != 1 or len(self.wave) < 2 or self.flux.ndim != 2 or self.flux.shape[1] != len(self.wave):
            raise RacnetError(
                "Expected wave of shape (n_pix,) and flux of shape (n, n_pix). "
                f"Received: {self.wave.shape} and {self.flux.shape}."
            )
        if not (np.isfinite(self.wave).all() and self.wave[0] > 0 and (np.diff(self.wave) > 0).all()):
            raise RacnetError(
                "Expected positive, finite, increasing wavelengths in Angstrom. Received others: sort them."
            )
        finite = np.isfinite(self.flux)
        if ivar is None:
            self.meta["ivar"] = "not given"
            self.ivar = finite.astype(np.float32)
        else:
            self.ivar = self._like_flux(ivar, np.float32, "ivar")
        self.mask = np.zeros(self.flux.shape, bool) if mask is None else self._like_flux(mask, bool, "mask").copy()
        informed = np.isfinite(self.ivar)
        informed &= self.ivar > 0
        self.mask |= ~(finite & informed)
        if not informed.all():
            self.ivar = np.where(informed, self.ivar, np.float32(0))
        self._table: Table | None = None
        self._rows: list[Mapping[str, Any]] | None = None
        if table is None or hasattr(table, "colnames"):
            from racnet_tools.spectra.columns import complete_table

            self._table = complete_table(table, len(self.flux))
        else:
            self._rows = list(table)
            if len(self._rows) != len(self.flux):
                raise RacnetError(f"Expected {len(self.flux)} rows of the table. Received: {len(self._rows)}.")

    def _like_flux(self, values: Any, dtype: type, name: str) -> np.ndarray:
        with np.errstate(over="ignore"):
            array: np.ndarray = np.atleast_2d(np.asarray(values, dtype=dtype))
        if array.shape != self.flux.shape:
            raise RacnetError(f"Expected {name} of the flux's shape {self.flux.shape}. Received: {array.shape}.")
        return array

    @property
    def table(self) -> Table:
        """One row a spectrum. Built on first use: a batch job that never looks pays nothing."""
        if self._table is None:
            from racnet_tools.spectra.columns import rows_to_table

            self._table = rows_to_table(self._rows or [])
            self._rows = None
        return self._table

    def column(self, name: str) -> list[Any]:
        """Values of one column of the table, None where missing; quicker than `table` for spectra just read.

        Parameters
        ----------
        name : str
            A standard column.

        Returns
        -------
        list
        """
        rows = self._rows
        if rows is None or not all(row.get("spec_id") for row in rows):  # the table fills identifiers in
            return self.table[name].tolist()
        values = [row.get(name) for row in rows]
        if name in _TEXT_COLUMNS:
            return [str(value) if value else None for value in values]
        return [float(value) if value is not None and np.isfinite(value) else None for value in values]

    @property
    def n_pixels(self) -> int:
        """Number of pixels of each spectrum."""
        return len(self.wave)

    def __len__(self) -> int:
        return len(self.flux)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: int | slice | Sequence[int] | Sequence[bool] | np.ndarray) -> SpectrumSet:
        """Some of the spectra, by number, slice, boolean array or array of numbers; always a `SpectrumSet`."""
        if isinstance(index, int | np.integer):
            if not -len(self) <= index < len(self):
                raise IndexError(f"Spectrum {index} was asked for; the set has {len(self)}.")
            index = slice(int(index), int(index) + 1 or None)
        elif not isinstance(index, slice):
            index = np.asarray(index)
            if index.dtype == bool and index.shape != (len(self),):
                raise IndexError(f"Expected a boolean array of shape ({len(self)},). Received: {index.shape}.")
            if index.size == 0:
                index = index.astype(int)
        table: Table | list[Mapping[str, Any]]
        if self._rows is not None:
            numbers = np.arange(len(self))[index]
            table = [self._rows[i] for i in numbers]
        else:
            table = self.table[index]
        return self._replace(self.wave, self.flux[index], self.ivar[index], self.mask[index], table)

    def _replace(self, wave, flux, ivar, mask, table) -> SpectrumSet:
        return SpectrumSet(wave, flux, ivar, mask, table, self.meta)

    def select(self, **criteria: Any) -> SpectrumSet:
        """The spectra whose columns have the given values.

        Parameters
        ----------
        **criteria
            Column name to a value or a collection of values; masked entries never match.

        Returns
        -------
        SpectrumSet
            In the same order.

        Raises
        ------
        RacnetError
            If there is no such column.

        Examples
        --------
        >>> spectra.select(label="STAR", survey=["LAMOST", "SDSS"])  # doctest: +SKIP
        """
        keep = np.ones(len(self), bool)
        for name, wanted in criteria.items():
            if name not in self.table.colnames:
                raise RacnetError(f"There is no column {name!r}. Columns: {', '.join(self.table.colnames)}.")
            column = self.table[name]
            values = [wanted] if isinstance(wanted, str) or not isinstance(wanted, Iterable) else list(wanted)
            missing = np.asarray(getattr(column, "mask", False))
            keep &= np.isin(np.asarray(column), values) & ~missing
        return self[keep]

    def split_by_object(self, fractions: Sequence[float], seed: int) -> list[SpectrumSet]:
        """Random parts with no object in two of them, so that a test set holds no twin of a training spectrum.

        Parameters
        ----------
        fractions : sequence of float
            Share of the objects for each part, adding up to 1, such as ``(0.8, 0.2)``.
        seed : int
            Seed of the random order.

        Returns
        -------
        list of SpectrumSet

        Raises
        ------
        RacnetError
            If the fractions do not add up to 1.
        """
        shares = np.asarray(fractions, dtype=float)
        if shares.size == 0 or (shares < 0).any() or not np.isclose(shares.sum(), 1.0):
            raise RacnetError(f"Expected fractions that add up to 1. Received: {fractions}.")
        objects, member = np.unique(np.asarray(self.table["object_id"]), return_inverse=True)
        order = np.random.default_rng(seed).permutation(len(objects))
        bounds = np.rint(np.cumsum(shares) * len(objects)).astype(int)
        part = np.searchsorted(bounds, order, side="right")[member]
        return [self[part == k] for k in range(len(shares))]

    def summary(self) -> Table:
        """Counts and median g-band signal-to-noise per survey and label, with a row for all; an astropy Table."""
        from racnet_tools.spectra.describe import summary_table

        return summary_table(self)

    def __repr__(self) -> str:
        return (
            f"<SpectrumSet of {len(self)} spectra, {self.n_pixels} pixels, "
            f"{self.wave[0]:.1f}-{self.wave[-1]:.1f} Angstrom (vacuum)>"
        )

    def _repr_html_(self) -> str:
        from racnet_tools.spectra.describe import html

        return html(self)

    def median_snr(self) -> np.ndarray:
        """Median signal-to-noise ratio (n,) over the pixels that are not masked; NaN where all are."""
        snr = np.sqrt(self.ivar)
        snr *= self.flux
        snr[self.mask] = np.nan
        snr.sort(axis=1)  # masked pixels come last; many times quicker than numpy's median of some of the pixels
        count = self.n_pixels - np.count_nonzero(self.mask, axis=1)
        each = np.arange(len(snr))
        return (snr[each, (count - 1) // 2] + snr[each, count // 2]) / 2

    def to_grid(self, grid: LogLambdaGrid) -> SpectrumSet:
        """The same spectra on a log-wavelength grid: sliced where the phases agree, flux-conserving otherwise.

        Parameters
        ----------
        grid : LogLambdaGrid
            The new grid; pixels outside the old coverage have flux 0, no information, and are masked.

        Returns
        -------
        SpectrumSet
        """
        if len(self.wave) == grid.n_pixels and self.wave is grid.wave:
            return self
        arrays = resample_arrays(self.wave, self.flux, self.ivar, self.mask, grid)
        return self._replace(grid.wave, *arrays, self._rows if self._rows is not None else self.table)

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the set to one FITS file (extensions WAVE, FLUX, IVAR, MASK, TABLE); `SpectrumSet.open` reads it."""
        from racnet_tools.spectra.storage import save

        save(self, path, overwrite)

    @classmethod
    def open(cls, path: str | Path) -> SpectrumSet:
        """Read a file that `save` wrote.

        Raises
        ------
        ReadError
            If the file is not one.
        """
        from racnet_tools.spectra.storage import load

        return load(path)

    def to_specutils(self):
        """A `specutils.Spectrum` with all spectra (flux of shape (n, n_pix), InverseVariance, mask, meta)."""
        from racnet_tools.spectra.specutils_bridge import to_specutils

        return to_specutils(self)

    @classmethod
    def from_specutils(cls, spectrum) -> SpectrumSet:
        """A set from a `specutils.Spectrum` of one or two dimensions; its wavelengths are taken as vacuum."""
        from racnet_tools.spectra.specutils_bridge import from_specutils

        return from_specutils(spectrum)


def concatenate(sets: Iterable[SpectrumSet]) -> SpectrumSet:
    """One set from several on the same wavelengths.

    Parameters
    ----------
    sets : iterable of SpectrumSet
        At least one; bring them to one grid first (`SpectrumSet.to_grid`).

    Returns
    -------
    SpectrumSet
        With the spectra in order and the first set's meta.

    Raises
    ------
    RacnetError
        If there is none, or the wavelengths differ.
    """
    sets = list(sets)
    if not sets:
        raise RacnetError("Expected at least one SpectrumSet to concatenate. Received: none.")
    wave = sets[0].wave
    for other in sets[1:]:
        if other.wave is not wave and not np.array_equal(other.wave, wave):
            raise RacnetError(
                f"Expected sets on the same wavelengths. Received: {sets[0]!r} and {other!r}. "
                "Bring them to one grid first: spectra.to_grid(LAMOST_GRID)."
            )
    table: Table | list[Mapping[str, Any]]
    if all(s._rows is not None for s in sets):
        table = [row for s in sets for row in s._rows or []]
    else:
        from astropy.table import vstack

        table = vstack([s.table for s in sets], join_type="outer", metadata_conflicts="silent")
    flux, ivar, mask = (np.concatenate([getattr(s, name) for s in sets]) for name in ("flux", "ivar", "mask"))
    return SpectrumSet(wave, flux, ivar, mask, table, sets[0].meta)
