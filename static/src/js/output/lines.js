/*
 * Turns the bytes of two streams into lines on the page, in the order of their arrival. A stream's
 * unfinished line stays its own when the other stream writes in between. Finished plain lines share
 * one element, so that millions of lines cost little; what is kept is bounded: whole blocks leave at
 * the top.
 *
 *   const sheet = new Sheet(element, () => say("earlier output left the page"));
 *   sheet.write("stdout", bytes); sheet.render();
 */
import { Scanner } from "./ansi.js";
import { Blocks } from "./blocks.js";
import { Line } from "./line.js";

const LONG = 4096; // a longer line goes on in the next row

export class Sheet {
  group = null; // finished plain lines that share an element: {name, element, text}

  constructor(element, onDrop = () => {}) {
    this.blocks = new Blocks(element, onDrop);
    this.streams = { stdout: this.#stream("o"), stderr: this.#stream("e") };
  }

  #stream(name) {
    const stream = { name, line: null, decoder: new TextDecoder(), scanner: new Scanner() };
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

  /* Nothing more comes: half a character at the end is shown as what it is. */
  end() {
    for (const stream of Object.values(this.streams)) stream.scanner.scan(stream.decoder.decode(), stream.to);
  }

  /* Bytes are missing here: what was unfinished stays as it is, and a note says so. */
  note(name, text) {
    const stream = this.streams[name];
    if (stream.line) this.#finish(stream);
    stream.decoder = new TextDecoder();
    this.#row("note", 0).textContent = text;
  }

  #text(stream, text, style) {
    while (text) {
      const line = this.#line(stream);
      const piece = text.slice(0, LONG - line.column);
      line.put(piece, style);
      text = text.slice(piece.length);
      if (line.column < LONG) continue;
      this.#finish(stream);
      if (text) this.#line(stream).more = true;
    }
  }

  /* The stream's unfinished line. The other stream's takes its place on the page first. */
  #line(stream) {
    if (stream.line?.element && !stream.line.element.isConnected) stream.line = null; // it left at the top
    if (stream.line) return stream.line;
    for (const other of Object.values(this.streams)) if (other.line && !other.line.element) this.#place(other);
    return (stream.line = new Line());
  }

  #place({ name, line }) {
    line.element = this.#row(line.more ? `l ${name} more` : `l ${name}`, line.length);
  }

  #finish(stream) {
    const { line, name } = stream;
    stream.line = null;
    if (!line.element && !line.more && line.plain) return this.#join(name, line.text);
    if (!line.element) this.#place({ name, line });
    line.render();
  }

  #join(name, text) {
    if (this.group?.name !== name || this.blocks.full) {
      const element = this.#row(`l ${name}`, text.length);
      this.group = { name, element, text: `${text}\n` };
      return;
    }
    this.group.text += `${text}\n`;
    this.blocks.count(text.length);
  }

  #row(className, characters) {
    this.#write();
    this.group = null;
    return this.blocks.add(className, characters);
  }

  #write() {
    if (!this.group || this.group.drawn === this.group.text.length) return;
    // a last newline is drawn only after an empty line
    this.group.element.textContent = this.group.text.replace(/([^\n])\n$/, "$1");
    this.group.drawn = this.group.text.length;
  }

  /* Draw what is unfinished; the rest is drawn already. */
  render() {
    this.#write();
    for (const stream of Object.values(this.streams)) {
      if (!stream.line) continue;
      if (!stream.line.element) this.#place(stream);
      stream.line.render();
    }
  }
}
