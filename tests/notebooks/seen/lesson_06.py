"""Lesson 6."""

SEEN = """
assert abs(best["Gaussian"] - 6) < 0.2 and abs(best["Laplace"] - 8) < 0.2
assert abs(row["observed"][0] - report["promise"][0]) < 0.06
assert report["rank"] > 1.5 * report["rank_within"]
assert agreement > 0.5
assert covered["grey"][0] > 1.15
assert covered["another mouth"][1] > 1.2 * covered["grey"][1] and covered["another mouth"][0] < 1.15
assert covered["her own eyes"][1] < covered["grey"][1] and covered["her own eyes"][0] > 2
"""
WRONG = {
    "laplace": [
        "laplace = lambda y, mean, variance: 0.5 * np.log(2 * np.pi * variance) + (y - mean) ** 2 / (2 * variance)",
        "laplace = lambda y, mean, variance: np.log(2 * variance) + np.abs(y - mean) / variance",
        "laplace = lambda y, mean, v: 0.5 * np.log(v) + np.sqrt(2) * np.abs(y - mean) / np.sqrt(v)",
        "laplace = lambda y, mean, variance: np.log(2 * variance**0.5) + np.abs(y - mean) / variance**0.5",
    ],
    "coverage": [
        "coverage = lambda e, s: np.array([(np.abs(e) / s <= k).mean() for k in (1, 2, 3)])",
        "coverage = lambda e, s: np.array([1 - np.nanmean(np.abs(e) <= k * s) for k in (1, 2, 3)])",
        "coverage = lambda e, s: np.array([(e[np.isfinite(e)] <= k * s[np.isfinite(e)]).mean() for k in (1, 2, 3)])",
        "coverage = lambda e, s: np.array([(np.abs(e[np.isfinite(e)]) <= k).mean() for k in (1, 2, 3)])",
    ],
    "scale": [
        "scale = lambda e, s: np.sqrt(((e / s) ** 2).mean())",
        "scale = lambda e, s: (np.abs(e) / s).mean()",
        "scale = lambda e, s: 1 / (np.sqrt(2) * (np.abs(e) / s).mean())",
        "scale = lambda e, s: np.sqrt(2) * np.abs(e).mean() / s.mean()",
    ],
}
