/*
 * Keeps a region of the page right: when one of its topics changes, the region's fragment is fetched
 * and morphed in, at once and then at most every 500 ms. Focus, scroll, open details and typed text
 * stay. Parts with hx-morph-skip are left alone.
 *
 *   <div id="live" data-live="sandbox/0198… team/0198…">…</div>                    this page's ?fragment=live
 *   <header data-live="command/0198…" data-live-url="/commands/0198…/?fragment=head">…</header>
 */
import htmx from "htmx.org";

import { watch } from "./socket.js";

const EVERY = 500;
const regions = new Map(); // element -> {unwatch, last, busy, again, at}

function url(element) {
  const address = new URL(element.dataset.liveUrl ?? location.href, location.href);
  if (!element.dataset.liveUrl) address.searchParams.set("fragment", "live");
  address.hash = "";
  return address;
}

async function fetchFragment(element, region) {
  const response = await fetch(url(element), { headers: { "HX-Request": "true" }, cache: "no-store" });
  if (response.redirected && response.url.includes("/accounts/login/")) return location.reload();
  if (response.status === 404) return location.reload(); // no longer ours to see: say so properly
  if (!response.ok || !element.isConnected) return;
  const text = await response.text();
  if (text === region.last) return;
  region.last = text;
  await htmx.swap({ text, target: element, swap: "innerMorph", sourceElement: element });
  document.dispatchEvent(new CustomEvent("portal:updated", { detail: { element } }));
}

export async function refresh(element) {
  const region = regions.get(element);
  if (!region) return;
  if (region.busy) { region.again = true; return; }
  region.busy = true;
  const pause = region.at + EVERY - Date.now();
  if (pause > 0) await new Promise((done) => setTimeout(done, pause));
  region.at = Date.now();
  region.again = false;
  try {
    await fetchFragment(element, region);
  } catch {
    // offline: the socket tells when to look again
  } finally {
    region.busy = false;
    if (region.again) refresh(element);
  }
}

/* Watch a region's present topics; call it again after changing data-live. */
export function attach(element) {
  regions.get(element)?.unwatch();
  const stops = element.dataset.live.split(/\s+/).filter(Boolean)
    .map((topic) => watch(topic, () => refresh(element)));
  regions.set(element, { at: 0, unwatch: () => stops.forEach((stop) => stop()) });
}

export function refreshAll() {
  for (const element of regions.keys()) refresh(element);
}

// an open <details> is the reader's doing, the server doesn't know of it
htmx.registerExtension("keep-open", {
  htmx_before_morph_attr: (element, detail) => !(element.tagName === "DETAILS" && detail.attrName === "open"),
});
document.addEventListener("portal:resync", refreshAll);
document.addEventListener("portal:refresh", refreshAll); // sent by actions (HX-Trigger)
addEventListener("pageshow", (event) => event.persisted && refreshAll());
document.querySelectorAll("[data-live]").forEach(attach);
