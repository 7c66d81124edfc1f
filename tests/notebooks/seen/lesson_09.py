"""Lesson 9."""

SEEN = """
assert len(a) == len(b) == 28 and 0.02 < a.mean() < 0.08
assert together > 0.3
assert apart[1] - apart[0] > 1.3 * (same[1] - same[0])
assert whole.faces == 28
assert len(worst) == 3 and a[worst[0]] == a.max()
"""
WRONG = {
    "auc": [
        "auc = lambda errors, threshold: (errors <= threshold).mean()",
        "auc = lambda errors, threshold: np.maximum(0, threshold - errors).mean()",
        "auc = lambda errors, threshold: (threshold - errors).mean() / threshold",
        "auc = lambda errors, threshold: 1 - errors.mean()",
    ],
    "paired": [
        "paired = lambda a, b, rng: tuple(np.percentile(a - b, [2.5, 97.5]))",
        "paired = lambda a, b, rng: tuple(np.percentile([a[rng.integers(0, len(a), len(a))].mean() - "
        "b[rng.integers(0, len(b), len(b))].mean() for _ in range(500)], [2.5, 97.5]))",
        "paired = lambda a, b, rng: tuple(np.percentile((b - a)[rng.integers(0, len(a), (500, len(a)))].mean(1), "
        "[2.5, 97.5]))",
        "paired = lambda a, b, rng: tuple(np.percentile((a - b)[rng.integers(0, len(a), (500, len(a)))].mean(1), "
        "[25, 75]))",
    ],
    "enough": [
        "enough = lambda a, b, w: int(np.ceil((1.96 * a.std() / w) ** 2))",
        "enough = lambda a, b, w: int(np.ceil(1.96 * (a - b).std() / w))",
        "enough = lambda a, b, w: int(np.floor((1.96 * (a - b).std() / w) ** 2))",
        "enough = lambda a, b, w: int(np.ceil(((a - b).std() / w) ** 2))",
    ],
}
