"""The recipes of the shipped checkpoints, one frozen record each."""

from __future__ import annotations

from workbench.training.departures import DEPARTURES
from workbench.training.recipe import Phase, Recipe

_DSLPT = (
    "Laplace likelihood; the variance is that of the distribution, twice its scale squared.",
    "Patches follow the deviation, as the thesis' text says (5.2.2), not the variance, as the published code does.",
)

COMPACT = (
    Recipe(
        name="dslpt-68",
        preset="dslpt-68-compact",
        scheme="ibug68",
        sets=("w300_68",),
        test="w300_68",
        phases=(
            Phase(epochs=24, lr=2e-3, task="heatmaps"),
            Phase(epochs=36, lr=1e-3),
            Phase(epochs=12, lr=5e-4, views="polish"),
            Phase(epochs=32, lr=5e-4, views="cover"),
        ),
        notes=("Trained from scratch on 2012 faces of AFW, HELEN and LFPW; the test part is LFPW-test.", *_DSLPT),
    ),
    Recipe(
        name="dslpt-68-tied",
        preset="dslpt-68-compact-tied",
        scheme="ibug68",
        sets=("w300_68",),
        test="w300_68",
        phases=(Phase(epochs=20, lr=1e-3), Phase(epochs=10, lr=5e-4, views="cover")),
        start="dslpt-68",
        precision="32-true",
        title="DSLPT compact, one query for all landmarks, 68 points",
        notes=(
            "One landmark query for all landmarks, to which the structure encoding is added (ours): nothing else "
            "tells the layers which landmark is which.",
            "Starts from dslpt-68, but for the query.",
            *_DSLPT,
        ),
    ),
    Recipe(
        name="dslpt-98",
        preset="dslpt-98-compact",
        scheme="wflw98",
        sets=("w300_68",),
        test="w300_68",
        phases=(Phase(epochs=14, lr=1e-3, frozen=("backbone",)), Phase(epochs=6, lr=5e-4, views="cover")),
        precision="32-true",
        labels="pseudo98",
        start="dslpt-68",
        licence=(
            "Training photographs: research, non-commercial (300-W). Labels: made by a published PFLD network that "
            "was trained on WFLW; no terms stated. Weights: research use."
        ),
        notes=(
            "The 98 points are pseudo-labels made by another network, not human labels: errors against them say how "
            "well that network is imitated.",
            "Starts from the backbone and the relation layers of dslpt-68; its 98 encodings and queries begin at "
            "random, so that likeness to those of the 68 is learned, not copied.",
        ),
    ),
    Recipe(
        name="slpt-68",
        preset="slpt-68-compact",
        scheme="ibug68",
        sets=("w300_68",),
        test="w300_68",
        phases=(Phase(epochs=6, lr=6e-4, views="polish"),),
        precision="32-true",
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
    Recipe(
        name="tufa-zero",
        preset="tufa-68-compact-zero",
        scheme="ibug68",
        sets=("w300_68", "helen29", "mtfl5"),
        test="w300_68",
        phases=(Phase(epochs=6, lr=1e-3), Phase(epochs=2, lr=5e-4, views="polish")),
        start="dslpt-68",
        title="TUFA compact, 98 and 189 points never seen",
        data=(
            "w300_68: 2012 faces with 68 human and 478 machine-made (MediaPipe) points; helen29: 201 faces with 29 "
            "human points; mtfl5: 3600 faces with five human points"
        ),
        licence=(
            "Training photographs and human labels: research, non-commercial (300-W); free for research (HELEN with "
            "29 points); to be cited, no licence stated (MTFL). Machine-made labels: 478 points by MediaPipe 0.10.21 "
            "(Apache-2.0). Weights: research use."
        ),
        notes=(
            "As tufa, in 8 epochs instead of 20, but no face of its training had 98, 73 or 189 points: what it finds "
            "of those is zero-shot. MediaPipe's 478 anchors lie densely on the inner face, none on hair or neck.",
        ),
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
