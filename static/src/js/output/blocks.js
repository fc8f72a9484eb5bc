/*
 * Where rows of output stand: blocks that the browser lays out only in view, and that leave at the
 * top when there are too many.
 *
 *   const blocks = new Blocks(element, () => say("something left"));
 *   blocks.add("l o", 12).textContent = "Hello there.";
 */
const BLOCK_LINES = 200;
const BLOCK_CHARACTERS = 32 * 1024;
const LINES = 20_000; // on the page at most
const CHARACTERS = 4 * 1024 * 1024;
const LINE_HEIGHT = 20.15;
const COLUMNS = 120; // about what fits into a row

export class Blocks {
  blocks = []; // {element, lines, characters}
  lines = 0;
  characters = 0;
  dropped = false;

  constructor(element, onDrop) {
    this.element = element;
    this.onDrop = onDrop;
  }

  get full() {
    const last = this.blocks.at(-1);
    return !last || last.lines >= BLOCK_LINES || last.characters >= BLOCK_CHARACTERS;
  }

  /* A new row at the end. */
  add(className, characters) {
    if (this.full) this.#next();
    const row = document.createElement("div");
    row.className = className;
    this.blocks.at(-1).element.append(row);
    this.count(characters);
    return row;
  }

  /* One more line, in the last row. */
  count(characters) {
    const last = this.blocks.at(-1);
    last.lines += 1;
    last.characters += characters;
    this.lines += 1;
    this.characters += characters;
  }

  #next() {
    const last = this.blocks.at(-1);
    if (last) { // its height for as long as it hasn't been in view
      const rows = Math.max(last.lines, last.characters / COLUMNS);
      last.element.style.containIntrinsicBlockSize = `auto ${Math.round(rows * LINE_HEIGHT)}px`;
    }
    const element = document.createElement("div");
    element.className = "block";
    this.element.append(element);
    this.blocks.push({ element, lines: 0, characters: 0 });
    while (this.blocks.length > 2 && (this.lines > LINES || this.characters > CHARACTERS)) this.#drop();
  }

  #drop() {
    const first = this.blocks.shift();
    this.lines -= first.lines;
    this.characters -= first.characters;
    first.element.remove();
    if (!this.dropped) this.onDrop();
    this.dropped = true;
  }
}
