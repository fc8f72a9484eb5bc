/*
 * The page's one socket. It comes back by itself (back-off with jitter; at once when the network or
 * the page wakes) and then asks again for everything that is being watched and followed, from the
 * next byte on. What arrives is told through callbacks and events on `document`:
 *
 *   portal:connection  detail {state: "live" | "away"}
 *   portal:resync      look at everything again
 *
 *   import { watch, follow, send, run } from "./socket.js";
 *   watch("sandbox/0198…", () => refetch());
 *   follow(id, { next: () => ({ stdout: 0, stderr: 0 }), data(stream, offset, bytes) {}, gap() {}, end() {} });
 */
const SILENCE = 45_000;
const PING = 20_000;
const STREAMS = { 1: "stdout", 2: "stderr" };

const topics = new Map(); // topic -> Set of callbacks
const follows = new Map(); // command id -> handlers
const waiting = new Map(); // ref -> {resolve, reject}
let socket = null;
let attempt = 0;
let timer = 0;
let heard = 0;
let ref = 0;
let everOpen = false;

export const live = () => socket?.readyState === WebSocket.OPEN;

export function send(message) {
  if (live()) socket.send(JSON.stringify(message));
}

export function watch(topic, callback) {
  const known = topics.has(topic);
  if (!known) topics.set(topic, new Set());
  topics.get(topic).add(callback);
  if (!known) send({ op: "watch", topics: [topic] });
  connect();
  return () => unwatch(topic, callback);
}

function unwatch(topic, callback) {
  topics.get(topic)?.delete(callback);
  if (topics.get(topic)?.size) return;
  topics.delete(topic);
  send({ op: "unwatch", topics: [topic] });
}

/* `started`: the server follows it already (a run of ours). Returns a function that ends it. */
export function follow(command, handlers, { started = false } = {}) {
  follows.set(command, handlers);
  if (!started) send({ op: "follow", command, ...handlers.next() });
  connect();
  return () => {
    if (follows.get(command) !== handlers) return;
    follows.delete(command);
    send({ op: "unfollow", command });
  };
}

/* Run a command. Resolves with the answer, rejects with {code, message, fields}. */
export function run(spec) {
  const key = ++ref;
  return new Promise((resolve, reject) => {
    waiting.set(key, { resolve, reject });
    send({ op: "run", ref: key, ...spec });
  });
}

function connect() {
  if (socket || timer) return;
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/`);
  socket.binaryType = "arraybuffer";
  socket.onopen = opened;
  socket.onmessage = received;
  socket.onclose = closed;
}

function opened() {
  heard = Date.now();
  announce("live");
  if (topics.size) send({ op: "watch", topics: [...topics.keys()] });
  for (const [command, handlers] of follows) send({ op: "follow", command, ...handlers.next() });
  // what changed between rendering the page and watching it is fetched too
  document.dispatchEvent(new CustomEvent("portal:resync", { detail: { first: !everOpen } }));
  everOpen = true;
}

function closed({ code }) {
  socket = null;
  if (code === 4401) return location.reload(); // signed out: the page leads to the login
  for (const { reject } of waiting.values()) {
    reject({ code: "disconnected", message: "The connection broke. Look into the history before running it again." });
  }
  waiting.clear();
  announce("away");
  // where sockets don't get through, pages still look again at each attempt
  if (attempt > 1) document.dispatchEvent(new CustomEvent("portal:refresh"));
  const pause = Math.min(15_000, 400 * 2 ** attempt++) * (0.5 + Math.random() / 2);
  timer = setTimeout(() => { timer = 0; connect(); }, pause);
}

function received({ data }) {
  heard = Date.now();
  attempt = 0;
  if (data instanceof ArrayBuffer) return bytes(data);
  const message = JSON.parse(data);
  const handlers = follows.get(message.command);
  switch (message.op) {
    case "changed": topics.get(message.topic)?.forEach((callback) => callback()); break;
    case "resync": document.dispatchEvent(new CustomEvent("portal:resync", { detail: {} })); break;
    case "gap": handlers?.gap(message); break;
    case "end": follows.delete(message.command); handlers?.end(message); break;
    case "started": answer(message, "resolve"); break;
    case "error": answer(message, "reject"); break;
  }
}

function answer(message, how) {
  waiting.get(message.ref)?.[how](message);
  waiting.delete(message.ref);
}

function bytes(buffer) {
  const view = new DataView(buffer);
  const hex = Array.from(new Uint8Array(buffer, 1, 16), (b) => b.toString(16).padStart(2, "0")).join("");
  const id = hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
  const offset = Number(view.getBigUint64(17));
  follows.get(id)?.data(STREAMS[view.getUint8(0)], offset, new Uint8Array(buffer, 25));
}

function announce(state) {
  document.dispatchEvent(new CustomEvent("portal:connection", { detail: { state } }));
}

function wake() {
  if (timer) { clearTimeout(timer); timer = 0; attempt = 0; connect(); }
  else if (live() && Date.now() - heard > PING) send({ op: "ping" });
}

setInterval(() => {
  if (!live()) return;
  if (Date.now() - heard > SILENCE) socket.close();
  else send({ op: "ping" });
}, PING);
addEventListener("online", wake);
addEventListener("pageshow", wake);
document.addEventListener("visibilitychange", () => document.hidden || wake());
