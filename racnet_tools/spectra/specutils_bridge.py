"""To and from `specutils.Spectrum`, the container of the astropy project. Needs the extra `apps`."""

from __future__ import annotations

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.spectra.spectrum_set import SpectrumSet, concatenate

__all__ = ["from_specutils", "to_specutils"]


def _specutils():
    try:
        import specutils
    except ImportError as error:
        raise RacnetError("specutils is not installed. Install it with: pip install 'racnet-tools[apps]'.") from error
    return specutils


def to_specutils(spectra: SpectrumSet):
    """A `specutils.Spectrum` of flux (n, n_pix), dimensionless flux unit, Angstrom, with the table in ``meta``."""
    import astropy.units as u
    from astropy.nddata import InverseVariance

    return _specutils().Spectrum(
        flux=u.Quantity(spectra.flux, u.dimensionless_unscaled),
        spectral_axis=u.Quantity(spectra.wave, u.AA),
        uncertainty=InverseVariance(spectra.ivar),
        mask=spectra.mask,
        meta={"table": spectra.table, **spectra.meta},
    )


def from_specutils(spectrum) -> SpectrumSet:
    """A `SpectrumSet` from a `specutils.Spectrum` (1D or 2D), or from a list of them on one grid."""
    import astropy.units as u
    from astropy.nddata import InverseVariance

    if isinstance(spectrum, list | tuple):
        return concatenate(from_specutils(one) for one in spectrum)
    if not isinstance(spectrum, _specutils().Spectrum):
        raise RacnetError(f"Expected a specutils.Spectrum. Received: {type(spectrum).__name__}.")
    wave = spectrum.spectral_axis.to_value(u.AA, equivalencies=u.spectral())
    order = slice(None) if wave[0] < wave[-1] else slice(None, None, -1)
    flux = np.atleast_2d(spectrum.flux.value)
    if flux.ndim != 2:
        raise RacnetError(f"Expected a Spectrum of one or two dimensions. Received: flux of shape {flux.shape}.")
    ivar = None
    if spectrum.uncertainty is not None:
        with np.errstate(divide="ignore"):
            ivar = np.atleast_2d(spectrum.uncertainty.represent_as(InverseVariance).array)[:, order]
    mask = None if spectrum.mask is None else np.broadcast_to(spectrum.mask, flux.shape)[:, order]
    meta = dict(spectrum.meta)
    table = meta.pop("table", None)
    if not hasattr(table, "colnames"):
        table = None
    return SpectrumSet(wave[order], flux[:, order], ivar, mask, table, meta)
