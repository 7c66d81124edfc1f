"""The authors' published weights, by their own names.

The published files are pickles of a state dict, often inside of other dictionaries and with ``module.`` and the like
before every name. They are read with ``weights_only=True``: nothing in them is executed.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from workbench.errors import CheckpointError, UnknownNameError
from workbench.models.base import FaceModel
from workbench.models.systems import SYSTEMS

IMPORTABLE = tuple(name for name, system in SYSTEMS.items() if system.published)


def read_state_dict(path: str | PathLike[str]) -> dict[str, Tensor]:
    """Tensors of a ``.pth`` or ``.safetensors`` file, unwrapped.

    Raises:
        CheckpointError: no such file, damaged, holding more than tensors, or holding none.
    """
    file = Path(path)
    if not os.path.isfile(file):
        raise CheckpointError(f"There is no weights file at {file}.")
    kind = _told_apart(file)
    if kind:
        raise CheckpointError(f"{file.name} is {kind}.")
    try:
        if file.suffix == ".safetensors":
            raw: Any = load_file(str(file))
        else:
            # A number that NumPy made, such as the best error so far, lies beside many weights.
            with torch.serialization.safe_globals(_NUMBERS):
                raw = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle raises nearly every kind
        named = re.search(r"GLOBAL ([\w.]+)", str(error))
        why = f"it holds a {named[1]}, and Python objects are never run" if named else (
            "damaged, or it holds Python objects, which are never run")  # fmt: skip
        raise CheckpointError(
            f"{file.name} is not a plain file of weights ({why}); save the model's state_dict again and use that file."
        ) from None
    if not isinstance(raw, dict):
        raise CheckpointError(f"{file.name} holds no state dict; save model.state_dict() and use that file.")
    state = _unwrapped(raw)
    odd = next((k for k, v in state.items() if isinstance(v, Tensor) and _odd(v)), None)
    if odd is not None:
        raise CheckpointError(
            f"{odd} in {file.name} is sparse, quantised or without values; save it as plain tensors."
        )
    tensors = _bare({str(k): v for k, v in state.items() if isinstance(v, Tensor)})
    if not tensors:
        raise CheckpointError(f"{file.name} holds no tensors; save model.state_dict() and use that file.")
    return tensors


WRAPPERS = ("module", "_orig_mod", "model", "net", "network", "ema", "ema_model")
"""Components that tools put before every name of a state dict, in any order: DataParallel, ``torch.compile``,
Lightning, averaged models."""
_LEFTOVERS = ("total_ops", "total_params", "n_averaged")
"""Last components of what profilers and averaging leave in a state dict."""
_PREFERRED = ("state_dict", "model_state_dict", "model", "net", "network", "weights", "params")
_SCALAR = type(np.float64(0)).__reduce__(np.float64(0))[0]
_NUMBERS: list[Any] = [
    _SCALAR,
    (_SCALAR, "numpy.core.multiarray.scalar"),  # its name before NumPy 2
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i4", "i8", "?")),
]
"""What a NumPy number is pickled as; allowed, for it can do nothing but be a number."""
_HEADS = {
    b"version https://git-lfs": "a Git LFS pointer, not the weights themselves; fetch them with `git lfs pull`",
    b"<": "a web page, not weights; the download was answered with HTML",
    b"\x89HDF": "an HDF5 file (Keras); only PyTorch's weights can be read",
    b"\x08": "an ONNX file; only PyTorch's weights can be read",
}


def _told_apart(file: Path) -> str:
    """What a file is that holds no state dict, by its first bytes; "" for what may be one."""
    with file.open("rb") as opened:
        head = opened.read(64).lstrip()
    for start, words in _HEADS.items():
        if head.startswith(start):
            return words
    if zipfile.is_zipfile(file):
        try:
            names = zipfile.ZipFile(file).namelist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            return "damaged or cut short; download or save it again"
        if any(name.endswith("constants.pkl") for name in names):
            return "a TorchScript program, which is never run; save model.state_dict() and use that file"
        if any(name.endswith(".npy") for name in names):
            return "an archive of NumPy arrays (.npz), not weights"
    return ""


def _unwrapped(raw: dict[Any, Any]) -> dict[Any, Any]:
    """The innermost state dict: a file may keep it beside an optimiser's, in a dictionary of a dictionary."""
    for _ in range(8):  # a file may hold itself
        inner = {k: v for k, v in raw.items() if isinstance(v, dict) and _count(v)}
        named = [k for k in _PREFERRED if k in inner]
        best = named[0] if named else max(inner, key=lambda k: _count(inner[k]), default=None)
        if best is None or _count(inner[best]) < _own_count(raw):
            break
        raw = inner[best]
    return raw


