// The page of a result: sharing in one tap, and the time until the next ten.

const share = document.querySelector("[data-share]");
const thanks = document.querySelector("[data-thanks]");
const midnight = document.querySelector("[data-midnight]");

if (share) {
  const words = document.querySelector("#share");
  share.hidden = !(navigator.share || navigator.clipboard);
  share.textContent = navigator.share ? "Share" : "Copy";
  share.addEventListener("click", async () => {
    try {
      if (navigator.share) await navigator.share({ text: words.value });
      else await navigator.clipboard.writeText(words.value);
      thanks.textContent = navigator.share ? "" : "Copied.";
    } catch (error) {
      if (error.name !== "AbortError") {
        words.focus();
        words.select();
        thanks.textContent = "Copy the text above.";
      }
    }
  });
}

function tick() {
  const minutes = Math.ceil((new Date(midnight.dataset.midnight) - Date.now()) / 60_000);
  if (minutes > 0) {
    midnight.textContent = `, in ${minutes > 59 ? `${Math.floor(minutes / 60)} h ` : ""}${minutes % 60} min`;
  } else if (!midnight.firstElementChild) {
    const link = Object.assign(document.createElement("a"), { href: midnight.dataset.next, textContent: "here they are" });
    midnight.replaceChildren(": ", link);
  }
}

if (midnight) {
  tick();
  setInterval(tick, 20_000);
}
