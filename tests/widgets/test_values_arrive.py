"""For every tap of every shipped system: what reaches the browser is the tensor that the model used."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.explain.inside import inner_maps
from workbench.tracing import NamedTensor, taps
from workbench.widgets.inside import inside_payload

FACE = wb.sample_face("turned-left-30")
MODELS = ("dslpt-68", "slpt-68", "scc-68", "ssfa-68", "aodn-68", "atpn-68", "chs-68", "tufa")


def shown(entry: NamedTensor, done: str, side: int) -> np.ndarray:
    """The tensor, or what its caption says was made of it."""
    values = entry.tensor.double().numpy()
    if done.startswith("mean over all"):
        queries = tuple(i for i, axis in enumerate(entry.axes) if axis.startswith("query"))
        return values.mean(queries)
    if done.startswith("mean of the absolute values"):
        return np.abs(values).mean(entry.axes.index("channel"))
    assert not done or done.startswith("pixels divided"), done
    return values / side if done else values


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_every_tensor_of_inside_arrives_as_the_model_used_it(name: str) -> None:
    model = wb.load_model(name, device="cpu", optimise=True)
    names = [one.name for one in inner_maps(taps(model))]
    reading = wb.read(model, FACE, taps=names)
    for tap in names:
        payload = inside_payload(reading, tap)
        unit = payload["meta"]["tensor"]["unit"]
        sent = np.frombuffer(payload["blobs"]["values"], "<f2").astype(float) * unit
        used = shown(reading.trace[tap], payload["meta"]["tensor"]["done"], model.input_size).ravel()
        assert sent.size == used.size, tap
        # The layout is another (explain.inside.Stack), the values are the same ones.
        top = float(np.abs(used).max())
        np.testing.assert_allclose(np.sort(sent), np.sort(used), rtol=2**-10, atol=top * 2**-27, err_msg=tap)
    assert len(names) > 4
