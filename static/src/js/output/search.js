/*
 * Finds text in drawn output: count, next, previous, all marked with the CSS highlight registry, so
 * that the lines themselves are not touched.
 *
 *   <div data-search><input type="search" aria-label="Find in output"> <output></output>
 *     <button data-find="-1">…</button> <button data-find="1">…</button></div>
 */
const MOST = 5000;
const AGAIN = 600;

export class Search {
  found = [];
  at = -1;
  timer = 0;

  constructor(place, lines, onJump, signal) {
    this.lines = lines;
    this.onJump = onJump;
    this.input = place?.querySelector("input");
    this.output = place?.querySelector("output");
    if (!this.input) return;
    this.input.addEventListener("input", () => this.later(150, true), { signal });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); this.go(event.shiftKey ? -1 : 1); }
      if (event.key === "Escape" && this.input.value) { this.input.value = ""; this.look(true); }
    }, { signal });
    place.addEventListener("click", (event) => {
      const step = event.target.closest("[data-find]")?.dataset.find;
      if (step) this.go(Number(step));
    }, { signal });
    if (this.input.value) this.later(150, true);
  }

  later(pause, jump) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.timer = 0; this.look(jump); }, pause);
  }

  /* More output came: count again, but not for every frame. */
  grown() {
    if (this.input?.value && !this.timer) this.later(AGAIN, false);
  }

  look(jump) {
    const wanted = this.input.value.toLowerCase();
    const here = this.found[this.at];
    this.found = wanted ? this.#ranges(wanted) : [];
    this.at = here && !jump ? Math.min(this.at, this.found.length - 1) : -1;
    this.#mark();
    if (jump && this.found.length) this.go(1);
    else this.#say();
  }

  #ranges(wanted) {
    const ranges = [];
    for (const line of this.lines.querySelectorAll(".l")) {
      const text = line.textContent.toLowerCase();
      for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
        ranges.push({ line, at, length: wanted.length });
        if (ranges.length >= MOST) return ranges;
      }
    }
    return ranges;
  }

  go(step) {
    if (!this.found.length) return;
    this.at = (this.at + step + this.found.length) % this.found.length;
    this.onJump();
    this.#mark();
    this.#reveal();
    this.#say();
  }

  /* An element may hold many lines: go to the match itself. */
  #reveal() {
    const { lines, found, at } = this;
    found[at].line.scrollIntoView({ block: "nearest", inline: "nearest" });
    const here = range(found[at])?.getBoundingClientRect();
    if (here) lines.scrollTop += here.top - lines.getBoundingClientRect().top - lines.clientHeight / 2;
  }

  #mark() {
    if (!CSS.highlights) return;
    CSS.highlights.set("found", new Highlight(...this.found.map(range).filter(Boolean)));
    const here = this.found[this.at] && range(this.found[this.at]);
    CSS.highlights.set("found-here", here ? new Highlight(here) : new Highlight());
    CSS.highlights.get("found-here").priority = 1;
  }

  #say() {
    const many = this.found.length >= MOST ? `${MOST}+` : this.found.length;
    this.output.textContent = this.input.value ? `${this.at + 1} of ${many}` : "";
    if (this.input.value && !this.found.length) this.output.textContent = "none";
  }

  clear() {
    clearTimeout(this.timer);
    if (CSS.highlights) { CSS.highlights.delete("found"); CSS.highlights.delete("found-here"); }
  }
}

/* The DOM range of a match, which may cross spans. */
function range({ line, at, length }) {
  const found = document.createRange();
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  let begun = false;
  for (let node; (node = walker.nextNode()); at -= node.length) {
    if (!begun && at < node.length) { found.setStart(node, at); begun = true; }
    if (begun && at + length <= node.length) { found.setEnd(node, at + length); return found; }
  }
  return null;
}
