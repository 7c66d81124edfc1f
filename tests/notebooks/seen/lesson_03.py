"""Lesson 3."""

SEEN = """
import numpy as np

assert table["self"][0] < 1e-4 < table["self"][1]
assert int(np.argmax(table["cross"])) == 0 and table["cross"][0] > 4 * max(table["cross"][1:])
assert max(table["cross"][1:]) > 2 * max(table["self"])
assert frozen < 0.6 * uniform
assert 0.05 < largest[0] < 0.3
assert len(explorer.packed) > 100_000
"""
WRONG = {
    "strongest": [
        "strongest = lambda weights, k: np.argsort(weights, axis=1)[:, :k]",
        "strongest = lambda weights, k: np.argsort(weights, axis=1)[:, -k:]",
        "strongest = lambda weights, k: np.sort(weights, 1)[:, ::-1][:, :k]",
        "strongest = lambda weights, k: np.argsort(-weights, axis=0)[:k].T",
    ],
    "told": [
        "told = lambda weights: weights.max()",
        "told = lambda weights: weights.max(0).mean()",
        "told = lambda weights: weights.mean()",
        "told = lambda weights: np.sort(weights, 1)[:, -3:].sum(1).mean()",
    ],
    "head_effect": [
        "answer = wb.effect(model, face, {'relation.layers.0.cross': wb.edits.Drop('head', (0,))}).percent.mean()",
        "answer = wb.effect(model, face, {'relation.layers.0.cross': wb.edits.Drop('head', (1,))}).percent.max()",
        "answer = wb.effect(model, face, {'relation.*.0.cross': wb.edits.Drop('head', (1,))}).displacement.mean()",
        "answer = wb.effect(model, face, {'relation.layers.1.cross': wb.edits.Drop('head', (1,))}).percent.mean()",
        "answer = wb.effect(model, face, {'relation.layers.0.cross': wb.edits.Keep('head', (1,))}).percent.mean()",
    ],
    "moves": [
        "edit = wb.edits.Uniform()",
        "edit = wb.edits.Shuffle(('key_landmark',), seed=3)",
        "edit = wb.edits.Scramble('head')",
    ],
}
