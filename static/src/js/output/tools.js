/*
 * What a reader does with output: follow or pause, show one stream or both, wrap, copy, search.
 *
 *   <button data-tool="follow" aria-pressed="true">Follow</button>   <button data-show="stdout">Out</button>
 *   <button data-tool="wrap">Wrap</button>  <button data-tool="copy">Copy</button>
 *   <div data-search><input type="search"><output></output><button data-find="-1">…<button data-find="1">…</div>
 */
import { copy } from "../page/copy.js";
import { Search } from "./search.js";

export function tools(element, lines) {
  const closing = new AbortController();
  const { signal } = closing;
  const button = (name) => element.querySelector(`[data-tool="${name}"]`);
  const search = new Search(element.querySelector("[data-search]"), lines, () => set(false), signal);
  let follow = true;
  let last = 0;
  let height = 0;

  function set(on) {
    follow = on;
    button("follow")?.setAttribute("aria-pressed", on);
    if (on) bottom();
  }
  function bottom() {
    lines.scrollTop = lines.scrollHeight;
    last = lines.scrollTop;
    height = lines.clientHeight;
  }

  const actions = {
    follow: () => set(!follow),
    wrap(pressed) {
      element.toggleAttribute("data-wrap", !pressed);
      button("wrap").setAttribute("aria-pressed", !pressed);
      if (follow) bottom();
    },
    copy: () => copy(visibleText(element, lines), "Output copied"),
  };

  element.addEventListener("click", (event) => {
    const target = event.target.closest("[data-tool], [data-show]");
    if (!target || target === element) return;
    if (target.dataset.tool) actions[target.dataset.tool](target.getAttribute("aria-pressed") === "true");
    else show(element, target.dataset.show, () => follow && bottom());
  }, { signal });

  // another size moves the lines without the reader's doing
  function resized() {
    height = lines.clientHeight;
    if (follow) bottom();
  }
  const observer = new ResizeObserver(resized);
  observer.observe(lines);

  // scrolling up pauses, coming back to the end follows again; growth alone does neither
  lines.addEventListener("scroll", () => {
    if (lines.clientHeight !== height) return resized();
    const top = lines.scrollTop;
    const end = lines.scrollHeight - lines.clientHeight - top < 8;
    if (end && !follow) set(true);
    else if (follow && top < last - 4 && !end) set(false);
    last = top;
  }, { passive: true, signal });

  set(true);
  return {
    drawn() {
      if (follow) { bottom(); requestAnimationFrame(() => follow && bottom()); }
      search.grown();
    },
    close() { closing.abort(); observer.disconnect(); search.clear(); },
  };
}

function show(element, which, then) {
  element.dataset.show = which;
  for (const other of element.querySelectorAll("button[data-show]")) {
    other.setAttribute("aria-pressed", other.dataset.show === which);
  }
  then();
}

function visibleText(element, lines) {
  const hidden = { stdout: "e", stderr: "o" }[element.dataset.show];
  return [...lines.querySelectorAll(".l")].filter((line) => !line.classList.contains(hidden)).map((line, number) => (
    (number && !line.classList.contains("more") ? "\n" : "") + line.textContent.replace(/\n$/, "")
  )).join("");
}
