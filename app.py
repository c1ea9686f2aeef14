"""The router of the web app: which pages there are, and nothing else."""

from __future__ import annotations

import streamlit as st

from emorec.pages import about, live, model, photo

st.set_page_config(page_title="EmoRec", page_icon=":material/sentiment_satisfied:", layout="wide")
# Streamlit leaves a tenth of a screen free above every page; a phone has none to give.
st.html("<style>.stMainBlockContainer { padding-top: 4.5rem; }</style>")
st.navigation(
    [
        st.Page(
            live.render, title="Live", icon=":material/videocam:", url_path="live", default=True
        ),
        st.Page(photo.render, title="Photo", icon=":material/photo_library:", url_path="photo"),
        st.Page(model.render, title="Model", icon=":material/neurology:", url_path="model"),
        st.Page(about.render, title="About", icon=":material/info:", url_path="about"),
    ],
    position="top",
).run()
