"""The web app: Streamlit imports this file once to serve it, and runs it for every visitor."""

from __future__ import annotations

from functools import partial

import streamlit as st

if __name__ == "__main__":
    from emorec.pages import about, gate, model, notice
    from emorec.pages.live import page as live
    from emorec.pages.live import webrtc
    from emorec.pages.parts import keeping, language, line, naming
    from emorec.pages.parts.disk import disk
    from emorec.pages.people import page as people
    from emorec.pages.photo import page as photo
    from emorec.pages.video import page as video
    from emorec.server.patches import component
    from emorec.words import _, ask

    ask(language.of_visitor)
    # Not in `start.prepare`: they need streamlit-webrtc, which a run has to import first.
    component.end_connections_of_other_pages_only()
    component.answer_offers_that_were_checked()
    component.skip_the_end_of_candidates()
    st.set_page_config(
        page_title="EmoRec",
        # Streamlit would fetch one of its own icons from Google.
        page_icon=(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" '
            'stroke="#2b7f83" stroke-width="2" stroke-linecap="round">'
            '<circle cx="12" cy="12" r="10"/><path d="M8 9v1M16 9v1M7.5 14.5q4.5 4 9 0"/></svg>'
        ),
        layout="wide",
    )
    # Streamlit leaves a tenth of a screen free above every page; a phone has none to give.
    # WCAG 2 asks for a contrast of 4.5 : 1; its captions have 3.9, and in the dark theme what is
    # selected has less. Popovers stand outside the theme, so CanvasText would be black there.
    st.html(
        "<style>.stMainBlockContainer { padding-top: 4.5rem; }"
        '[data-testid="stCaptionContainer"], .stMain blockquote { opacity: 1 !important; '
        "color: color-mix(in srgb, currentColor 78%, transparent) !important; }"
        '[data-testid="stButtonGroup"] [data-selected="true"] p { color: CanvasText; }'
        ".stMain h2 { font-size: 1.6rem; }</style>"
    )
    # Before the page: when its number of elements changes, Streamlit makes those after it again.
    language.switch()
    line.style()
    pictures = st.Page(
        photo.render, title=_("Photo"), icon=":material/photo_library:", url_path="photo"
    )

    def sessions() -> None:
        """Show the Sessions page; it loads SQLAlchemy, for which no other page should wait."""
        from emorec.pages.sessions import page

        page.render()

    home = st.Page(
        partial(live.render, photos=pictures),
        title=_("Live"),
        icon=":material/videocam:",
        url_path="live",
        default=True,
    )
    page = None
    if gate.admitted():
        videos = st.Page(video.render, title=_("Video"), icon=":material/movie:", url_path="video")
        told = st.Page(
            notice.render,
            title=_("Notice"),
            icon=":material/print:",
            url_path="notice",
            visibility="hidden",
        )
        own = st.Page(people.render, title=_("People"), icon=":material/group:", url_path="people")
        kept = st.Page(
            sessions, title=_("Sessions"), icon=":material/timeline:", url_path="sessions"
        )
        page = st.navigation(
            [
                home,
                pictures,
                *([videos] if disk() is not None else []),
                *([kept] if keeping.offered() else []),
                *([own] if naming.allowed() else []),
                st.Page(
                    model.render,
                    title=_("Model"),
                    icon=":material/neurology:",
                    url_path="model",
                ),
                st.Page(
                    partial(about.render, notice=told),
                    title=_("About"),
                    icon=":material/info:",
                    url_path="about",
                ),
                told,
            ],
            position="top",
        )
        st.set_page_config(page_title=f"EmoRec · {page.title}")
    if page is not home:
        webrtc.leave()
    if page is not None:
        page.run()
        gate.ways_out()
else:
    # No component is imported here: Streamlit serves its files only if a run imports it first.
    from emorec.server import start

    middleware = start.prepare()
    app = st.App(__file__, routes=start.routes(), middleware=middleware, lifespan=start.lifespan)
