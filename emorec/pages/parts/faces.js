// The opened photo: picture, crops, details and table; a face that is chosen is chosen in all four.
// `data` comes from faces.py. Every text is set as text, so names of people and files are no markup.

const chosenBy = new Map(); // which face is chosen, by the photo's key: it outlives a new rendering

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const jpeg = (base64) => `data:image/jpeg;base64,${base64}`;
const percent = (part, whole) => `${((100 * part) / whole).toFixed(2)}%`;

let words = {}; // of the page's language

function called(face) {
  const text = face.name ? words.named : words.face;
  return text.replace(/{(name|number)}/g, (_, key) => face[key]);
}

function picture(data, choose) {
  const [width, height] = data.size_wh;
  const spots = data.faces.map((face) => {
    const [x1, y1, x2, y2] = face.box;
    const spot = element("button", {
      type: "button",
      tabindex: "-1", // the crops are the same choice for the keyboard
      "data-face": face.number,
      "aria-label": `${called(face)}: ${face.says}`,
      style:
        `left:${percent(x1, width)};top:${percent(y1, height)};` +
        `width:${percent(x2 - x1, width)};height:${percent(y2 - y1, height)}`,
    });
    spot.onclick = () => choose(face.number);
    return spot;
  });
  const image = element("img", { src: jpeg(data.shown), alt: data.alt });
  return element("figure", { class: "picture" }, element("div", {}, image, ...spots));
}

function bars(face) {
  const rows = face.shares.flatMap(([emotion, share, text, color]) => [
    element("dt", {}, emotion),
    element(
      "dd",
      { "aria-hidden": "true" },
      element("i", {}, element("u", { style: `width:${100 * share}%;background:${color}` })),
    ),
    element("dd", { class: "share" }, text),
  ]);
  return rows.length ? element("dl", { class: "bars" }, ...rows) : null;
}

function details(face) {
  const [x1, y1, x2, y2] = face.box;
  return [
    element("img", { src: jpeg(face.crop), alt: "" }),
    element(
      "div",
      {},
      element("h3", {}, called(face)),
      element("p", { class: "label" }, face.says, element("small", {}, ` ${face.share}`)),
      element("p", { class: "where" }, `${x2 - x1} × ${y2 - y1} px`),
    ),
    bars(face),
  ].filter(Boolean);
}

function crops(data, choose) {
  const buttons = data.faces.map((face) => {
    const button = element(
      "button",
      { type: "button", "data-face": face.number, title: face.says },
      element("img", { src: jpeg(face.crop), alt: "" }),
      element("b", { style: `background:${face.color}`, "aria-hidden": "true" }, `${face.number}`),
    );
    button.setAttribute("aria-label", `${called(face)}: ${face.says}`);
    button.onclick = () => choose(face.number);
    return button;
  });
  return element("div", { class: "crops", role: "group", "aria-label": words.faces }, ...buttons);
}

function table(data, choose) {
  const named = data.faces.some((face) => face.name);
  const head = [["number", ""], ...(named ? [["name", "text"]] : []), ["expression", "text"]];
  head.push(["confidence", ""], ["left", ""], ["top", ""], ["width", ""], ["height", ""]);
  const heads = head.map(([key, kind]) =>
    element("th", { scope: "col", class: kind }, words[key]),
  );
  const rows = data.faces.map((face) => {
    const [x1, y1, x2, y2] = face.box;
    const dot = element("i", { style: `background:${face.color}` });
    const row = element(
      "tr",
      { "data-face": face.number },
      element("td", {}, `${face.number}`),
      named ? element("td", { class: "text" }, face.name || "") : null,
      element("td", { class: "text" }, dot, face.says),
      element("td", {}, face.share.replace(/\s*%/, "")),
      ...[x1, y1, x2 - x1, y2 - y1].map((value) => element("td", {}, `${value}`)),
    );
    row.onclick = () => choose(face.number);
    return row;
  });
  return element(
    "div",
    { class: "rows", tabindex: "0", role: "region", "aria-label": words.table },
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...heads)),
      element("tbody", {}, ...rows),
    ),
  );
}

export default function ({ data, parentElement }) {
  words = data.words;
  const root = element("div", { class: "photo" });
  const chosen = element("section", { class: "chosen", "aria-live": "polite" });
  const choose = (number) => {
    const face = data.faces.find((one) => one.number === number) || data.faces[0];
    chosenBy.set(data.key, face.number);
    chosen.replaceChildren(...details(face));
    for (const one of root.querySelectorAll("[data-face]")) {
      const is = String(one.dataset.face === String(face.number));
      one.setAttribute(one.tagName === "TR" ? "aria-current" : "aria-pressed", is);
    }
  };
  const side = data.faces.length > 1 ? [chosen, crops(data, choose)] : [chosen];
  root.append(
    picture(data, choose),
    element("div", { class: "side" }, ...side),
    table(data, choose),
  );
  choose(chosenBy.get(data.key));
  parentElement.querySelector(".photo")?.remove();
  parentElement.append(root);
}
