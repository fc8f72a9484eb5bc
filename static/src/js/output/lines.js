/*
 * Turns the bytes of two streams into lines on the page, in the order of their arrival. A stream's
 * unfinished line stays its own when the other stream writes in between. What is kept on the page is
 * bounded: whole blocks leave at the top.
 *
 *   const sheet = new Sheet(element, () => say("earlier output left the page"));
 *   sheet.write("stdout", bytes); sheet.render();
 */
import { Scanner } from "./ansi.js";
import { Line } from "./line.js";

const BLOCK = 200; // lines in one block
const LINES = 20_000; // on the page at most
const CHARACTERS = 4 * 1024 * 1024;
const LONG = 4096; // a longer line goes on in the next row
const LINE_HEIGHT = 20.15;

export class Sheet {
  lines = 0;
  characters = 0;
  dropped = false;

  constructor(element, onDrop = () => {}) {
    this.element = element;
    this.onDrop = onDrop;
    this.streams = { stdout: this.#stream("o"), stderr: this.#stream("e") };
  }

  #stream(name) {
    const stream = { name, line: null, decoder: new TextDecoder(), scanner: new Scanner(), fresh: true };
    stream.to = {
      text: (text, style) => this.#text(stream, text, style),
      newline: () => { this.#line(stream); this.#finish(stream); },
      home: () => { if (stream.line) stream.line.column = 0; },
      back: () => { if (stream.line?.column) stream.line.column -= 1; },
      erase: (how) => stream.line?.erase(how),
    };
    return stream;
  }

  /* `inside`: the bytes begin in the middle of a stream, perhaps of a character. */
  write(name, bytes, { inside = false } = {}) {
    const stream = this.streams[name];
    let from = 0;
    if (inside) while (from < 4 && (bytes[from] & 0xc0) === 0x80) from += 1;
    stream.scanner.scan(stream.decoder.decode(from ? bytes.subarray(from) : bytes, { stream: true }), stream.to);
  }

  /* Bytes are missing here: what was unfinished stays as it is, and a note says so. */
  note(name, text) {
    const stream = this.streams[name];
    this.#finish(stream);
    stream.decoder = new TextDecoder();
    const element = this.#row("note");
    element.textContent = text;
  }

  #text(stream, text, style) {
    while (text) {
      const line = this.#line(stream);
      const room = LONG - line.column;
      const piece = text.length > room ? text.slice(0, room) : text;
      const before = line.length;
      line.put(piece, style);
      this.characters += line.length - before;
      text = text.slice(piece.length);
      if (line.column >= LONG) { this.#finish(stream); if (text) this.#line(stream).element.classList.add("more"); }
    }
  }

  #line(stream) {
    if (stream.line && !stream.line.element.parentNode?.parentNode) stream.line = null; // its block left
    return (stream.line ??= new Line(this.#row(`l ${stream.name}`)));
  }

  #finish(stream) {
    stream.line?.render();
    stream.line = null;
  }

  #row(className) {
    if (!this.block || this.block.childElementCount >= BLOCK) this.#nextBlock();
    const element = document.createElement("div");
    element.className = className;
    this.block.append(element);
    this.lines += 1;
    return element;
  }

  #nextBlock() {
    if (this.block) this.block.style.containIntrinsicBlockSize = `auto ${Math.round(BLOCK * LINE_HEIGHT)}px`;
    this.block = document.createElement("div");
    this.block.className = "block";
    this.element.append(this.block);
    while (this.element.childElementCount > 2 && (this.lines > LINES || this.characters > CHARACTERS)) {
      const first = this.element.firstElementChild;
      this.lines -= first.childElementCount;
      this.characters -= first.textContent.length;
      first.remove();
      if (!this.dropped) { this.dropped = true; this.onDrop(); }
    }
  }

  /* Draw the unfinished lines; finished ones are drawn already. */
  render() {
    for (const stream of Object.values(this.streams)) stream.line?.render();
  }
}
