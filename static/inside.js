// Walks along a text that the network has read or written. Without this file the same figures stand in a table.

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const LIGHT = 140; // ms that each equation stays lit while one character is read

function enhance(reading) {
  const figures = JSON.parse(reading.querySelector("[data-figures]").textContent);
  const tape = reading.querySelector("[data-tape]");
  const marks = [...tape.children];
  const walk = reading.querySelector("[data-walk]");
  const slider = walk.querySelector("input");
  const button = walk.querySelector("[data-play]");
  const lines = [...reading.querySelectorAll("[data-value]")];
  const isWritten = reading.closest("[data-along]") !== null;
  let timer = null;

  function show(index) {
    const one = figures[index];
    slider.value = index;
    slider.setAttribute("aria-valuetext", `${one.name}, ${one.bits} bits`);
    tape.querySelector("[aria-current]")?.removeAttribute("aria-current");
    marks[index].setAttribute("aria-current", "true");
    reading.querySelector("[data-name]").textContent = one.name;
    reading.querySelector("[data-bits]").textContent = one.bits;
    const rows = [...reading.querySelector("[data-best]").children];
    const list = reading.querySelector("[data-best]");
    list.replaceChildren(...one.best.map(([name, odds], place) => row(rows[place] ?? rows[0].cloneNode(true), name, odds, one)));
    for (const line of lines) {
      const value = one.gates?.[line.dataset.value];
      if (value === undefined) continue;
      line.querySelector("[data-number]").textContent = value.toFixed(2);
      line.querySelector(".cursor").setAttribute("x", index);
    }
  }

  function stop() {
    clearTimeout(timer);
    timer = null;
    button.textContent = "Play";
    for (const line of lines) line.classList.remove("lit");
    for (const mark of marks) mark.hidden = false;
  }

  // One character: every equation lights as it acts, then the next one is read.
  function act(index, step) {
    if (step === 0) {
      show(index);
      if (isWritten) marks.forEach((mark, place) => (mark.hidden = place > index));
    }
    lines.forEach((line, place) => line.classList.toggle("lit", place === step));
    const isLast = step >= lines.length - 1;
    if (isLast && index === figures.length - 1) return void (timer = setTimeout(stop, LIGHT));
    timer = setTimeout(() => act(isLast ? index + 1 : index, isLast ? 0 : step + 1), LIGHT / (isWritten ? 2 : 1));
  }

  function play() {
    button.textContent = "Stop";
    const from = Number(slider.value);
    act(from === figures.length - 1 || isWritten ? 0 : from, 0);
  }

  slider.addEventListener("input", () => {
    stop();
    show(Number(slider.value));
  });
  tape.addEventListener("click", (event) => {
    const index = marks.indexOf(event.target.closest("[data-tape] > span"));
    if (index < 0) return;
    stop();
    show(index);
  });
  button.addEventListener("click", () => (timer === null ? play() : stop()));
  button.hidden = calm.matches;
  walk.hidden = false;
  tape.classList.add("live");
  show(Number(slider.value));
  if (isWritten && !calm.matches) play();
}

function row(element, name, odds, one) {
  element.classList.toggle("came", name === one.name);
  element.querySelector(".what").textContent = name;
  element.querySelector(".odds").textContent = `${(odds * 100).toFixed(1)} %`;
  element.querySelector("rect").setAttribute("width", odds * 100);
  return element;
}

// Forms answer without leaving the page; whatever goes wrong, the browser sends them itself.
async function send(event) {
  const form = event.target.closest("[data-ask]");
  if (!form) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  if (event.submitter?.name) body.set(event.submitter.name, event.submitter.value);
  form.setAttribute("aria-busy", "true");
  try {
    const signal = AbortSignal.timeout?.(30_000); // Safari before 16 has but its own patience
    const response = await fetch(form.action, { method: "POST", body, signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.querySelector("[data-result]");
    if (!fresh) throw new Error("another page");
    const result = document.querySelector("[data-result]");
    document.querySelector("#trouble").textContent = page.querySelector("#trouble").textContent;
    if (!response.ok) return document.querySelector("[maxlength]").focus();
    result.replaceWith(fresh);
    fresh.querySelectorAll("[data-reading]").forEach(enhance);
    fresh.focus({ preventScroll: true });
    fresh.scrollIntoView({ block: "start", behavior: calm.matches ? "auto" : "smooth" });
  } catch {
    document.querySelector("#trouble").textContent = "That did not arrive, or too much was asked at once. Try again in a moment.";
  } finally {
    form.removeAttribute("aria-busy");
  }
}

document.addEventListener("submit", send);
document.querySelectorAll("[data-reading]").forEach(enhance);
