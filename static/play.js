// The page without waiting: guesses and rounds over the API, on the markup that the server wrote.
// Without this file the page plays all the same, by plain forms.

const page = document.querySelector("[data-play]");
const form = page.querySelector("[data-round]");
const cards = [...form.querySelectorAll(".card")];
const known = form.elements.recognised;
const telling = form.querySelector(".telling");
const asking = form.querySelector(".asking");
const why = page.querySelector(".why");
const remark = page.querySelector("[data-remark]");
const repeat = page.querySelector("[data-repeat]");
const verdict = page.querySelector("[data-verdict]");
const trouble = page.querySelector("[data-trouble]");
const thanks = page.querySelector("[data-thanks]");
const standing = page.querySelector("[data-standing]");
const inside = page.querySelector("[data-look-inside]");
const nextButton = form.querySelector(".next");

const LINK = "\u{1F517}";
const CLUE = "one of two: one is machine-written";
const way = JSON.parse(page.dataset.way);
const FIRST = 10; // rounds of a newcomer's set
const run = { played: Number(page.dataset.played), spotted: Number(page.dataset.spotted), of: Number(page.dataset.of) };
let token = form.elements.round.value;
let shownAt = performance.now();
let settledAt = 0; // ms; until then a press was meant for the button that brought this round
const SETTLING = 500; // ms: nobody has read a card so soon
let ahead = null; // the next round, asked for while this one is read
let askedAhead = 0; // when, in ms
const AHEAD = 60_000; // ms after which it is asked for again: one of its cards may have been hidden meanwhile
let guess = null; // id of the guess that was answered

const wait = (ms) =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    }
    addEventListener("online", done);
  });

function ask(method, path, body) {
  return fetch(path, {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout?.(10_000), // Safari before 16 has but its own patience
  });
}

// Sends until there is an answer: a guess may be sent twice, it counts once and is answered alike.
async function insist(method, path, body, words) {
  for (let pause = 1000; ; pause = Math.min(pause * 2, 8000)) {
    let ms = pause;
    try {
      const response = await ask(method, path, body);
      const problem = response.ok ? null : await response.json().catch(() => ({}));
      if (/shelf-empty|untaught|archive-paused/.test(problem?.type)) return { status: 503, body: problem };
      if (response.status !== 429 && response.status < 500) {
        trouble.textContent = "";
        return { status: response.status, body: problem ?? (await response.json()) };
      }
      ms = Math.min(1000 * Number(response.headers.get("Retry-After") ?? pause / 1000), 60_000);
      trouble.textContent = response.status === 429 ? "That was fast. One moment…" : words;
    } catch {
      trouble.textContent = words;
    }
    await wait(ms);
  }
}

function write(element, text) {
  const pieces = text.split(LINK).flatMap((piece, index) => {
    if (index === 0) return [piece];
    const mark = document.createElement("span");
    mark.className = "link";
    mark.textContent = "link";
    return [mark, piece];
  });
  element.replaceChildren(...pieces);
}

function count(state) {
  const { played, spotted, of } = run;
  const so = played ? `${spotted} of ${played} spotted` : "";
  standing.textContent = state === "question" && of ? `Round ${played + 1} of ${of}${played ? ` · ${spotted} spotted` : ""}` : so;
}

function to(state) {
  page.dataset.state = state;
  asking.hidden = state === "verdict";
  telling.hidden = state !== "verdict";
  for (const card of cards) card.querySelector(".face").disabled = state === "verdict";
}

function show(round) {
  token = form.elements.round.value = round.round;
  ahead = null;
  guess = null;
  const texts = round.cards.map((card) => card.text);
  cards.forEach((card, index) => {
    card.classList.remove("real", "machine", "picked");
    write(card.querySelector(".text"), texts[index]);
    card.querySelector(".note").textContent = CLUE;
  });
  cards[0].parentElement.classList.toggle("long", Math.max(...texts.map((text) => text.length)) > 180);
  known.checked = false;
  repeat.hidden = !round.repeat;
  verdict.textContent = thanks.textContent = "";
  remark.reset();
  why.open = why.querySelector("details").open = false;
  page.querySelector("[data-who]").textContent = round.archive.handle ? `@${round.archive.handle}` : round.archive.name;
  page.querySelector(".tagline").hidden = true;
  page.querySelector(".news")?.remove();
  if (way.mode === "endless" && run.played >= FIRST) run.of = 0;
  nextButton.textContent = "Next";
  count("question");
  for (const button of why.querySelectorAll("[aria-pressed]")) button.ariaPressed = "false";
  to("question");
  scrollTo({ top: 0 });
  shownAt = performance.now();
  settledAt = shownAt + SETTLING;
  lookAhead();
}

