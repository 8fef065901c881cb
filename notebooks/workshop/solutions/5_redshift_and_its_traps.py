"""Solutions of lesson 5, Redshift and its traps."""


# %% 5.1 shift in pixels
def shift_in_pixels(z):
    """Pixels by which a redshift z moves every feature."""
    return np.log10(1 + z) / 1e-4


# %% 5.2 enter and leave
z_lya_enters = wave[0] / 1215.67 - 1
z_ha_leaves = wave[-1] / 6564.61 - 1


# %% 5.3 shift a spectrum
def shift_red(flux, pixels):
    """The flux moved to larger pixel numbers; NaN where nothing is known."""
    new = np.full(len(flux), np.nan)
    new[pixels:] = flux[: len(flux) - pixels]
    return new


# %% 5.4 where the sky goes
sky_residual = 5578.89 * 1.30 / 1.10


# %% 5.5 accuracy in bins
def accuracy_in_bins(z, right, edges):
    """Share of right answers in each bin, NaN in empty bins: (len(edges) - 1,)."""
    shares = []
    for i in range(len(edges) - 1):
        inside = (z >= edges[i]) & (z < edges[i + 1])
        shares.append(right[inside].mean() if inside.any() else np.nan)
    return np.array(shares)
