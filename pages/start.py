"""Begin: choose a face and a model, and see where the landmarks land."""

import streamlit as st

from workbench.app import intake, messages, model_choice, pool, start, state

gallery, own = st.columns([6, 1.3], vertical_alignment="top")
with gallery, messages.guard("gallery"):
    intake.faces_strip()
with own:
    intake.upload_button()

photograph, inside = st.columns([3, 2.1], gap="medium")
with messages.guard("face"):
    shown = pool.reading(state.current())
    with photograph:
        st.image(start.downloads.photo_png(shown.reading), width="stretch")
        st.caption(intake.credit())
        start.crop_width()
    with inside:
        model_choice.model_choice()
        start.look(shown)
        start.next_pages()
        start.save(shown)
