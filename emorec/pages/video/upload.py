"""The component that uploads a video in pieces: the choice of a file, its progress, cancel.

An upload goes on while the visitor looks at other pages. After a failure it goes on from the last
byte that the server has.
"""

from __future__ import annotations

import streamlit as st

from emorec.jobs.disk import Disk
from emorec.jobs.place import Place
from emorec.words import N_, _

_PIECE_BYTES = 1_000_000  # nginx refuses a body of more than 1 MiB unless told otherwise

_HTML = """
<div class="box">
  <label class="choose">
    <input type="file" accept="video/*,.mkv,.avi,.mov,.webm,.m4v,.mts,.wmv" />
    <span class="button"></span>
    <span class="hint"></span>
  </label>
  <div class="going" hidden>
    <div class="name"></div>
    <progress max="1" value="0"></progress>
    <div class="row"><span class="says" role="status"></span>
      <button type="button" class="cancel"></button></div>
  </div>
  <div class="error" role="alert" hidden></div>
</div>
"""

_CSS = """
.box { border: 1px dashed var(--st-border-color); border-radius: var(--st-base-radius);
  padding: 1rem; font-family: var(--st-font); color: var(--st-text-color); }
.choose { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; cursor: pointer; }
.choose[hidden] { display: none; }
.over { background: var(--st-secondary-background-color); }
input { position: absolute; width: 1px; height: 1px; opacity: 0; }
.button, .cancel { border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
  padding: 0.4rem 0.9rem; background: var(--st-background-color); color: inherit; font: inherit;
  cursor: pointer; white-space: nowrap; }
input:focus-visible + .button, .button:hover, .cancel:hover {
  border-color: var(--st-primary-color); color: var(--st-primary-color); }
.hint, .says { opacity: 0.8; font-size: 0.9rem; }
.name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
progress { width: 100%; height: 0.6rem; margin: 0.6rem 0; accent-color: var(--st-primary-color); }
.row { display: flex; justify-content: space-between; align-items: center; gap: 1rem; }
.error { margin-top: 0.75rem; color: var(--st-red-text-color, #c22); }
"""

_WORDS = {
    "choose": N_("Choose a video"),
    "upload": N_("Upload"),
    "cancel": N_("Cancel"),
    "hint": N_("MP4, MKV, MOV, AVI, WebM and others, up to {most} MB; or drop it here"),
    "minutes": N_(", {n} min left"),
    "seconds": N_(", {n} s left"),
    "far": N_("Uploaded {n} of {all} MB"),
    "done": N_("Uploaded."),
    "large": N_("This video has {n} MB; at most {most} MB can be uploaded."),
    "failed": N_("the connection failed ({why})"),
    "refused": N_("The server refused the upload ({status})."),
}
"""What the component says."""

