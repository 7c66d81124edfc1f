"""Training recipes: everything that decides what a shipped checkpoint is, in one frozen record each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from workbench.errors import UnknownNameError
from workbench.training.departures import DEPARTURES


@dataclass(frozen=True)
class Phase:
    """Some epochs with one learning-rate cycle, one augmentation and one task.

    Attributes:
        epochs: how many.
        lr: peak of the cycle.
        views: augmentation preset.
        task: "model", "heatmaps" (the feature maps alone, through throw-away heads), or one a system defines.
        milestones: epochs of the phase at which the rate falls to a tenth, instead of the cycle.
        frozen: names, or their beginnings, of parts of the model that the phase leaves as they are.
    """

    epochs: int
    lr: float
    views: str = "wide"
    task: str = "model"
    milestones: tuple[int, ...] = ()
    frozen: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one checkpoint is made.

    Attributes:
        name: also the checkpoint's name.
        preset: of the model.
        scheme: landmark scheme of the labels.
        sets: data folders below ``--data``, joined for training.
        test: the folder whose test part is measured.
        phases: what is trained, one after the other.
        labels: None for a set's own labels, or the name of its pseudo-labels ("pseudo98").
        pack: side of the stored crops in pixels.
        batch, weight_decay, betas: of AdamW.
        floor: density floor of the likelihood (None: exact).
        stage_weights: of the stages' losses (SLPT, DSLPT), as published; thesis Eq. 5.9 weighs the stages alike.
        offset_weight: of the soft-argmax's L1 error beside the cross-entropy, in every loss on heatmaps.
        auxiliary_weight: of the heatmap loss that goes on beside the landmarks' after a heatmap warm-up (ATPN).
        ema: decay of the averaged weights that are kept, 0 for none.
        seed: of everything random.
        start: checkpoint that the training starts from, or None.
        precision: Lightning's precision flag.
        grad_clip: norm to which gradients are clipped, 0 for none.
        title: of the checkpoint, where the system's name and the number of points do not tell it from others.
        data: what the card says of the training data, instead of the sets' names and the number of faces.
        licence: terms of data and weights, for the card.
        notes: sentences for the card.
    """

    name: str
    preset: str
    scheme: str
    sets: tuple[str, ...]
    test: str
    phases: tuple[Phase, ...]
    labels: str | None = None
    pack: int = 192
    batch: int = 32
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.95)
    floor: float | None = None
    stage_weights: tuple[float, ...] = (0.2, 0.3, 0.5)
    offset_weight: float = 10.0
    auxiliary_weight: float = 0.0
    ema: float = 0.997
    seed: int = 20240
    start: str | None = None
    precision: str = "bf16-mixed"
    grad_clip: float = 1.0
    title: str = ""
    data: str = ""
    licence: str = "Training photographs and labels: research, non-commercial (300-W). Weights: research use."
    notes: tuple[str, ...] = ()

    @property
    def epochs(self) -> int:
        """Of all phases."""
        return sum(phase.epochs for phase in self.phases)

    @property
    def starts(self) -> tuple[int, ...]:
        """The epochs with which the phases begin."""
        return tuple(sum(phase.epochs for phase in self.phases[:i]) for i in range(len(self.phases)))

    def phase_at(self, epoch: int) -> tuple[Phase, int]:
        """The phase an epoch belongs to (the last one beyond the end) and the epoch it began with."""
        first = 0
        for phase in self.phases:
            if epoch < first + phase.epochs:
                return phase, first
            first += phase.epochs
        return self.phases[-1], first - self.phases[-1].epochs


_PAPER = dict[str, Any](
    batch=16,
    floor=1e-9,
    pack=256,
    ema=0.0,
    grad_clip=0.0,
    licence="Training photographs and labels: on the terms of the data sets used. Weights: no freer than these.",
)

