"""Solutions of lesson 1, What a spectrum tells."""

# %% 1.1 velocity of a pixel
SPEED_OF_LIGHT = 299_792.458  # km/s
velocity_per_pixel = SPEED_OF_LIGHT * (wave[1] / wave[0] - 1)

# %% 1.2 redshift by hand
near = (wave > 6900) & (wave < 6930)
observed_h_alpha = wave[near][np.argmax(spectra.flux[GALAXY][near])]
z_galaxy = observed_h_alpha / 6564.61 - 1

# %% 1.3 identifying lines: the strongest, near 4137 Å, is Lyα; then C IV is near 5271 Å and C III] near 6495 Å
z_quasar = 4137 / 1215.67 - 1


# %% 1.4 median S/N
def median_snr(wave, flux, ivar, mask, low, high):
    """Median S/N per pixel of the good pixels from low to high, Å."""
    use = (wave >= low) & (wave <= high) & ~mask
    return np.median(flux[use] * np.sqrt(ivar[use]))


# %% 1.5 weighted mean
def weighted_mean(flux, ivar, mask):
    """Mean flux of the good pixels, weighted by their inverse variances, and its standard error."""
    weight = np.where(mask, 0, ivar)
    return (weight * flux).sum() / weight.sum(), 1 / np.sqrt(weight.sum())


# %% 1.6 classes by eye
my_classes = ["QSO", "STAR", "GALAXY", "STAR", "QSO", "GALAXY"]
