"""Begin: choose a face and a model, and see where the landmarks land."""

import streamlit as st

from workbench.app import intake, messages, model_choice, pool, start, state

strip, own = st.columns([6, 1.25], vertical_alignment="top")
with strip, messages.guard("gallery"):
    intake.faces_strip()
with own:
    intake.upload_button()

face, read = st.columns([3, 2])
with messages.guard("face"):
    shown = pool.reading(state.current())
    with face:
        st.image(start.downloads.photo_png(shown.reading), width="stretch")
        st.caption(intake.credit())
    with read:
        model_choice.model_choice()
        start.crop_panel(shown)
        start.save(shown)
        start.next_pages(state.current())