_ALL = (
    *(
        Recipe(
            name=name,
            preset=preset,
            scheme="ibug68",
            sets=("w300_68",),
            test="w300_68",
            phases=(
                Phase(epochs=24, lr=2e-3, task="heatmaps"),
                Phase(epochs=36, lr=1e-3),
                Phase(epochs=12, lr=5e-4, views="polish"),
                Phase(epochs=32, lr=5e-4, views="cover"),
            ),
            title=title,
            notes=(
                "Trained from scratch on 2012 faces of AFW, HELEN and LFPW; the test part is LFPW-test.",
                "Laplace likelihood; the variance is that of the distribution, twice its scale squared.",
                "Patches follow the deviation, as the thesis' text says (5.2.2), not the variance, as the published "
                "code does.",
                *notes,
            ),
        )
        for name, preset, title, notes in (
            ("dslpt-68", "dslpt-68-compact", "", ()),
            (
                "dslpt-68-tied",
                "dslpt-68-compact-tied",
                "DSLPT compact, one query for all landmarks, 68 points",
                (
                    "One landmark query for all landmarks, to which the structure encoding is added (ours): nothing "
                    "else tells the layers which landmark is which.",
                ),
            ),
        )
    ),
    Recipe(
        name="dslpt-98",
        preset="dslpt-98-compact",
        scheme="wflw98",
        sets=("w300_68",),
        test="w300_68",
        phases=(Phase(epochs=10, lr=5e-4, views="cover"),),
        labels="pseudo98",
        start="dslpt-68",
        licence=(
            "Training photographs: research, non-commercial (300-W). Labels: made by a published PFLD network that "
            "was trained on WFLW; no terms stated. Weights: research use."
        ),
        notes=(
            "The 98 points are pseudo-labels made by another network, not human labels: errors against them say how "
            "well that network is imitated.",
            "Starts from dslpt-68; each of the 98 encodings and queries from the nearest of the 68 landmarks, so that "
            "what the 98 know of a face began as a copy of what the 68 know.",
        ),
    ),
    Recipe(
        name="slpt-68",
        preset="slpt-68-compact",
        scheme="ibug68",
        sets=("w300_68",),
        test="w300_68",
        phases=(Phase(epochs=6, lr=6e-4, views="polish"),),
        start="dslpt-68",
        notes=(
            "Starts from dslpt-68, whose backbone and relation layers fit; the patch rules, the head and the loss are "
            "SLPT's own.",
        ),
    ),
    *(
        Recipe(
            name=name,
            preset=preset,
            scheme="ibug68",
            sets=("w300_68",),
            test="w300_68",
            phases=(Phase(epochs=6, lr=1e-3), Phase(epochs=3, lr=4e-4, views="polish")),
            start="dslpt-68",
            title=title,
            notes=(
                "Starts from the backbone of dslpt-68; heatmaps are new.",
                *DEPARTURES["ssfa-68"],
                "One of three trainings with the same seed and schedule: ssfa-68-baseline without attention, "
                "ssfa-68-free with attention and no prior (beta 0), ssfa-68 with the prior. The last two differ in "
                "beta alone.",
            ),
        )
        for name, preset, title in (
            ("ssfa-68-baseline", "ssfa-68-compact-baseline", "SSFA compact, baseline without attention, 68 points"),
            ("ssfa-68-free", "ssfa-68-compact-free", "SSFA compact, without the prior, 68 points"),
            ("ssfa-68", "ssfa-68-compact", "SSFA compact, with the prior, 68 points"),
        )
    ),
    Recipe(
        name="ssfa-98-paper",
        preset="ssfa-98-literal",
        scheme="wflw98",
        sets=("wflw",),
        test="wflw",
        phases=(Phase(epochs=80, lr=2e-3, views="paper", milestones=(40, 55)),),
        **_PAPER,
        notes=DEPARTURES["ssfa-98-paper"],
    ),
    Recipe(
        name="tufa",
        preset="tufa-68-compact",
        scheme="ibug68",
        sets=("w300_68", "helen29", "mtfl5"),
        test="w300_68",
        phases=(Phase(epochs=14, lr=1e-3), Phase(epochs=6, lr=5e-4, views="polish")),
        start="dslpt-68",
        title="TUFA compact, any points",
        data=(
            "w300_68: 2012 faces with 68 human, 98 machine-made (pseudo98) and 478 machine-made (MediaPipe) points; "
            "helen29: 201 faces with 29 human and 98 machine-made points; mtfl5: 3600 faces with five human points"
        ),
        licence=(
            "Training photographs and human labels: research, non-commercial (300-W); free for research (HELEN with "
            "29 points); to be cited, no licence stated (MTFL). Machine-made labels: 98 points by a published PFLD "
            "network that was trained on WFLW, no terms stated; 478 points by MediaPipe 0.10.21 (Apache-2.0). "
            "Weights: research use."
        ),
        notes=(
            "One training on batches of mixed conventions; each has its own semantic alignment embedding.",
            "Not a plain ViT: a slim ResNet, taken over from dslpt-68 (whose warm-up on heatmaps it has had), is "
            "the stem; every decoder layer also points at a 32 x 32 map. The cross-entropy of where it points is "
            "added to the L1 loss.",
            "A face's crop comes from its 68 points; from 29 it is 1.32 times their box; the box of five points is "
            "widened 2.02 times and lowered by 0.14 of its side, ratios measured on faces with 68 points.",
            "Errors on 98 and 478 points are against machine-made labels. Faces with 29 points that were held out of "
            "the training may be among its faces with 68 points.",
        ),
    ),
    *(
        Recipe(
            name=name,
            preset=preset,
            scheme="wflw98",
            sets=sets,
            test="wflw",
            phases=(Phase(epochs=epochs, lr=lr, views="paper", milestones=milestones),),
            **_PAPER,
            notes=DEPARTURES[name],
        )
        for name, preset, sets, epochs, lr, milestones in (
            ("tufa-98-s16-paper", "tufa-98-s16", ("wflw",), 140, 5e-5, (120, 130)),
            ("tufa-98-s8-paper", "tufa-98-s8", ("wflw",), 140, 1e-4, (120, 130)),
            ("tufa-s16-joint-paper", "tufa-98-s16-joint", ("wflw", "300w", "cofw"), 100, 5e-5, (80, 90)),
            ("tufa-s8-joint-paper", "tufa-98-s8-joint", ("wflw", "300w", "cofw"), 100, 1e-4, (80, 90)),
        )
    ),
    Recipe(
        name="dslpt-68-paper",
        preset="dslpt-68-w18",
        scheme="ibug68",
        sets=("w300_68",),
        test="w300_68",
        phases=(Phase(epochs=100, lr=5e-4, views="paper", milestones=(80, 90)),),
        **_PAPER,
        notes=DEPARTURES["dslpt-68-paper"],
    ),
    Recipe(
        name="dslpt-98-paper",
        preset="dslpt-98-w18",
        scheme="wflw98",
        sets=("wflw",),
        test="wflw",
        phases=(Phase(epochs=100, lr=5e-4, views="paper", milestones=(80, 90)),),
        **_PAPER,
        notes=DEPARTURES["dslpt-98-paper"],
    ),
    Recipe(
        name="slpt-98-paper",
        preset="slpt-98-lite",
        scheme="wflw98",
        sets=("wflw",),
        test="wflw",
        phases=(Phase(epochs=150, lr=1e-3, views="paper", milestones=(120, 140)),),
        **{**_PAPER, "batch": 32},
        notes=DEPARTURES["slpt-98-paper"],
    ),
    Recipe(
        name="aodn-68",
        preset="aodn-68-compact",
        scheme="ibug68",
        sets=("w300_68",),
        test="w300_68",
        phases=(Phase(epochs=4, lr=1e-3, views="polish", task="heatmaps"), Phase(epochs=13, lr=7e-4, views="cover")),
        start="dslpt-68",
        notes=(
            "The trunk starts from dslpt-68's; seven of ten training views are covered in places, so that the gate "
            "and the map of sub-network D meet occlusion.",
            "Compact change: the hybrid map becomes one probability map a landmark, and M reads those.",
            "L1 point loss instead of the squared one, and a heatmap loss on the point maps.",
            *DEPARTURES["aodn-68"],
        ),
    ),
    Recipe(
        name="aodn-68-paper",
        preset="aodn-68-resnet18",
        scheme="ibug68",
        sets=("w300_68",),
        test="w300_68",
        phases=(Phase(epochs=100, lr=5e-4, views="paper", milestones=(60, 80)),),
        **{**_PAPER, "weight_decay": 0.0},
        notes=DEPARTURES["aodn-68-paper"],
    ),
    Recipe(
        name="scc-68",
        preset="scc-68-compact",
        scheme="ibug68",
        sets=("w300_68",),
        test="w300_68",
        phases=(
            Phase(epochs=10, lr=2e-3, task="heatmaps"),
            Phase(epochs=12, lr=1e-3, views="polish", task="heatmaps"),
            Phase(epochs=14, lr=2e-3, views="hide", frozen=("backbone", "nodes")),
        ),
        start="dslpt-68",
        notes=(
            "The trunk starts from dslpt-68's.",
            "Compact change: each node is one 32x32 map, softmaxed, and starts at its centre of mass; the graph "
            "network moves it. The paper's network gives the coordinates at once.",
            "A heatmap loss on the nodes' maps is added to the paper's two losses.",
            *DEPARTURES["scc-68"],
        ),
    ),
    Recipe(
        name="scc-98-paper",
        preset="scc-98-sc",
        scheme="wflw98",
        sets=("wflw",),
        test="wflw",
        phases=(Phase(epochs=500, lr=1e-3, views="paper", milestones=(200, 350)),),
        **{**_PAPER, "batch": 64},
        notes=(
            "AdamW instead of the paper's SGD, whose rate falls to a fifth at the same epochs.",
            *DEPARTURES["scc-98-paper"],
        ),
    ),
    Recipe(
        name="chs-68",
        preset="chs-68-compact",
        scheme="ibug68",
        sets=("w300_68",),
        test="w300_68",
        phases=(
            Phase(epochs=12, lr=1e-3, views="polish"),
            Phase(epochs=8, lr=1e-3, views="hide", frozen=("backbone", "branches", "select", "stack")),
        ),
        start="dslpt-68",
        notes=(
            "The trunk starts from dslpt-68's; in the second phase the cascades alone are trained.",
            "Compact changes: two cascades, one hourglass on 32x32 maps, cross-entropy instead of AWing on the "
            "heatmaps, whose expected position is the first answer.",
            *DEPARTURES["chs-68"],
        ),
    ),
    Recipe(
        name="chs-98-paper",
        preset="chs-98-4ccr",
        scheme="wflw98",
        sets=("wflw",),
        test="wflw",
        phases=(Phase(epochs=350, lr=5e-4, views="paper", milestones=(200, 300)),),
        **{**_PAPER, "batch": 10},
        notes=(
            "AdamW instead of the paper's SGD, whose rate falls by a quarter at a time.",
            *DEPARTURES["chs-98-paper"],
        ),
    ),
    Recipe(
        name="atpn-68",
        preset="atpn-68-compact",
        scheme="ibug68",
        sets=("w300_68",),
        test="w300_68",
        phases=(
            Phase(epochs=10, lr=2e-3, task="heatmaps"),
            Phase(epochs=16, lr=1.5e-3),
            Phase(epochs=6, lr=5e-4, views="polish"),
            Phase(epochs=3, lr=2e-3, task="tracking"),
            Phase(epochs=6, lr=2e-3, task="pose"),
        ),
        auxiliary_weight=0.1,
        precision="32-true",
        data="w300_68: 2012 training faces, human labels; tracking and pose also: 3600 faces of mtfl5",
        licence=(
            "Training photographs and human labels: research, non-commercial (300-W); to be cited, no licence stated "
            "(MTFL). Angles: fitted to mesh points by MediaPipe 0.10.21 (Apache-2.0). Weights: research use."
        ),
        notes=(
            "Three stages as in the thesis, tracking and pose on the frozen trunk, after a heatmap warm-up of the "
            "pyramid that the thesis does not have and that goes on, with a small weight, beside the landmarks.",
            "Tracking: no WIDER FACE. Negatives are cut from the same photographs (parts of the face, places beside "
            "it, views from far, all below 0.3 intersection over union; the face turned over; its blocks shuffled), "
            "from pictures without a person that come with scikit-image, and from textures.",
            "Pose: no 300W-LP. Angles of 300-W faces come from a rigid face fitted to MediaPipe's mesh points "
            "(pseudo-labels); the five pose classes of MTFL stand for a yaw of -60, -30, 0, 30 and 60 degrees, their "
            "roll comes from the eyes.",
            "Yaw is positive towards image right, pitch up, roll clockwise on the screen.",
        ),
    ),
)
_START = (
    "The shipped weights began from an earlier dslpt-68, whose patches followed the variance; a new training begins "
    "from the one that ships now."
)
RECIPES = {r.name: replace(r, notes=(*r.notes, _START)) if r.start == "dslpt-68" else r for r in _ALL}


def get_recipe(name: str) -> Recipe:
    """A recipe by name. Raises UnknownNameError, naming the ones there are."""
    if name not in RECIPES:
        raise UnknownNameError(f"There is no recipe '{name}'; choose one of {', '.join(RECIPES)}.")
    return RECIPES[name]
