"""The authors' published weights, by their own names.

The published files are pickles of a state dict, sometimes below ``state_dict`` or ``model`` and with ``module.``
before every name. They are read with ``weights_only=True``: nothing in them is executed.
"""

from __future__ import annotations

import pickle
from os import PathLike
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from workbench.errors import CheckpointError
from workbench.models.dslpt import PatchTransformer, PatchTransformerConfig
from workbench.models.presets import SCHEME_BY_COUNT

SYSTEMS = ("slpt", "dslpt")

# Ours -> theirs, longest prefix first.
_NAMES = (
    ("relation.layers.", "Transformer.Transformer_block.layers."),
    ("relation.norm.", "Transformer.Transformer_block.norm."),
    ("relation.structure_encoding", "Transformer.structure_encoding"),
    ("relation.landmark_query", "Transformer.landmark_query"),
    ("embed_norm.", "feature_norm."),
    ("embed.", "feature_extractor."),
    ("head.hidden.", "embedding_layer."),
    ("head.variance.", "out_std_layer."),
)


def published_name(name: str, system: str) -> str:
    """Our parameter name -> the authors'."""
    for ours, theirs in (*_NAMES, ("head.mean.", "out_layer." if system == "slpt" else "out_mean_layer.")):
        if name.startswith(ours):
            return theirs + name[len(ours) :]
    return name


def read_state_dict(path: str | PathLike[str]) -> dict[str, Tensor]:
    """Tensors of a ``.pth`` or ``.safetensors`` file, unwrapped.

    Raises:
        CheckpointError: no such file, damaged, holding more than tensors, or holding none.
    """
    file = Path(path)
    if not file.is_file():
        raise CheckpointError(f"There is no weights file at {file}.")
    try:
        if file.suffix == ".safetensors":
            return load_file(str(file))
        raw = torch.load(file, map_location="cpu", weights_only=True)
    except (
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        BadZipFile,
        SafetensorError,
        ValueError,
        KeyError,
    ):
        raise CheckpointError(
            f"{file.name} is not a plain file of weights (damaged, or it holds Python objects, which are never run); "
            "save the model's state_dict again and use that file."
        ) from None
    for key in ("state_dict", "model"):
        if isinstance(raw, dict) and isinstance(raw.get(key), dict):
            raw = raw[key]
    if not isinstance(raw, dict):
        raise CheckpointError(f"{file.name} holds no state dict; save model.state_dict() and use that file.")
    tensors = {str(k).removeprefix("module."): v for k, v in raw.items() if isinstance(v, Tensor)}
    if not tensors:
        raise CheckpointError(f"{file.name} holds no tensors; save model.state_dict() and use that file.")
    return tensors


def read_init_face(source: str | PathLike[str] | np.ndarray | Tensor | None) -> Tensor:
    """The authors' initial mean face, (N, 2) in 256-pixel crop units -> (N, 2) in [0, 1].

    Args:
        source: an ``.npz`` with ``init_face``, an ``.npy``, or an array in the same units.

    Raises:
        CheckpointError: missing, unreadable, of another shape, or not finite.
    """
    if source is None:
        raise CheckpointError(
            "The published weights do not hold the initial mean face; pass it with init_face (an .npz file with the "
            "array 'init_face', in pixels of a 256-pixel crop)."
        )
    if isinstance(source, (np.ndarray, Tensor)):
        values = np.asarray(source, dtype=np.float64)
    else:
        file = Path(source)
        try:
            loaded = np.load(file, allow_pickle=False)
            values = np.asarray(loaded if isinstance(loaded, np.ndarray) else loaded["init_face"], dtype=np.float64)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            raise CheckpointError(
                f"{file} is not a readable .npz with an array 'init_face' of shape (N, 2)."
            ) from None
    if values.ndim != 2 or values.shape[1] != 2 or not np.isfinite(values).all():
        raise CheckpointError(f"The initial mean face must be finite and of shape (N, 2), not {values.shape}.")
    return torch.from_numpy(values / 256).float()


def infer_config(state: dict[str, Tensor], system: str) -> PatchTransformerConfig:
    """The configuration that a published state dict of ``system`` was made with, from names and shapes."""
    if system not in SYSTEMS:
        raise CheckpointError(
            f"Weights of '{system}' cannot be imported; the systems with an importer are {', '.join(SYSTEMS)}."
        )
    query, embed = state.get("Transformer.landmark_query"), state.get("feature_extractor.weight")
    if query is None or embed is None or query.ndim != 3 or embed.ndim != 4:
        raise CheckpointError(
            f"These are not {system.upper()} weights: 'Transformer.landmark_query' or 'feature_extractor.weight' is "
            "missing; choose the system they belong to."
        )
    slpt, count, dim = system == "slpt", query.shape[1], query.shape[2]
    if "backbone.stage4.0.branches.0.0.conv1.weight" in state:
        backbone = "hrnet_w18" if any(k.startswith("backbone.stage3.1.") for k in state) else "hrnet_w18_lite"
    else:
        backbone = "resnet50" if "backbone.layer1.0.conv3.weight" in state else "resnet34"
    layer = "Transformer.Transformer_block.layers."
    ffn = state.get(f"{layer}0.linear1.weight")
    return PatchTransformerConfig(
        system="slpt" if slpt else "dslpt",
        scheme=SCHEME_BY_COUNT.get(count, f"user{count}"),
        landmarks=count,
        backbone=backbone,
        deep_head=slpt and backbone.startswith("hrnet"),
        dim=dim,
        layers=len({k.split(".")[3] for k in state if k.startswith(layer)}),
        ffn=4 * dim if ffn is None else ffn.shape[0],
        patch=embed.shape[-1],
        rectangle="shrink" if slpt else "shift",
        sampling="aligned" if slpt else "half_pixel",
        size_rule="halve" if slpt else "variance",
        likelihood=None if slpt else "gaussian",
        embed_bias=not slpt,
    )


def import_published(
    path: str | PathLike[str], system: str, init_face: str | PathLike[str] | np.ndarray | Tensor | None
) -> PatchTransformer:
    """A model with the authors' weights, every tensor accounted for.

    Args:
        path: their ``.pth``.
        system: "slpt" or "dslpt".
        init_face: see :func:`read_init_face`.

    Raises:
        CheckpointError: a sentence naming what is missing, left over, of another shape or not finite.
    """
    theirs = read_state_dict(path)
    config = infer_config(theirs, system)
    model = PatchTransformer(config, read_init_face(init_face))
    ours = {name: t for name, t in model.state_dict().items() if name != "mean_shape"}
    names = {name: published_name(name, system) for name in ours}
    missing = sorted(n for n in names.values() if n not in theirs)
    extra = sorted(set(theirs) - set(names.values()))
    if missing or extra:
        parts = [f"{_some(missing)} missing"] if missing else []
        parts += [f"{_some(extra)} left over"] if extra else []
        raise CheckpointError(f"{Path(path).name} does not fit {system.upper()}: {' and '.join(parts)}.")
    for name, tensor in ours.items():
        given = theirs[names[name]]
        if given.shape != tensor.shape:
            raise CheckpointError(
                f"{names[name]} has the shape {tuple(given.shape)}, but {system.upper()} needs {tuple(tensor.shape)}."
            )
        if given.is_floating_point() and not torch.isfinite(given).all():
            raise CheckpointError(f"{names[name]} holds values that are not finite; the file is damaged.")
    model.load_state_dict({**{n: theirs[names[n]] for n in ours}, "mean_shape": model.mean_shape})
    return model.eval()


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")
