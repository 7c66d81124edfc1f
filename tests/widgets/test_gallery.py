"""The strip of faces: what stands below them."""

from __future__ import annotations

from workbench.app.gallery import short_labels
from workbench.faces import sample_info, sample_names


def test_labels_are_short_and_distinct() -> None:
    titles = [sample_info(name)["title"] for name in sample_names()]
    labels = short_labels(titles)
    assert len(set(labels)) == len(labels)
    assert max(map(len, labels)) <= 24
    assert short_labels(["Frontal", "With a hand over the mouth", "Turned 30 degrees to image left", "Frontal"]) == [
        "Frontal a",
        "Hand over the mouth",
        "Turned 30° image left",
        "Frontal b",
    ]
