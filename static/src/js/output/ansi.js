/*
 * Reads terminal text: splits it into plain pieces and controls, and keeps the colours in force.
 * Colour and weight sequences (SGR: 16, 256, true colour) are honoured; every other escape sequence
 * is dropped; control bytes become visible pictures.
 *
 *   const scanner = new Scanner();
 *   scanner.scan("\x1b[31mred\r\n", { text(s, style) {}, newline() {}, back() {}, home() {}, erase(how) {} });
 */
/* eslint-disable no-control-regex */
const TOKEN = /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[ -/]*[0-OQ-WYZ\\`-~]|[\r\n\b]/g;
const UNFINISHED = /\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[PX^_][^\x1b]*\x1b?|[ -/]*)?$/;
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const HELD = 4096; // an escape sequence that is longer is no escape sequence

const picture = (c) => {
  const code = c.charCodeAt(0);
  if (code === 0x7f) return "␡";
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : "\ufffd"; // C1, and marks that turn text around
};

export class Scanner {
  #held = "";
  #style = null;

  scan(chunk, to) {
    let text = this.#held + chunk;
    this.#held = "";
    const rest = UNFINISHED.exec(text);
    if (rest && text.length - rest.index < HELD) {
      this.#held = rest[0];
      text = text.slice(0, rest.index);
    }
    let at = 0;
    TOKEN.lastIndex = 0;
    for (let match; (match = TOKEN.exec(text)); at = TOKEN.lastIndex) {
      if (match.index > at) this.#plain(text.slice(at, match.index), to);
      this.#control(match, to);
    }
    if (at < text.length) this.#plain(text.slice(at), to);
  }

  #plain(text, to) {
    to.text(text.replace(CONTROL, picture), this.#style);
  }

  #control([token, parameters, final], to) {
    if (token === "\n") to.newline();
    else if (token === "\r") to.home();
    else if (token === "\b") to.back();
    else if (final === "m") this.#style = restyle(this.#style, parameters);
    else if (final === "K") to.erase(parameters || "0");
  }
}

/* The style after an SGR sequence: {color, background, bold, …}, or null for none. */
export function restyle(style, parameters) {
  const codes = parameters.split(/[;:]/).map(Number);
  let next = { ...style };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    if (code === 0) next = {};
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 3) next.italic = true;
    else if (code === 4) next.underline = true;
    else if (code === 7) next.inverse = true;
    else if (code === 9) next.strike = true;
    else if (code === 22) { delete next.bold; delete next.dim; }
    else if (code === 23) delete next.italic;
    else if (code === 24) delete next.underline;
    else if (code === 27) delete next.inverse;
    else if (code === 29) delete next.strike;
    else if (code === 39) delete next.color;
    else if (code === 49) delete next.background;
    else if (code >= 30 && code <= 37) next.color = named(code - 30);
    else if (code >= 40 && code <= 47) next.background = named(code - 40);
    else if (code >= 90 && code <= 97) next.color = named(code - 82);
    else if (code >= 100 && code <= 107) next.background = named(code - 92);
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes, i + 1);
      if (colour) next[code === 38 ? "color" : "background"] = colour;
      i += used;
    }
  }
  return Object.keys(next).length ? next : null;
}

const named = (n) => `var(--ansi-${n})`;

function extended(codes, at) {
  if (codes[at] === 2) return [`rgb(${codes.slice(at + 1, at + 4).map((n) => n & 255).join(" ")})`, 4];
  if (codes[at] !== 5) return [null, 0];
  const n = codes[at + 1] & 255;
  if (n < 16) return [named(n), 2];
  const level = (v) => (v ? v * 40 + 55 : 0);
  const c = n - 16;
  if (n < 232) return [`rgb(${level(Math.trunc(c / 36))} ${level(Math.trunc(c / 6) % 6)} ${level(c % 6)})`, 2];
  return [`rgb(${Array(3).fill((n - 232) * 10 + 8).join(" ")})`, 2];
}

/* A span in a style. Colours are set through the DOM, which a strict CSP allows. */
export function dress(element, style) {
  const { color, background, inverse } = style;
  if (inverse) {
    element.style.color = background ?? "var(--sheet)";
    element.style.background = color ?? "var(--sheet-text)";
  } else {
    if (color) element.style.color = color;
    if (background) element.style.background = background;
  }
  if (style.bold) element.style.fontWeight = "700";
  if (style.dim) element.style.opacity = "0.75";
  if (style.italic) element.style.fontStyle = "italic";
  const line = [style.underline && "underline", style.strike && "line-through"].filter(Boolean).join(" ");
  if (line) element.style.textDecoration = line;
  return element;
}
