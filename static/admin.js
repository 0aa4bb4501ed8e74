// The dashboard's script: draws charts, sends files with their progress, and keeps what runs up to date.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");

async function draw(place) {
  const address = new URL(place.dataset.chart, location.href);
  address.searchParams.set("dark", dark.matches);
  try {
    const answer = await fetch(address, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(answer.status);
    const item = await answer.json();
    place.replaceChildren();
    if (item) await window.Bokeh.embed.embed_item(item, place);
    else place.append(Object.assign(document.createElement("p"), { className: "quiet", textContent: "Nothing has been measured yet." }));
    place.dataset.drawn = item ? "yes" : "empty";
  } catch {
    place.replaceChildren(Object.assign(document.createElement("p"), {
      className: "quiet", textContent: "The chart could not be drawn; its table holds the same figures.",
    }));
  }
}

function drawAll() {
  for (const words of document.querySelectorAll("[data-chart]:not([data-drawn]) > p")) words.textContent = "The chart is being drawn…";
  for (const place of document.querySelectorAll("[data-chart]")) draw(place);
}
if (window.Bokeh) drawAll();
dark.addEventListener("change", () => window.Bokeh && drawAll());

// A file, sent as the form would send it, with its progress shown.
for (const form of document.querySelectorAll("form[data-upload]")) {
  const input = form.querySelector("input[type=file]");
  const bar = form.querySelector("progress");
  const words = form.querySelector("[data-words]");
  const send = () => {
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => {
      bar.hidden = false;
      bar.max = event.total;
      bar.value = event.loaded;
      words.textContent = `${Math.floor((100 * event.loaded) / event.total)} % of ${(event.total / 1e6).toFixed(1)} MB sent`;
    };
    request.onload = () => {
      if (request.status < 400) { location.assign(request.responseURL); return; }
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      words.textContent = page.querySelector("main p:not(.said)")?.textContent || "The file was refused.";
    };
    request.onerror = () => { words.textContent = "The connection was lost; send the file again."; };
    request.open("POST", form.action);
    request.send(new FormData(form));
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); if (input.files.length) send(); });
  const drop = form.querySelector(".drop");
  for (const name of ["dragover", "dragenter"]) {
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; send(); }
  });
}

// What runs is looked at every second; the page is fetched again, and its live part changed, until it has ended.
const live = document.querySelector("[data-live]");
if (live) {
  const look = async () => {
    let part = live;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      part = page.querySelector("[data-live]");
      if (!part) { location.reload(); return; }
      const charts = part.querySelectorAll("[data-chart]");
      const drawn = live.querySelectorAll("[data-chart]");
      for (const [place, fresh] of [...live.children].entries()) {
        const other = part.children[place];
        if (!other || fresh.hasAttribute("data-chart")) continue;
        if (fresh.outerHTML === other.outerHTML) continue;
        const changed = document.importNode(other, true);
        const folded = fresh.querySelectorAll("details");  // what was opened stays so
        for (const [at, each] of changed.querySelectorAll("details").entries()) each.open = folded[at]?.open || each.open;
        fresh.replaceWith(changed);
      }
      if (charts.length === drawn.length) for (const chart of drawn) if (part.dataset.version !== live.dataset.version) draw(chart);
      live.dataset.version = part.dataset.version;
      if (part.dataset.live !== "running") { location.reload(); return; }
    } catch { /* the next look may find the server again */ }
    setTimeout(look, 1000);
  };
  if (live.dataset.live === "running") setTimeout(look, 1000);
}

// A look through many cards comes in parts: the others are fetched one after another, and counted together.
const count = document.querySelector("[data-count]");
if (count) {
  const sums = [...count.querySelectorAll("[data-sum]")];
  const number = (place) => Number(place?.textContent.replaceAll(",", "") || 0);
  const lookOn = async () => {
    count.setAttribute("aria-busy", "true");
    try {
      for (let link; (link = count.querySelector("[data-further]"));) {
        const answer = await fetch(link.href, { credentials: "same-origin" });
        if (!answer.ok) break; // the link is still there, to be followed by hand
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const more = page.querySelectorAll("[data-sum]");
        for (const [place, sum] of sums.entries()) sum.textContent = (number(sum) + number(more[place])).toLocaleString("en");
        for (const [place, body] of document.querySelectorAll("[data-most]").entries()) {
          const rows = [...page.querySelectorAll("[data-most]")[place].rows];
          body.append(...rows.slice(0, Number(body.dataset.most) - body.rows.length));
        }
        const next = page.querySelector("[data-further]");
        if (next) link.href = next.getAttribute("href");
        else count.querySelector("[data-so-far]").remove();
      }
    } catch { /* the same */ }
    count.removeAttribute("aria-busy");
  };
  lookOn();
}

// What cannot be taken back at once asks once more.
for (const form of document.querySelectorAll("form[data-sure]")) {
  form.addEventListener("submit", (event) => { if (!confirm(form.dataset.sure)) event.preventDefault(); });
}

// Times in the zone of whoever looks.
for (const time of document.querySelectorAll("time[data-zone]")) {
  time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: "medium", timeStyle: "short", timeZoneName: undefined }) + ` (${time.textContent.trim()})`;
}
