"""Lesson 4."""

SEEN = """
assert rho("attention", "edit") > 0.3 and rho("nearness", "attribution") > 0.3
assert rho("nearness", "attribution") > rho("attention", "attribution")
assert rho("attention", "edit") > rho("nearness", "edit")
assert areas["random"] < min(areas["this map"], areas["nearness"])
assert max(patched.values()) < uniform
assert forgotten.correlation[-1] < 0.6
assert slopes.shape == (model.input_size, model.input_size)
"""
WRONG = {
    "spearman": [
        "spearman = lambda a, b: np.corrcoef(a, b)[0, 1]",
        "spearman = lambda a, b: np.corrcoef(np.argsort(a), np.argsort(b))[0, 1]",
        "spearman = lambda a, b: (np.argsort(np.argsort(a)) == np.argsort(np.argsort(b))).mean()",
    ],
    "nearness": [
        "nearness = lambda points, landmark: np.linalg.norm(points - points[landmark], axis=1)",
        "nearness = lambda points, landmark: -np.abs(points - points[landmark]).sum(1)",
        "nearness = lambda points, landmark: -((points - points[landmark]) ** 2).sum(1)",
    ],
    "area": [
        "area = lambda fractions, moved: moved.mean()",
        "area = lambda fractions, moved: np.trapezoid(moved, fractions)",
        "area = lambda fractions, moved: (moved[1:] * np.diff(fractions)).sum() / fractions[-1]",
    ],
    "beyond": [
        "beyond = lambda a, b, c: np.corrcoef(np.argsort(np.argsort(a)), np.argsort(np.argsort(b)))[0, 1]",
        "beyond = lambda a, b, c: spearman(a, b) - spearman(a, c)\n"
        "def spearman(a, b):\n    return np.corrcoef(np.argsort(np.argsort(a)), np.argsort(np.argsort(b)))[0, 1]",
        "beyond = lambda a, b, c: (lambda r: (r[0, 1] - r[0, 2] * r[1, 2]) / ((1 - r[0, 2] ** 2) * "
        "(1 - r[1, 2] ** 2)) ** 0.5)(np.corrcoef([a, b, c]))",
    ],
}