function lookAhead() {
  const open = token;
  askedAhead = performance.now();
  ahead = ask("POST", "/api/rounds", { ...way, after: open })
    .then((response) => (response.status === 201 ? response.json() : null))
    .then((round) => (round && round.round !== open ? round : null))
    .catch(() => null);
}

async function pick(index) {
  if (page.dataset.state !== "question") return;
  to("sending");
  cards[index].classList.add("picked");
  const body = {
    round: token,
    pick: index,
    recognised: known.checked,
    shown_ms: Math.round(performance.now() - shownAt),
  };
  const words = "The connection is gone. Your pick is kept; trying again…";
  const { status, body: answer } = await insist("POST", "/api/guesses", body, words);
  if (status === 200 || status === 201) return tell(answer, index);
  if (answer.recorded) {
    cards[index].classList.remove("picked");
    trouble.textContent = "You had answered this one before. This is what came of it.";
    return tell(answer.recorded, answer.recorded.pick);
  }
  // Refused: the server says why, what is open now, and how whoever plays here stands; it may be somebody new.
  leave("pick", index);
}

// Sends the form as it is without script, with one field more.
function leave(name, value) {
  form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  form.submit();
}

function tell(answer, picked) {
  guess = answer.guess;
  remark.action = `/v/${guess}`;
  inside.setAttribute("formaction", `/v/${guess}/reading${way.mixed ? "?mixed=1" : ""}`);
  cards.forEach((card, index) => {
    const isReal = index === answer.tweet;
    card.classList.add(isReal ? "real" : "machine");
    card.classList.toggle("picked", index === picked);
    card.querySelector(".note").replaceChildren(bold(isReal ? "Real" : "Machine-written"));
  });
  const isSpotted = answer.verdict === "spotted";
  const words = document.createElement("b");
  words.textContent = isSpotted ? "You spotted the real one." : "The machine fooled you.";
  const aside = document.createElement("span");
  aside.className = "aside";
  aside.textContent = ` Card ${answer.tweet + 1} is real.`;
  explain(answer, isSpotted);
  // In a mixed game every archive counts for itself: what is shown is this sitting.
  if (way.mixed) Object.assign(run, { played: run.played + 1, spotted: run.spotted + isSpotted });
  else Object.assign(run, { played: answer.played, spotted: answer.spotted });
  if (run.of && run.played >= run.of) nextButton.textContent = "See how you did";
  count("verdict");
  to("verdict");
  verdict.replaceChildren(words, aside);
  nextButton.focus({ preventScroll: true });
}

function bold(words) {
  const element = document.createElement("b");
  element.textContent = words;
  return element;
}

// What "Why?" holds: where the tweet is from, and how well the sample does.
function explain(answer, isSpotted) {
  const day = answer.posted_at && new Date(answer.posted_at);
  const options = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" };
  const who = page.querySelector("[data-who]").textContent;
  const parts = [bold("Real:"), day ? ` posted ${day.toLocaleDateString("en-GB", options)}.` : ` ${who} wrote it.`];
  if (answer.url) {
    const link = document.createElement("a");
    link.href = answer.url;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    link.textContent = "See it at its source";
    const aside = document.createElement("span");
    aside.className = "aside";
    aside.textContent = ", in a new tab";
    link.append(aside);
    parts.push(" ", link);
  }
  why.querySelector("[data-real]").replaceChildren(...parts);
  const rate = answer.fool_rate;
  const share = rate === null ? "Few players have met it yet." : `It fooled ${Math.round(rate * 100)} % of the ${answer.guesses} players who met it.`;
  why.querySelector("[data-machine]").replaceChildren(bold("Machine:"), ` written by network ${answer.generator}. ${share}`);
  const percent = (part) => `${Math.round(part * 100)}\u00a0%`;
  const { share: skill, low, high } = answer.skill ?? {};
  const range = `It may be anything from ${percent(low)} to ${percent(high)}; each pick narrows that.`;
  const words = ` our estimate by your picks so far: you spot the real one ${percent(skill)} of the time. ${range}`;
  why.querySelector("[data-skill]").replaceChildren(...(answer.skill ? [bold("You:"), words] : []));
  why.querySelector("[data-question]").textContent = isSpotted ? "What gave it away?" : "Looking at it again: what could have given it away?";
}

