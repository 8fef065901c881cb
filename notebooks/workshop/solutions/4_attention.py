"""Solutions of lesson 4, Attention."""


# %% 4.1 pool
def pooled(activations):
    """Maxima of all channels, then means of all channels: (n, 2 * channels)."""
    return np.concatenate([activations.max(axis=2), activations.mean(axis=2)], axis=1)


# %% 4.2 weights
def channel_weights(summary, matrix, bias):
    """Weights (n, channels) of summaries (n, 2 * channels)."""
    return 1 / (1 + np.exp(-(summary @ matrix + bias)))


# %% 4.3 share of variance between classes
def share_between(values, y):
    """Share of the variance of values (n,) that lies between the classes y (n,)."""
    class_mean = np.zeros(len(values))
    for k in np.unique(y):
        class_mean[y == k] = values[y == k].mean()
    return ((class_mean - values.mean()) ** 2).sum() / ((values - values.mean()) ** 2).sum()


# %% 4.4 rank correlation
from scipy.stats import spearmanr

rank_correlation = spearmanr(effect, np.abs(log_odds)).statistic


# %% 4.5 hide a stretch
def hide(flux, smooth, start, stop):
    """The flux with pixels start to stop - 1 replaced by the continuum."""
    hidden = flux.copy()
    hidden[start:stop] = smooth[start:stop]
    return hidden


# %% 4.6 what it rests on
rest_wavelength = found.wave[found.values[0].argmax()] / (1 + samples.table["z"][QUASAR])
line_name = "Mg II"
