"""Lesson 1."""

SEEN = """
import numpy as np

assert reading.landmarks.shape == (68, 2)
assert len(explorer.packed) > 100_000 and "render" in explorer._esm
assert growth[under].mean() > 1.5 * growth[~under].mean()
assert difference.percent[under].mean() < 10
assert per_stage.argmax() == 0
assert np.allclose(weights.sum("key_landmark"), 1, atol=1e-3)
assert len(everything.trace) > len(reading.trace)
"""
WRONG = {
    "crop_side": [
        "side = lambda box: max(box[2] - box[0], box[3] - box[1])",
        "side = lambda box: 1.2 * (box[2] - box[0])",
        "side = lambda box: 1.2 * (box[3] - box[1])",
        "side = lambda box: 1.2 * ((box[2] - box[0]) + (box[3] - box[1])) / 2",
    ],
    "listens_to": [
        "most_listened = 8",
        "most_listened = int(weights[8].argmin())",
        "first = reading.attention('cross')[0, 0].mean(0)[8]\nmost_listened = 30",
    ],
    "sigma_growth": [
        "factor = float(growth.mean())",
        "factor = np.median(np.sqrt(covered.sigma().prod(1)) / np.sqrt(reading.sigma().prod(1)))",
        "factor = np.median((covered.sigma().prod(1) / reading.sigma().prod(1))[under])",
        "factor = (np.sqrt(covered.sigma().prod(1)) / np.sqrt(reading.sigma().prod(1)))[under].mean()",
    ],
    "largest_tensor": [
        "largest = lambda trace: list(trace)[0]",
        "largest = lambda trace: max(trace)",
        "largest = lambda trace: max(trace, key=lambda path: max(trace[path].shape.values()))",
    ],
}