def _own_count(values: dict[Any, Any]) -> int:
    return sum(isinstance(v, Tensor) for v in values.values())


def _count(values: dict[Any, Any], depth: int = 4) -> int:
    """Tensors under text keys, also in dictionaries within: an optimiser's state counts by numbers."""
    if not all(isinstance(k, str) for k in values):
        return 0
    within = (_count(v, depth - 1) for v in values.values() if isinstance(v, dict)) if depth else ()
    return _own_count(values) + sum(within)


def _bare(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names without what tools put before or between them."""
    kept = {k.replace("_orig_mod.", ""): v for k, v in tensors.items() if k.rpartition(".")[2] not in _LEFTOVERS}
    while kept:
        first = {k.partition(".")[0] for k in kept}
        if len(first) > 1 or not first <= set(WRAPPERS) or any("." not in k for k in kept):
            break
        kept = {k.partition(".")[2]: v for k, v in kept.items()}
    return {k.replace(".module.", "."): v for k, v in kept.items()}


def _odd(tensor: Tensor) -> bool:
    return tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta


Start = str | PathLike[str] | np.ndarray | Tensor | None


def _several(given: Start | Sequence[Start]) -> Sequence[Start]:
    """One mean face or a list of them; a list of rows of numbers is one."""
    if isinstance(given, (list, tuple)) and given and isinstance(given[0], (str, PathLike, np.ndarray, Tensor)):
        return given
    return [given]  # type: ignore[list-item]


def _holds(source: Start, array: str) -> bool:
    """Whether an ``.npz`` has an array of that name."""
    if not array or not isinstance(source, (str, PathLike)):
        return False
    with np.load(source, allow_pickle=False) as loaded:
        return array in getattr(loaded, "files", ())


def load_trunk(model: FaceModel, path: str | PathLike[str]) -> int:
    """Start a model's backbone from published weights of it alone, such as ImageNet's HRNet-W18 or ResNet (names as
    the authors' and torchvision's) or DINO's ViT-S.

    Each part of the backbone (``conv1``, ``layer1``, ``stage3``, ``blocks`` ...) is taken whole or not at all; what
    the file holds besides is left alone.

    Returns:
        The number of tensors taken.

    Raises:
        CheckpointError: a file that is no weights, of another backbone, or with a part cut short or of other shapes.
    """
    theirs, name = read_state_dict(path), Path(path).name
    ours = {k: t for k, t in model.state_dict().items() if k.startswith(("backbone.", "encoder."))}
    given = {k: theirs[short] for k in ours if (short := k.partition(".")[2]) in theirs}
    begun = {k.split(".")[1] for k in given}
    lost = [k for k in ours if k.split(".")[1] in begun and k not in given and not k.endswith("num_batches_tracked")]
    odd = [k for k, t in given.items() if t.shape != ours[k].shape or not torch.isfinite(t.float()).all()]
    if 2 * len(given) < len(ours) - sum(k.endswith("num_batches_tracked") for k in ours) or lost or odd:
        why = f"{_some(lost or odd)} {'missing' if lost else 'of another shape, or not finite'}" if lost or odd else (
            f"{len(given)} of {len(ours)} tensors have its names")  # fmt: skip
        raise CheckpointError(f"{name} does not fit the backbone of {model.config.system.upper()}: {why}.")
    model.load_state_dict(given, strict=False)
    return len(given)


def read_start(source: Start, array: str = "init_face") -> Tensor:
    """The mean face or prompt that the authors keep beside their weights: (N, 2) in 256-pixel crop units -> the same
    in [0, 1].

    Args:
        source: an ``.npz`` with ``array``, an ``.npy``, or an array in the same units.
        array: its name, "init_face" (SLPT, DSLPT) or "offset" (TUFA).

    Raises:
        CheckpointError: missing, unreadable, of another shape, or not finite.
    """
    if source is None:
        raise CheckpointError(
            "The published weights do not hold the initial mean face; pass it with init_face (an .npz file with the "
            f"array '{array}', in pixels of a 256-pixel crop)."
        )
    if isinstance(source, (np.ndarray, Tensor, list)):
        try:
            values = np.asarray(source, dtype=np.float64)
        except (TypeError, ValueError):
            raise CheckpointError("The initial mean face must be numbers of the shape (N, 2).") from None
    else:
        file = Path(source)
        try:
            loaded = np.load(file, allow_pickle=False)
            values = np.asarray(loaded if isinstance(loaded, np.ndarray) else loaded[array], dtype=np.float64)
        except Exception:  # a damaged archive raises nearly every kind
            raise CheckpointError(f"{file} is not a readable .npz with an array '{array}' of shape (N, 2).") from None
    if values.ndim != 2 or values.shape[1] != 2 or not len(values):
        raise CheckpointError(f"The initial mean face must have the shape (N, 2), not {values.shape}.")
    if not np.isfinite(values).all():
        raise CheckpointError("The initial mean face holds values that are not finite.")
    if np.ptp(values) < 16:
        raise CheckpointError(
            f"The initial mean face spans {np.ptp(values):.3g} pixels of a 256-pixel crop; if it is in [0, 1], "
            "multiply it by 256."
        )
    return torch.from_numpy(values / 256).float()


def import_published(
    path: str | PathLike[str],
    system: str,
    init_face: Start | Sequence[Start],
    graph: str | PathLike[str] | None = None,
) -> FaceModel:
    """A model with the authors' weights, every tensor accounted for.

    Args:
        path: their ``.pth``.
        system: a name from :data:`IMPORTABLE`.
        init_face: see :func:`read_start`; TUFA takes a list of them, one a convention, the model's own first.
        graph: SCC: the authors' file of edges, lines ``i j weight``.

    Raises:
        UnknownNameError: no such system, or one whose authors published no weights.
        DataError: a file of edges that cannot be read.
        CheckpointError: a sentence naming what is missing, left over, of another shape or not finite.
    """
    if system not in IMPORTABLE:
        raise UnknownNameError(f"Weights of '{system}' cannot be imported; choose one of {', '.join(IMPORTABLE)}.")
    known = SYSTEMS[system]
    how = known.published
    assert how is not None
    theirs = {k: v for k, v in read_state_dict(path).items() if not k.startswith(how.ignored or ("\0",))}
    config = how.infer(theirs)
    sources = _several(init_face)
    start = read_start(sources[0], how.start)
    if how.adapt is not None:
        config = how.adapt(config, len(start))
    if how.prompts is not None:
        points = [read_start(source, how.start) for source in sources]
        before = [read_start(source, how.before) if _holds(source, how.before) else None for source in sources]
        model = how.prompts(config, list(zip(points, before, strict=True)))
    elif len(sources) > 1:
        raise CheckpointError(f"{system.upper()} answers one convention; pass a single initial mean face.")
    elif graph is None:
        model = known.model(config, start)
    elif how.graph is None:
        raise CheckpointError(f"{system.upper()} has no landmark graph; leave the file of edges out.")
    else:
        model = known.model(config, start, how.graph(graph, config.landmarks))
    ours = {name: t for name, t in model.state_dict().items() if not name.startswith(how.own)}
    names = {name: how.name(name, config) for name in ours}
    names = {k: n for k, n in names.items() if n in theirs or not n.endswith("num_batches_tracked")}
    ours = {name: ours[name] for name in names}
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
    model.load_state_dict({n: theirs[names[n]] for n in ours}, strict=False)
    return model.eval()


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")
