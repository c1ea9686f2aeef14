"""The Live page's script: what streamlit-webrtc's frame and Streamlit's elements cannot do alone.

It gives the frame its style and the chosen camera or screen, hands its keys to the page, tells the
page what the frame says and when the camera is lost, shows the picture on the full screen, tells
which face's number was pressed, and moves the focus to a report. A number keeps the focus when the
page draws it again, twice a second.
"""

JS = """
let told = "";
let reported = null;
let wanted = { video: {}, screen: false };
let choose = () => {};
let lose = () => {};
let focused = null;
let stop = () => {};

document.addEventListener("click", ({ target }) => {
  const number = target.closest("[data-face]");
  if (number) choose(Number(number.dataset.face));
  if (target.closest(".st-key-fullscreen")) {
    document.querySelector(".st-key-live").requestFullscreen().catch(console.warn);
  }
});
document.addEventListener("focusin", ({ target }) => {
  focused = target.dataset.face || null;
});

function dress(frame, data, setAlert, watch) {
  const page = frame.contentDocument;
  if (!page || !page.body || frame.dressed === page) return;
  frame.dressed = page;
  const media = frame.contentWindow.navigator.mediaDevices;
  if (!page.getElementById("emorec")) {
    const style = page.createElement("style");
    style.id = "emorec";
    style.textContent = data.css;
    page.head.append(style);
    // The frame itself would ask for the camera that it used last.
    if (media) {
      const ask = media.getUserMedia.bind(media);
      media.getUserMedia = async () => {
        const stream = await (wanted.screen
          ? media.getDisplayMedia({ audio: false, video: { frameRate: { max: 15 } } })
          : ask({ audio: false, video: wanted.video }));
        // Of what the page stops itself a browser tells nothing.
        for (const track of stream.getTracks()) track.addEventListener("ended", () => lose());
        return stream;
      };
    }
  }
  // The focus stays in the frame after START; its keys are the page's shortcuts too.
  page.addEventListener("keydown", ({ key, code, ctrlKey, metaKey, altKey }) => {
    if (ctrlKey || metaKey || altKey || !/^[a-z]$/i.test(key)) return;
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, code, bubbles: true }));
  });
  const tell = () => {
    const alert = page.querySelector('#root > div > [role="alert"]');
    const text = alert ? alert.textContent : "";
    if (text !== told) setAlert(told = text);
  };
  watch(page.body, tell);
  tell();
}

function focusReport(report) {
  if (!report || report === reported) return;
  const heading = document.querySelector(".st-key-report h2");
  if (!heading) {
    setTimeout(focusReport, 100, report);
    return;
  }
  reported = report;
  heading.tabIndex = -1;
  heading.focus();
}

export default function ({ data, setStateValue, setTriggerValue }) {
  stop();
  const watchers = [];
  const watch = (element, changed) => {
    const watcher = new MutationObserver(changed);
    watcher.observe(element, { childList: true, subtree: true, characterData: true });
    watchers.push(watcher);
  };
  stop = () => watchers.forEach((watcher) => watcher.disconnect());
  wanted = data;
  choose = (number) => setTriggerValue("follow", number);
  lose = () => setTriggerValue("lost", true);
  focusReport(data.report);
  for (const button of document.querySelectorAll(".st-key-fullscreen")) {
    button.hidden = !document.fullscreenEnabled;
  }
  const stage = document.querySelector(".st-key-stage");
  const slots = document.querySelector(".st-key-slots");
  if (slots) {
    watch(slots, () => {
      if (!focused || document.activeElement !== document.body) return;
      const again = slots.querySelector(`[data-face="${focused}"]`);
      if (again) again.focus();
    });
  }
  if (!stage) return;
  const setAlert = (text) => setStateValue("alert", text);
  const dressAll = () => {
    for (const frame of stage.querySelectorAll("iframe")) {
      frame.onload = () => dress(frame, data, setAlert, watch);
      dress(frame, data, setAlert, watch);
    }
  };
  for (const frame of stage.querySelectorAll("iframe")) frame.dressed = null;
  watch(stage, dressAll);
  dressAll();
}
"""
