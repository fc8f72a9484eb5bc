/*
 * An output panel: follows one command over the socket, draws what arrives in animation frames and
 * acknowledges what is drawn, so that a slow page slows the sender and never itself.
 *
 *   <section data-output data-command="ID" data-stdout="0" data-stderr="0">
 *     <div class="output-bar">…</div> <p data-notice hidden></p> <div class="lines" data-lines></div>
 *   </section>
 *
 * data-stdout, data-stderr: the byte to begin at (later than 0 when there is very much).
 */
import { follow, send } from "../page/socket.js";
import { Sheet } from "./lines.js";
import { tools } from "./tools.js";

const BUDGET = 10; // ms of drawing in one frame
const PIECE = 64 * 1024; // bytes between two looks at the clock
const panels = new WeakMap();

class Panel {
  queue = [];
  frame = 0;

  constructor(element, id, from, options) {
    this.element = element;
    this.id = id;
    this.next = { ...from }; // next byte wanted of each stream
    this.drawn = { ...from };
    this.begins = { ...from };
    this.lines = element.querySelector("[data-lines]");
    this.lines.replaceChildren();
    this.notice("");
    this.sheet = new Sheet(this.lines, () => this.notice("Only the latest output is shown here. Download it to see all."));
    if (from.stdout || from.stderr) this.notice("Only the latest output is shown here. Download it to see all.");
    element.dataset.command = id;
    element.dataset.state = "active";
    element.querySelectorAll("[data-download]").forEach((link) => { link.href = `/commands/${id}/output/${link.dataset.download}/`; });
    this.tools = tools(element, this.lines);
    this.quiet = setTimeout(() => this.notice("No output yet."), 700);
    this.stop = follow(id, {
      next: () => ({ ...this.next }),
      data: (...all) => this.data(...all),
      gap: (gap) => this.gap(gap),
      end: (end) => this.push({ end }),
    }, options);
  }

  /* Whatever was seen already is cut off: after a reconnect nothing shows twice. */
  data(stream, offset, bytes) {
    const overlap = this.next[stream] - offset;
    if (overlap < 0 || overlap >= bytes.length) return;
    this.next[stream] = offset + bytes.length;
    for (let at = overlap; at < bytes.length; at += PIECE) {
      this.push({ stream, offset: offset + at, bytes: bytes.subarray(at, at + PIECE) });
    }
  }

  gap({ stream, start, end }) {
    if (end <= this.next[stream]) return;
    this.next[stream] = end;
    this.push({ stream, offset: end, bytes: new Uint8Array(), gap: end - start });
  }

  push(item) {
    this.queue.push(item);
    this.frame ||= document.hidden ? setTimeout(() => this.draw(), 100) : requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = 0;
    const until = performance.now() + BUDGET;
    let taken = 0;
    while (taken < this.queue.length && performance.now() < until) this.one(this.queue[taken++]);
    this.queue.splice(0, taken);
    this.sheet.render();
    send({ op: "ack", command: this.id, ...this.drawn });
    this.tools.drawn();
    if (this.queue.length) this.push(this.queue.pop());
  }

  one({ stream, offset, bytes, gap, end }) {
    if (this.quiet) this.spoke();
    if (end) return this.ended(end);
    if (gap) this.sheet.note(stream, `${size(gap)} of ${stream} were not kept: the command wrote more than the output limit.`);
    this.sheet.write(stream, bytes, { inside: offset > 0 && offset === this.begins[stream] });
    this.drawn[stream] = offset + bytes.length;
  }

  spoke() {
    clearTimeout(this.quiet);
    this.quiet = 0;
    const place = this.element.querySelector("[data-notice]");
    if (place.textContent === "No output yet.") this.notice("");
  }

  ended({ stdout_bytes, stderr_bytes }) {
    this.sheet.end();
    this.element.dataset.state = "ended";
    if (!stdout_bytes && !stderr_bytes) this.notice("The command wrote no output.");
    this.element.dispatchEvent(new CustomEvent("portal:ended", { bubbles: true }));
  }

  notice(text) {
    const place = this.element.querySelector("[data-notice]");
    place.textContent = text;
    place.hidden = !text;
  }

  close() {
    this.stop();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.frame);
    clearTimeout(this.quiet);
    this.tools.close();
    this.draw = () => {};
  }
}

export function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  const power = Math.min(3, Math.trunc(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${["", "KiB", "MiB", "GiB"][power]}`;
}

/* Show a command's output in a panel, in place of what it showed before. */
export function open(element, id, { started = false, stdout = 0, stderr = 0 } = {}) {
  panels.get(element)?.close();
  panels.set(element, new Panel(element, id, { stdout, stderr }, { started }));
}

for (const element of document.querySelectorAll("[data-output][data-command]")) {
  if (element.dataset.command) {
    open(element, element.dataset.command, { stdout: Number(element.dataset.stdout), stderr: Number(element.dataset.stderr) });
  }
}
