"""Lesson 7."""

SEEN = """
order = np.argsort(far.ravel())
assert inner.ravel()[order[:68]].min() > 0.999 * inner.max()
assert np.ptp(codes, axis=0).max() > 0
assert middle["eye corners"][1] < 5 < 15 < middle["ends of the jaw"][1]
assert middle["ends of the jaw"][0] < 5
assert errors[-1] < 0.2 * errors[0]
assert before > 50 and after < 10, (before, after)
"""
WRONG = {
    "encode": [
        "encode = lambda x, w: np.concatenate([np.sin(x[:, None] * w), np.sin(x[:, None] * w)], 1)",
        "encode = lambda x, w: np.concatenate([np.sin(x[:, None] + w), np.cos(x[:, None] + w)], 1)",
        "encode = lambda x, w: np.concatenate([np.sin(x[:, None] / w), np.cos(x[:, None] / w)], 1)",
        "encode = lambda x, w: np.concatenate([x[:, None] * w, x[:, None] * w], 1)",
    ],
    "away": [
        "away = lambda points, anchors: np.linalg.norm(points[:, None] - anchors[None], axis=-1).mean(1)",
        "away = lambda points, anchors: np.linalg.norm(points[:, None] - anchors[None], axis=-1).argmin(1)",
        "away = lambda points, anchors: ((points[:, None] - anchors[None]) ** 2).sum(-1).min(1)",
        "away = lambda points, anchors: np.abs(points[:, None] - anchors[None]).sum(-1).min(1)",
    ],
    "midpoint": [
        "answer = off_the_middle(wb.sample_face('frontal-a'), (48, 54))",
        "answer = off_the_middle(wb.sample_face('tilted-left'), (48, 54)) / 100",
        "answer = off_the_middle(wb.sample_face('tilted-left'), (36, 39))",
        "answer = off_the_middle(wb.sample_face('tilted-right'), (48, 54))",
    ],
}
