/*
 * Copies a text: of an element, or the page's own address.
 *
 *   <button data-copy="#line">Copy</button>   <button data-copy="address">Copy link</button>
 */
import { toast } from "./toast.js";

export async function copy(text, said = "Copied") {
  try {
    await navigator.clipboard.writeText(text);
    toast(said);
  } catch {
    toast("The browser doesn't allow copying here. Select the text instead.");
  }
}

document.addEventListener("click", (event) => {
  const what = event.target.closest("[data-copy]")?.dataset.copy;
  if (!what) return;
  if (what === "address") copy(location.origin + location.pathname, "Link copied");
  else copy(document.querySelector(what)?.textContent ?? "");
});
