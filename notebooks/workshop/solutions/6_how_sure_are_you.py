"""Solutions of lesson 6, How sure are you?"""


# %% 6.1 Wilson's interval
def interval(hits, n):
    """Lower and upper end of Wilson's 95 % interval of hits out of n, between 0 and 1."""
    z, p = 1.96, hits / n
    factor = 1 + z**2 / n
    centre = (p + z**2 / (2 * n)) / factor
    half = z / factor * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return centre - half, centre + half


# %% 6.2 one point of a reliability diagram
def reliability_point(p, y, low, high):
    """Mean confidence and share of right answers where low < confidence <= high."""
    confidence, answer = p.max(axis=1), p.argmax(axis=1)
    within = (confidence > low) & (confidence <= high)
    return confidence[within].mean(), np.mean(answer[within] == y[within])


# %% 6.3 temperature
def at_temperature(p, temperature):
    """Probabilities (n, classes) at a temperature; 1 changes nothing."""
    changed = np.exp(np.log(p) / temperature)
    return changed / changed.sum(axis=1, keepdims=True)


# %% 6.4 the surest
def surest(confidence, coverage):
    """True for the share `coverage` of the spectra that has the highest confidence."""
    return confidence >= np.quantile(confidence, 1 - coverage)


# %% 6.5 a leak
leaked = np.isin(object_test, object_train).sum()

# %% 6.6 purity in a survey
purity = (rates * numbers)[CLASSES.index("QSO")] / (rates * numbers).sum()
