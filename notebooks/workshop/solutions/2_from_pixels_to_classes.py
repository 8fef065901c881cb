"""Solutions of lesson 2, From pixels to classes."""


# %% 2.1 normalise
def normalise(flux):
    """Spectra (n, n_pixels), each divided by its Euclidean norm."""
    return flux / np.linalg.norm(flux, axis=1, keepdims=True)


# %% 2.2 split by object
def test_part(object_id, share, rng):
    """True for the spectra of a random `share` of the objects; rng is a numpy random generator."""
    objects = np.unique(object_id)
    return np.isin(object_id, rng.choice(objects, round(share * len(objects)), replace=False))


# %% 2.3 nearest mean
def nearest_mean(x_train, y_train, x_test):
    """Class of the nearest mean for each test spectrum."""
    means = np.array([x_train[y_train == k].mean(axis=0) for k in range(y_train.max() + 1)])
    return ((x_test[:, None, :] - means) ** 2).sum(axis=2).argmin(axis=1)


# %% 2.4 softmax
def softmax(logits):
    """Probabilities (n, n_classes) of logits (n, n_classes)."""
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# %% 2.5 confusion matrix
def confusion_matrix(true, predicted, n_classes):
    """Counts: rows are true classes, columns predicted ones."""
    counts = np.zeros((n_classes, n_classes), int)
    np.add.at(counts, (true, predicted), 1)
    return counts


# %% 2.6 completeness and purity
completeness_qso = counts[2, 2] / counts[2].sum()
purity_qso = counts[2, 2] / counts[:, 2].sum()
