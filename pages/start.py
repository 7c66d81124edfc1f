"""Begin: choose a face and a model, and see where the landmarks land."""

import streamlit as st

from workbench.app import face_chooser, messages, model_choice, start, tour

tour.draw()
gallery, own = st.columns([6, 1.3], vertical_alignment="top")
with gallery, messages.guard("gallery"):
    face_chooser.faces_strip()
with own:
    face_chooser.upload_button()

photograph, inside = st.columns([3, 1.6], gap="medium")
shown = None
with photograph, messages.guard("face"):
    shown = start.photograph()
with inside, messages.guard("inside"):
    model_choice.model_facts()
    if shown is not None:
        start.first_view(shown)
        start.next_pages()
        start.save(shown)
