// A room that moves by itself: asks every second what is new, and sends picks without leaving the page.
const room = document.querySelector("[data-room]");
const key = document.querySelector("[data-key]");

// The key stands behind the #, which no browser sends; it goes into a cookie and out of the address. A browser that has the
// cookie is not asked for it: out of the address, which is projected, it goes all the same.
const shown = decodeURIComponent(location.hash.slice(1));
if (shown) history.replaceState(null, "", location.pathname);
if (key && shown) {
  key.elements.key.value = shown;
  key.requestSubmit();
}

const PATIENCE = 5000; // ms; a phone on its way from one network to another waits for minutes, and a round lasts 45 s

const scene = () => room.querySelector("[data-version]");
const heading = () => room.querySelector("h1")?.textContent ?? "";
let closes = 0;
let asking = false;

function began() {
  const left = Number(scene().dataset.left);
  closes = left ? performance.now() + left : 0;
}

function change(markup) {
  const focused = room.contains(document.activeElement) ? document.activeElement : null;
  const before = heading();
  room.innerHTML = markup;
  began();
  // Only a change of heading is announced: the counts move all the time.
  if (heading() !== before) document.querySelector("[data-said]").textContent = heading();
  if (!focused) return;
  // The same button in the same scene keeps the focus; in another scene one begins at its top.
  const same = [...room.querySelectorAll("button")].find((each) => each.name === focused.name && each.value === focused.value);
  room.tabIndex = -1;
  (heading() === before && same ? same : room).focus({ preventScroll: true });
}

// Safari before 16 has but its own patience.
const ask = (path, more) => fetch(path, { ...more, signal: AbortSignal.timeout?.(PATIENCE) });

async function look() {
  if (asking) return;
  asking = true;
  try {
    const seen = encodeURIComponent(scene().dataset.version);
    const answer = await ask(`${room.dataset.room}?seen=${seen}`, { cache: "no-store" });
    // A button that is held down would be another one when it is let go, and that is no click: the next look brings the rest.
    if (answer.status === 200) {
      const markup = await answer.text();
      if (!room.matches(":active")) change(markup);
    }
  } catch {
    // The network is away for a moment: the next look finds what changed.
  } finally {
    asking = false;
  }
}

// Sends a form once; what is in the way, in words, or nothing where it has arrived; null where it is refused for good.
async function deliver(form, body) {
  try {
    const answer = await ask(form.action, { method: "POST", body, redirect: "manual" });
    if (answer.status < 400) return ""; // 0: it leads to a page, and is not followed there
    if (answer.status < 500 && answer.status !== 429) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.querySelector("h1")?.textContent ?? "One moment.";
  } catch {
    return "No connection.";
  }
}

async function send(form, button) {
  const body = new URLSearchParams(new FormData(form));
  if (button?.name) body.set(button.name, button.value);
  for (const each of form.querySelectorAll("button")) each.setAttribute("aria-disabled", "true");
  for (let wait = 500; ; wait = Math.min(4000, wait * 2)) {
    const words = await deliver(form, body);
    // The page says what is so: the round once more, a key that is asked for, a room that is gone.
    if (words === null) return location.reload();
    if (!words) break;
    const kept = form.hasAttribute("data-pick") ? "Your pick is kept and sent again." : "It is asked for again by itself.";
    form.querySelector("[data-trouble]").textContent = `${words.replace(/\.?$/, ".")} ${kept}`;
    await new Promise((done) => setTimeout(done, wait));
    if (!form.isConnected) return;
  }
  await look();
}

if (room) {
  began();
  setInterval(look, 1000);
  setInterval(() => {
    const clock = room.querySelector("[data-clock]");
    if (clock && closes) clock.textContent = String(Math.max(0, Math.ceil((closes - performance.now()) / 1000)));
  }, 200);
  // The second click of two: it was meant for the button that the first one pressed, and that is another one by now.
  room.addEventListener("click", (event) => event.detail > 1 && event.preventDefault());
  room.addEventListener("submit", (event) => {
    const form = event.target;
    // Nobody says which button it was (Safari before 15.4): as without this script, the form goes by itself.
    if (form.hasAttribute("data-plain") || !event.submitter) return;
    event.preventDefault();
    if (form.dataset.sent) return;
    form.dataset.sent = "1";
    send(form, event.submitter);
  });
}