_JS = r"""
let words = {};  // of the page's language
let upload = null;  // goes on while the visitor looks at other pages
let draw = () => {};
let failed = "";

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const xsrf = () => {
  const cookie = document.cookie.split("; ").find((c) => c.startsWith("_streamlit_xsrf="));
  return cookie ? cookie.slice(cookie.indexOf("=") + 1) : "";
};
const say = (what, values) => words[what].replace(/{(\w+)}/g, (all, name) => values[name]);
const mb = (bytes) => (bytes / 1048576).toFixed(bytes < 1e7 ? 1 : 0);

const ask = async (method, url, signal, body) => {
  const headers = { "X-Xsrftoken": xsrf(), "Accept-Language": document.documentElement.lang };
  const options = { method, headers, body, signal, credentials: "same-origin" };
  const answer = await fetch(url, options);
  let told = {};
  try { told = await answer.json(); } catch { told = {}; }
  return { status: answer.status, ...told };
};

const send = async (file, data, done) => {
  const own = upload = { file, url: data.url, received: 0, began: Date.now(), first: 0,
    stop: new AbortController() };
  const which = [file.lastModified, file.type].join(" ");
  const query = new URLSearchParams({ name: file.name, size: file.size, which });
  failed = "";
  draw();
  let tries = 0, known = false;
  while (upload === own && !(known && own.received >= file.size)) {
    let answer;
    try {
      if (!known) {
        answer = await ask("POST", `${data.url}?${query}`, own.stop.signal);
      } else {
        const piece = file.slice(own.received, own.received + data.piece);
        const url = `${data.url}?offset=${own.received}`;
        answer = await ask("PUT", url, own.stop.signal, piece);
      }
    } catch (error) {
      answer = { status: 0, error: say("failed", { why: error.name }) };
    }
    if (upload !== own) return;
    if (answer.status === 200) {
      own.received = answer.received;
      if (!known) { known = true; own.first = own.received; own.began = Date.now(); }
      else tries = 0;
    } else if ([0, 408, 409, 429, 500, 502, 503, 504].includes(answer.status) && tries < 6) {
      known = false;
      tries += 1;
      await pause(500 * 2 ** tries);
      if (upload !== own) return;
    } else {
      failed = answer.error || say("refused", answer);
      upload = null;
    }
    draw();
  }
  if (upload === own) { upload = null; done(); draw(); }
};

export default function ({ data, parentElement, setTriggerValue }) {
  words = data.words;
  const find = (name) => parentElement.querySelector(name);
  const input = find("input"), choose = find(".choose"), going = find(".going");
  const error = find(".error"), box = find(".box");
  let arrived = false;
  find(".button").textContent = words.choose;
  find(".cancel").textContent = words.cancel;
  find("progress").setAttribute("aria-label", words.upload);
  if (upload && upload.url !== data.url) {  // of a place that was closed: after a withdrawal
    upload.stop.abort();
    upload = null;
  }
  draw = () => {
    choose.hidden = Boolean(upload) || arrived;
    going.hidden = !upload && !arrived;
    error.hidden = !failed;
    error.textContent = failed;
    find(".hint").textContent = say("hint", { most: mb(data.most) });
    find(".cancel").hidden = arrived;
    if (!upload) return;
    const { file, received, first, began } = upload;
    const speed = (received - first) / ((Date.now() - began) / 1000);
    const left = speed > 0 ? Math.ceil((file.size - received) / speed) : 0;
    const wait = left > 90 ? say("minutes", { n: Math.round(left / 60) })
      : left ? say("seconds", { n: left }) : "";
    find(".name").textContent = file.name;
    find("progress").value = received / file.size;
    find(".says").textContent = say("far", { n: mb(received), all: mb(file.size) }) + wait;
  };
  const done = () => {
    arrived = true;
    find(".says").textContent = words.done;
    setTriggerValue("uploaded", true);
  };
  const take = (file) => {
    if (!file || upload) return;
    if (file.size > data.most) {
      failed = say("large", { n: mb(file.size), most: mb(data.most) });
      draw();
    } else {
      send(file, data, () => done());
    }
  };
  input.onchange = () => { take(input.files[0]); input.value = ""; };
  box.ondragover = (event) => { event.preventDefault(); box.classList.add("over"); };
  box.ondragleave = () => box.classList.remove("over");
  box.ondrop = (event) => {
    event.preventDefault();
    box.classList.remove("over");
    take(event.dataTransfer.files[0]);
  };
  find(".cancel").onclick = () => {
    if (!upload) return;
    const { url, stop } = upload;
    upload = null;
    stop.abort();
    ask("DELETE", url).catch(() => {});
    draw();
  };
  draw();
}
"""


def show(where: Disk, place: Place, address: str) -> None:
    """Show the component; the page runs again once the whole video has arrived.

    Args:
        where: says how large a video may be.
        place: that the video is uploaded to.
        address: of the uploads, without the place's token.
    """
    component = st.components.v2.component("emorec_upload", html=_HTML, css=_CSS, js=_JS)
    component(
        key="video upload",
        data={
            "url": f"{address}/{place.token}",
            "piece": _PIECE_BYTES,
            "most": where.file_bytes,
            "words": {name: _(text) for name, text in _WORDS.items()},
        },
        on_uploaded_change=lambda: None,
    )
