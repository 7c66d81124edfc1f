"""Lesson 10."""

SEEN = """
assert curve[-10:].mean() < 0.4 * curve[:5].mean()
assert trained < 0.9 * mean_face, (trained, mean_face)
shown = {view.name for view in views.offered(views.offer_of(model))}
assert {"relations", "inside"} <= shown
assert readings[0].trace["relation"].shape == {"batch": 1, "query_landmark": 68, "key_landmark": 68}
assert table["relation zero"] > table["relation uniform"] + 0.4 > table["as trained"] + 0.4, table
assert table["looks uniform"] > 2 * trained
"""
WRONG = {
    "soft": [
        "soft = lambda looks: np.stack([looks.sum(2) @ ((np.arange(looks.shape[1]) + 0.5) / looks.shape[1]), "
        "looks.sum(1) @ ((np.arange(looks.shape[2]) + 0.5) / looks.shape[2])], 1)",
        "soft = lambda looks: np.stack([looks.sum(1) @ (np.arange(looks.shape[2]) / looks.shape[2]), "
        "looks.sum(2) @ (np.arange(looks.shape[1]) / looks.shape[1])], 1)",
        "soft = lambda looks: np.stack([looks.sum(1) @ np.arange(looks.shape[2]), "
        "looks.sum(2) @ np.arange(looks.shape[1])], 1)",
        "soft = lambda looks: np.stack([looks.reshape(len(looks), -1).argmax(1) / looks[0].size] * 2, 1)",
    ],
    "error": [
        "error = lambda found, truth: np.linalg.norm(found - truth, axis=-1).mean()",
        "error = lambda f, t: (np.linalg.norm(f - t, axis=-1).mean(1) / "
        "np.linalg.norm(t[:, 36] - t[:, 45], axis=-1)).mean()",
        "error = lambda f, t: 100 * np.linalg.norm(f - t, axis=-1).mean() / "
        "np.linalg.norm(t[:, 36] - t[:, 45], axis=-1).mean()",
        "error = lambda f, t: 100 * (np.linalg.norm(f - t, axis=-1).mean(1) / "
        "np.linalg.norm(t[:, 39] - t[:, 42], axis=-1)).mean()",
    ],
    "verdict": [
        "verdict = lambda a, b: 'needed' if b / a >= 1.5 else 'idle' if b / a < 1.05 else 'weak'",
        "verdict = lambda a, b: 'needed' if abs(b - a) >= 0.5 else 'idle' if abs(b - a) < 0.05 else 'weak'",
        "verdict = lambda a, b: 'needed' if b > a else 'idle'",
        "verdict = lambda a, b: 'needed'",
    ],
}
