"""The Video page: a video is uploaded, read in the background, and its results are shown."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from emorec.clock import clock
from emorec.drawing import charts
from emorec.errors import EmorecError
from emorec.jobs.disk import Disk
from emorec.jobs.job import Job
from emorec.pages.parts import keeping, naming
from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.detector import choose_detector
from emorec.pages.parts.disk import disk
from emorec.pages.parts.engine import recognizer
from emorec.pages.parts.markdown import plain
from emorec.pages.parts.visit import visit
from emorec.pages.video import results, upload
from emorec.pages.video.state import OwnVideo
from emorec.words import N_, _

_KEEPS = N_(
    "Reads the **apparent expression** of every face, not inner feeling. "
    "The video lies on the server's disk while it is read, and is deleted then. The results are "
    "deleted when you delete them or close this tab, at the latest two hours after you last used "
    "them."
)
_KEPT = N_("Numbers are kept for longer only where you choose **Keep this session**.")
_AGREED = N_(
    "Upload a video only if everyone in it knows and agrees. In the EU, not at work or in "
    "education ([AI Act, Art. 5(1)(f)](https://eur-lex.europa.eu/eli/reg/2024/1689/oj))."
)
_BLUR_SAYS = N_(
    "Every face found is made unrecognisable in the annotated video and in all pictures of it. A "
    "face that the detector misses, as in full profile, is not. The sound stays as it is."
)
_NAMES_STAY = N_(
    "Names are written into the results and stay there until these are deleted, even if a person "
    "is deleted meanwhile."
)
_GROUP_ONLY = N_("**Totals alone:** this server shows and writes nothing of a single face.")


def render() -> None:
    """Show the page."""
    st.title(_("Video"))
    _show()
    kept = f" {_(_KEPT)}" if keeping.offered() else ""
    st.caption(f"{_(_KEEPS)}{kept}")
    keeping.remember()


def _show() -> None:
    where = disk()
    if where is None:
        st.error(_("This server takes no videos."))
        return
    own = visit().state(OwnVideo)
    job = own.job
    if job is None or own.place is None:
        _choose(own, where)
    elif job.state in ("waiting", "reading"):
        st.fragment(_progress, run_every=1.0)(own, job)
    elif job.state == "done" and not own.place.closed:
        st.fragment(results.show)(own, own.place, job, _address(own.place.token))
        st.button(_("Delete the results and read another video"), on_click=own.close)
    else:
        where.close(own.place)  # its job may be about to do so
        _say_why(job)
        _choose(own, where)


def _choose(own: OwnVideo, where: Disk) -> None:
    """Offer the options and the upload; begin to read the video as soon as it is there."""
    st.markdown(_(_AGREED))
    try:
        engine = recognizer()
    except EmorecError as error:
        st.error(plain(str(error)))
        return
    group_only = deployment().group_only
    detector = choose_detector(engine, "video detector")
    blur = names = False
    if group_only:
        st.markdown(_(_GROUP_ONLY))
    else:
        blur = st.toggle(_("Blur faces"), key="video blur", persist_state="session")
        if blur:
            st.caption(_(_BLUR_SAYS))
        names = naming.choose("video names", off=blur)
        if names:
            st.caption(_(_NAMES_STAY))
    place = own.open_place(where)
    if place.complete:
        settings = replace(engine.settings, detector=detector, cautious=blur)
        try:
            own.read(where, place, engine, settings, blur, group_only, names)
        except EmorecError as error:
            st.error(str(error))
        else:
            st.rerun()
    upload.show(where, place, _address())


def _progress(own: OwnVideo, job: Job) -> None:
    """Show how far the video is read; runs again every second, and the page at the end."""
    if job.state not in ("waiting", "reading"):
        st.rerun()
    if own.place is not None:
        st.markdown(f"**{plain(own.place.name)}**")
        own.place.touch()
    if job.state == "waiting":
        waiting = _("Waiting: videos of others that are read first: {n}")
        st.progress(0.0, waiting.format(n=job.before))
    else:
        st.progress(_share(job), _far(job))
    seconds, probs = job.readings()
    if len(seconds):
        end_s = max(job.duration_s or 0.0, job.time_s)
        st.vega_lite_chart(
            *charts.mood(seconds, probs, (0.0, end_s)),
            key="video growing",
            alt=_("Mean probabilities of all faces in view, as far as the video is read"),
        )
    if st.button(_("Cancel"), key="cancel video"):
        own.close()
        st.rerun()
    st.caption(_("You can look at other pages meanwhile: the video is read on."))


def _share(job: Job) -> float:
    return min(job.time_s / job.duration_s, 1.0) if job.duration_s else 0.0


def _far(job: Job) -> str:
    """Return how far a job is, in words."""
    if not job.time_s:
        return _("Reading…")
    read = clock(job.time_s)
    if not job.duration_s:
        return _("Read: {read}").format(read=read)
    far, left_s = _("Read: {read} of {all}"), job.left_s
    if left_s is not None:
        far = _("Read: {read} of {all}, {left} left")
    return far.format(read=read, all=clock(job.duration_s), left=clock(left_s or 0.0))


def _say_why(job: Job) -> None:
    """Say why there are no results."""
    if job.state == "failed":
        st.error(plain(_(job.error)), icon=":material/broken_image:")
    elif job.state == "done":
        st.info(_("The results were not used for two hours and are deleted."))


def _address(token: str = "") -> str:
    """Return the address of the uploads, or of one visitor's downloads."""
    parts = ["", (deployment().base_url_path or "").strip("/"), "videos", token]
    return "/".join(parts[:1] + [part for part in parts[1:] if part])
