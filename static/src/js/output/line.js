/*
 * One line of output while it is being written: runs of text in one style, and where the next
 * character goes, so that progress bars can write over themselves.
 *
 *   const line = new Line();
 *   line.element = document.createElement("div");
 *   line.put("50 %", null); line.column = 0; line.put("60 %", null); line.render();
 */
import { dress } from "./ansi.js";

export class Line {
  runs = [];
  length = 0;
  column = 0;

  more = false; // whether it goes on from the row above
  element = null;

  get plain() {
    return !this.runs.some((run) => run.style);
  }

  get text() {
    return this.runs.map((run) => run.text).join("");
  }

  put(text, style) {
    if (this.column === this.length) {
      const last = this.runs.at(-1);
      if (last && last.style === style) last.text += text;
      else this.runs.push({ text, style });
      this.column = this.length += text.length;
      return;
    }
    // over what stands there already (progress bars)
    const end = this.column + text.length;
    this.runs = [...this.#cut(0, this.column), { text, style }, ...this.#cut(end, this.length)];
    this.length = Math.max(this.length, end);
    this.column = end;
  }

  erase(how) {
    if (how === "0") this.runs = this.#cut(0, this.column);
    else if (how === "2") this.runs = this.column ? [{ text: " ".repeat(this.column), style: null }] : [];
    else return;
    this.length = this.column;
  }

  #cut(from, to) {
    const kept = [];
    let at = 0;
    for (const { text, style } of this.runs) {
      const piece = text.slice(Math.max(0, from - at), Math.max(0, to - at));
      if (piece) kept.push({ text: piece, style });
      at += text.length;
    }
    return kept;
  }

  render() {
    if (this.plain) { this.element.textContent = this.text; return; }
    this.element.replaceChildren(...this.runs.map(({ text, style }) => {
      if (!style) return document.createTextNode(text);
      const span = dress(document.createElement("span"), style);
      span.textContent = text;
      return span;
    }));
  }
}
