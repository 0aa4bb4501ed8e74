// A page that says to come back: it looks by itself whether there is something to come back to, and only then moves on.

const AWAY = [429, 503];
const seconds = Number(document.querySelector("[data-again]").dataset.again);

async function look() {
  const signal = AbortSignal.timeout?.(10_000); // Safari before 16 has but its own patience
  const answer = await fetch(location.href, { cache: "no-store", signal }).catch(() => null);
  if (answer && !AWAY.includes(answer.status)) return location.reload();
  setTimeout(look, 1000 * (Number(answer?.headers.get("Retry-After")) || seconds));
}

setTimeout(look, 1000 * seconds);
