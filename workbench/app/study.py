"""This face beside the mean of a whole set: the file of `workbench study`, below the view of the same tensors."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.app import explorer, messages, readings, uploads
from workbench.errors import DataError
from workbench.evaluation import Study
from workbench.reading import Reading
from workbench.views import get_view
from workbench.widgets import Payload

_PATH = "wb_study_path"


@st.cache_resource(max_entries=4, show_spinner=False)
def _loaded(path: str, changed: float) -> Study:
    return Study.load(path)


def beside(name: str, reading: Reading, key: tuple[object, ...]) -> None:
    """A second widget of the view ``name`` that holds the means of a study, with the same selection.

    Args:
        reading: of the chosen face, uncovered, which lends the means its outline.
        key: of that reading.
    """
    with st.expander("Beside the mean of a whole set", icon=":material/groups:"), messages.guard("study"):
        if not uploads.own_machine():
            st.caption("Files of this machine are opened for those who sit at it: start the app without --host.")
            return
        st.text_input(
            "A study", key=_PATH, placeholder="study.safetensors", width=460,
            help="The file that `workbench study FOLDER --model MODEL --out study.safetensors` writes: mean weights "
            "of every map over all faces of a set (thesis Fig. 4.9 and 5.7). It has to be of this model's weights.",
        )  # fmt: skip
        text = str(st.session_state.get(_PATH, "")).strip()
        if not text:
            st.caption(f"Make one: workbench study FOLDER --model {reading.model_name} --out study.safetensors")
            return
        path = Path(text).expanduser()
        try:
            changed = path.stat().st_mtime
        except OSError as error:
            raise DataError(f"There is no study at {path} ({(error.strerror or str(error)).lower()}).") from None
        study = _loaded(str(path), changed)
        view = get_view(name)

        def make() -> Payload:
            return view.payload(study.on(reading), {})

        payload = readings.view(f"{name}.study", (*key, str(path), changed), make)
        st.markdown(
            f"**Mean of {messages.plain(study.words())}**, drawn on this face; {reading.model_name} read each."
        )
        explorer.linked(name, payload, key=f"study_{name}", place=f"{name}.study")
        reach = study.distances()
        if reach:
            words = "; ".join(
                f"{tensor}: {', '.join(f'{v:.2f}' for v in values.mean(-1))}" for tensor, values in reach.items()
            )
            st.caption(
                f"Mean distance between query and key, weighted, in inter-ocular distances, stage by stage: {words}. "
                f"Uniform weights would reach {study.meta['uniform']:.2f}."
            )
