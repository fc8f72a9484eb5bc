/*
 * A short word about what happened, which goes away by itself. Actions send it with the header
 * HX-Trigger: {"portal:toast": {"text": "Stopping"}}.
 *
 *   <div class="toasts" data-toasts role="status"></div>
 */
const place = document.querySelector("[data-toasts]");

export function toast(text) {
  if (!place) return;
  const element = document.createElement("p");
  element.textContent = text;
  place.append(element);
  setTimeout(() => element.remove(), 4000);
}

document.addEventListener("portal:toast", ({ detail }) => toast(detail.text));