// On a phone it opens below the cards, and they may fill the screen; so may what it holds, once a report is written.
function bringIntoView({ target }) {
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  const opened = target === why ? why.querySelector(".reading") : target;
  if (target.open) opened.scrollIntoView({ block: "nearest", behavior });
}
why.addEventListener("toggle", bringIntoView, true); // toggles do not bubble

async function next() {
  if (page.dataset.state === "dealing") return;
  page.dataset.state = "dealing";
  if (run.of && run.played >= run.of) {
    leave("through", 1); // the server knows whose rounds these were, cookie or none, and what more was played since
    return;
  }
  trouble.textContent = "";
  let round = await ahead;
  if (!round || performance.now() - askedAhead > AHEAD || new Date(round.expires_at) < Date.now()) {
    const words = "The connection is gone. The next round comes when it is back…";
    const answer = await insist("POST", "/api/rounds", { ...way, after: token }, words);
    if (answer.status !== 201) {
      // All played, nothing to deal, or a round that is nobody's: the server has a page for that.
      if (answer.body.type === "/problems/set-through") form.submit();
      else location.assign(form.action);
      return;
    }
    round = answer.body;
  }
  show(round);
  cards[0].querySelector(".face").focus({ preventScroll: true });
}

form.addEventListener("submit", (event) => {
  // A page of its own; or nobody says which button it was (Safari before 15.4): as without this script, the form plays.
  if (!event.submitter || event.submitter === inside) return;
  event.preventDefault();
  if (event.submitter === nextButton) next();
  else if (event.submitter.name === "pick") pick(Number(event.submitter.value));
});

// Next was pressed twice, or held: on a phone the tick now lies below the finger, elsewhere the first card has the focus.
form.addEventListener("click", (event) => {
  const isByKey = event.detail === 0;
  const isTooSoon = performance.now() < settledAt;
  if (isTooSoon && event.target.closest(isByKey ? ".face, .known" : ".known")) event.preventDefault();
});

remark.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter;
  const isReason = button?.name === "reason";
  // The round says whose it was, should the browser take no cookie.
  const said = { round: token || null, ...(isReason ? { reason: button.value } : { report: remark.elements.report.value }) };
  if (isReason) for (const other of why.querySelectorAll("[aria-pressed]")) other.ariaPressed = String(other === button);
  const response = await ask("PATCH", `/api/guesses/${guess}`, said).catch(() => null);
  thanks.textContent = response?.ok ? "Thank you. That helps." : "That did not arrive. Please try again.";
  if (response?.ok && !isReason) why.querySelector("details").open = false;
});

// Digits can be switched off: who speaks to a computer may type one unawares (WCAG 2.1.4). Where there is no room to say
// so, they pick nothing; arrows always do.
const digits = page.querySelector(".keys");
function remembered(state) {
  try {
    if (state) localStorage.setItem("keys", state);
    return localStorage.getItem("keys");
  } catch {
    return state; // a browser that keeps nothing
  }
}
digits.hidden = !matchMedia("(hover: hover) and (min-width: 30rem)").matches;
digits.ariaPressed = String(remembered() !== "off");
digits.addEventListener("click", () => {
  digits.ariaPressed = String(digits.ariaPressed !== "true");
  remembered(digits.ariaPressed === "true" ? "on" : "off");
});

addEventListener("keydown", (event) => {
  if (event.repeat && event.key === "Enter" && event.target.matches("button")) event.preventDefault();
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("textarea, summary")) return;
  if (event.shiftKey && event.key.startsWith("Arrow")) return; // text is being selected; on some keyboards digits need Shift
  if ("12".includes(event.key) && (digits.hidden || digits.ariaPressed !== "true")) return;
  const index = { 1: 0, 2: 1, ArrowLeft: 0, ArrowRight: 1 }[event.key];
  if (index !== undefined && page.dataset.state === "question") {
    event.preventDefault();
    pick(index);
  } else if (event.key === "Enter" && page.dataset.state === "verdict" && !event.target.matches("a, button")) {
    event.preventDefault();
    next();
  }
});

if (page.dataset.state === "question") lookAhead();
else guess = remark.getAttribute("action").split("/").pop().split(/[?#]/)[0];
// A page that the browser kept from before, shown again by "back": what is open now may be another round.
addEventListener("pageshow", (event) => event.persisted && location.reload());
