/*
 * Lets times tick: "3 min ago" and elapsed seconds, by the server's clock. The words are those of
 * sandboxes/templatetags/portal.py.
 *
 *   <time datetime="2026-11-22T17:14:00Z" data-ago>3 min ago</time>
 *   <time datetime="2026-11-22T17:14:00Z" data-since>12 s</time>
 */
const page = document.querySelector("meta[name=now]");
const skew = page ? Date.parse(page.content) - Date.now() : 0;

export const now = () => Date.now() + skew;

export function ago(date) {
  const seconds = Math.trunc((now() - date) / 1000);
  const size = Math.abs(seconds);
  if (size < 10 && seconds >= 0) return "just now";
  if (size >= 7 * 86400) return null;
  const [n, unit] = size < 60 ? [size, "s"] : size < 3600 ? [size / 60, "min"] : size < 86400 ? [size / 3600, "h"] : [size / 86400, "d"];
  return seconds < 0 ? `in ${Math.round(n)} ${unit}` : `${Math.trunc(n)} ${unit} ago`;
}

export function span(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const s = Math.trunc(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.trunc(s / 60)} min ${s % 60} s`;
  return `${Math.trunc(s / 3600)} h ${Math.trunc((s % 3600) / 60)} min`;
}

function write(element, text) {
  if (text !== null && element.textContent !== text) element.textContent = text;
}

export function tick() {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("time[data-ago]")) write(element, ago(Date.parse(element.dateTime)));
  for (const element of document.querySelectorAll("time[data-since]")) {
    write(element, span(Math.max(0, now() - Date.parse(element.dateTime)) / 1000));
  }
}

setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);
document.addEventListener("portal:updated", tick);
