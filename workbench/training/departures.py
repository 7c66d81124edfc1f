"""Where a recipe departs from its paper, as sentences for the card."""

from __future__ import annotations

_ADAMW = "AdamW (betas 0.9, 0.95; decay 0.01) and steps to a tenth instead of the paper's Adam."
_VIEWS = "Augmentation as in the DSLPT thesis (5.3), not as in the paper."
_IMAGENET = "From scratch; the paper starts from ImageNet's weights (`--start FILE` takes them for the backbone)."
_DINO = "From scratch; the paper starts from DINO's ViT-S (`--start FILE` takes it for the encoder)."
_WEIGHTS = "Published stage weights 0.2, 0.3, 0.5; thesis Eq. 5.9 weighs the stages alike."
_FEWER = "On 2012 of the 3148 training faces of 300-W."
_TUFA = (_DINO, "AdamW's betas are 0.9 and 0.95, which the thesis does not give.")

DEPARTURES: dict[str, tuple[str, ...]] = {
    "ssfa-68": (
        "Compact changes: a slim pyramid instead of HRNet-W18, attention on its coarse 32x32 map alone with a "
        "bottleneck of 32 channels, gamma from 0.5 instead of 0, beta 0.3 instead of 0.01, cross-entropy maps decoded "
        "by their expectation instead of squared errors and a maximum.",
        "Against an attention sink: queries lose their mean over the map, and nobody attends to the border's keys.",
    ),
    "ssfa-98-paper": (
        _ADAMW,
        "Augmentation of the DSLPT thesis instead of the paper's (rotation within 10 degrees, scale 0.75 to 1.25).",
        _IMAGENET,
        "Measured on one view; the paper averages the image and its mirror image.",
    ),
    "tufa-98-s16-paper": _TUFA,
    "tufa-98-s8-paper": _TUFA,
    "tufa-s16-joint-paper": (*_TUFA, "On three data sets; the thesis joins four (MERL-RAV is not read here)."),
    "tufa-s8-joint-paper": (*_TUFA, "On three data sets; the thesis joins four (MERL-RAV is not read here)."),
    "dslpt-68-paper": (_IMAGENET, _WEIGHTS, _FEWER),
    "dslpt-98-paper": (_IMAGENET, _WEIGHTS),
    "slpt-98-paper": (_ADAMW, _VIEWS, _IMAGENET),
    "aodn-68": (
        "Not in the paper: the signed root of the outer product, and the gain of 1/32 in front of M.",
        "P'' learns from a cross-entropy which cells an occluder was painted over, and weighs Z before both modules; "
        "the paper tells P'' nothing and does not write where it weighs.",
        "M begins with the principal changes of the training faces, and every step takes the same from its singular "
        "values (the proximal step of the nuclear norm); the channel gate sees its averages standardised over faces.",
    ),
    "scc-68": (
        "The graph network is trained on frozen maps whose faces are covered in places; its nodes also tell how far "
        "their map spreads and which landmark they are, and edge weights follow the face (queries and keys).",
        "Two designs were tried and neither brought the graph to take anything off the error of the maps' centres, "
        "plain or covered: its edges follow the face, but nothing depends on them.",
    ),
    "aodn-68-paper": (
        "AdamW instead of an optimiser that the paper does not name; rate, batch and the losses' weights are ours.",
        _VIEWS,
        _IMAGENET,
        _FEWER,
    ),
    "scc-98-paper": (_VIEWS, "No balancing of the poses, which the published code has.", _IMAGENET),
    "chs-68": (
        "Against cascades that need no heatmap: in training they start from disturbed places, alone in the second "
        "phase; branch weights are computed from standardised features.",
        "Also changed: epsilon of the small Wing loss (2 instead of 10), and the ROI, whose 5x5 cells on a 32x32 map "
        "cover four times the part of the face that the paper's do.",
    ),
    "chs-98-paper": (_VIEWS,),
}
"""Recipe -> its departures; a recipe's own ``notes`` tell the rest. The three SSFA trainings share one entry."""
