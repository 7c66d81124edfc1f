"""Lesson 5."""

SEEN = """
assert encodings.shape == (68, 128)
assert shares["trained"][0] + shares["trained"][1] > 0.6 > 0.2 > sum(shares["random"])
assert sum(shares["shuffled over landmarks"]) < 0.2
assert used["structure"] < 1 < 5 < used["query"]
assert used_tied > 10 * used["structure"]
"""
WRONG = {
    "similarity": [
        "similarity = lambda vectors: vectors @ vectors.T",
        "similarity = lambda vectors: np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)",
        "similarity = lambda vectors: np.corrcoef(vectors)",
        "similarity = lambda vectors: vectors @ vectors.T / np.linalg.norm(vectors)",
    ],
    "nearest": [
        "nearest = lambda matrix: matrix.argmax(1)",
        "nearest = lambda matrix: matrix.argmin(1)",
        "nearest = lambda matrix: np.sort(matrix, 1)[:, -2]",
        "nearest = lambda matrix: (matrix - 2 * np.eye(len(matrix))).argmin(1)",
    ],
    "swap": [
        "swap = lambda i, j: lambda values, site: values.tensor",
        "swap = lambda i, j: lambda values, site: values.tensor.flip(1)",
        "swap = lambda i, j: lambda values, site: values.tensor[:, [i if k == j else k for k in range(6)]]",
        "swap = lambda i, j: lambda values, site: torch.zeros_like(values.tensor)",
    ],
}
