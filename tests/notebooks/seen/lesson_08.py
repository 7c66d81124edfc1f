"""Lesson 8."""

SEEN = """
assert ratios["attention.plain"][0] < 0.85 < ratios["attention.plain"][1]
assert ratios["attention.gate.spatial"][0] > 1.4 > ratios["attention.gate.spatial"][1]
assert swapped["aodn-68", "attention.plain"] < 0.2 < swapped["aodn-68", "attention.gate.spatial"]
assert swapped["aodn-68", "geometry.map"] > 3
assert swapped["chs-68", "cascades.*.select.gates.*"] > 4 * swapped["chs-68", "guide"]
assert nothing < 0.3 and maps > 20
assert moved < 1e-3 and abs(angles[0][0] - angles[1][0]) > 3
assert any("sub-network D" in name for name in only_covered)
"""
WRONG = {
    "gate": [
        "gate = lambda f, a, b: f / (1 + np.exp(-b @ (a @ f.mean((1, 2)))))[:, None, None]",
        "gate = lambda f, a, b: (b @ np.maximum(0, a @ f.mean((1, 2))))[:, None, None] * f",
        "gate = lambda f, a, b: f / (1 + np.exp(-b @ np.maximum(0, a @ f.max((1, 2)))))[:, None, None]",
        "gate = lambda f, a, b: f + 1 / (1 + np.exp(-b @ np.maximum(0, a @ f.mean((1, 2)))))[:, None, None]",
    ],
    "other": [
        "answer = swapped['aodn-68', 'attention.gate.spatial']",
        "answer = wb.effect(MODELS['aodn-68'], faces[1], {'attention.gate.spatial': "
        "wb.edits.Replace(covered.trace)}).percent.max()",
        "answer = wb.effect(MODELS['aodn-68'], faces[0], {'attention.gate.spatial': "
        "wb.edits.Replace(covered.trace)}).percent.mean()",
        "answer = wb.effect(MODELS['aodn-68'], faces[1], {'attention.gate.channel': "
        "wb.edits.Replace(covered.trace)}).percent.mean()",
    ],
    "needed": [
        "needed = lambda plain, covered: [name for name, _, low, _ in covered if low > 0]",
        "needed = lambda plain, covered: [name for name, points, _, _ in covered if points > 0]",
        "needed = lambda plain, covered: [n for (n, _, low, _), p in zip(covered, plain) if low > 0 and p[2] > 0]",
        "needed = lambda plain, covered: [n for (n, _, low, _), p in zip(covered, plain) if low > 0 and p[1] > -0.1"
        " and p[2] <= 0]",
    ],
}
