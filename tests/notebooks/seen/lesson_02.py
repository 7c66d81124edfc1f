"""Lesson 2."""

SEEN = """
import numpy as np

own, chance = leaks["with the prior"]
assert own < 0.05 < leaks["without"][0] < 0.5 * chance
assert curves["with the prior"][-1] < curves["control"][-1] < 0.7 * curves["control"][0]
assert np.abs(moved["uniform"] - moved["zero"]).max() < 1e-3
assert 0.1 < moved["zero"].mean() < moved["keys shuffled"].mean()
assert len(explorer.packed) > 100_000
"""
WRONG = {
    "non_local": [
        "def non_local(z, wq, wk, wv, g):\n"
        "    s = np.exp((z @ wq) @ (z @ wk).T)\n    return z + g * (s / s.sum(0)) @ (z @ wv)",
        "def non_local(z, wq, wk, wv, g):\n    return z + g * ((z @ wq) @ (z @ wk).T) @ (z @ wv)",
        "def non_local(z, wq, wk, wv, g):\n"
        "    s = np.exp((z @ wq) @ (z @ wk).T)\n    return g * (s / s.sum(1, keepdims=True)) @ (z @ wv)",
        "def non_local(z, wq, wk, wv, g):\n"
        "    s = np.exp((z @ wk) @ (z @ wq).T)\n    return z + g * (s / s.sum(1, keepdims=True)) @ (z @ wv)",
    ],
    "chance_leak": [
        "chance_leak = lambda near: near.mean()",
        "chance_leak = lambda near: (~near).sum()",
        "chance_leak = lambda near: 1 / near.size",
    ],
    "prior_loss": [
        "def prior_loss(w, mask):\n    m = mask.ravel()\n    return (m * w[:, m <= 0].sum(1)).sum() / m.sum()",
        "def prior_loss(w, mask):\n    m = mask.ravel()\n    return w[:, m <= 0].sum(1)[m > 0].mean()",
        "def prior_loss(w, mask):\n    m = mask.ravel()\n    return (m * w[:, m <= 0].sum(1)).sum()",
        "def prior_loss(w, mask):\n    m = mask.ravel()\n    return (m * w[m <= 0].sum(0)).sum() / (m > 0).sum()",
    ],
    "same_answer": [
        "change = lambda scores: 2 * scores",
        "change = lambda scores: scores",
        "change = lambda scores: scores[::-1]",
        "change = lambda scores: scores + np.arange(scores.shape[1])",
    ],
}
