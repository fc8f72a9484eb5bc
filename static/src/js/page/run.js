/*
 * The command box: Enter runs, Shift+Enter starts a line, the arrow keys recall earlier lines. A run
 * goes over the socket and its output into the panel below; without a socket the form is sent as usual.
 *
 *   <form data-runner="SANDBOX-ID" data-panel="panel-id" method="post"><textarea name="command">…</form>
 *   <template data-earlier>one <li> per earlier command line, newest first</template>
 */
import { now } from "./times.js";
import { live, run } from "./socket.js";
import { open } from "../output/panel.js";
import { attach, refresh, refreshAll } from "./live.js";

for (const form of document.querySelectorAll("[data-runner]")) start(form);

function start(form) {
  const box = form.elements.command;
  const earlier = [...document.querySelector("template[data-earlier]").content.querySelectorAll("li")].map((item) => item.textContent);
  let at = -1;
  let draft = "";

  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    }
    const up = event.key === "ArrowUp" && !box.value.slice(0, box.selectionStart).includes("\n");
    const down = event.key === "ArrowDown" && !box.value.slice(box.selectionEnd).includes("\n") && at >= 0;
    if ((up && at < earlier.length - 1) || down) {
      event.preventDefault();
      if (at < 0) draft = box.value;
      at += up ? 1 : -1;
      box.value = at < 0 ? draft : earlier[at];
      box.setSelectionRange(box.value.length, box.value.length);
    }
  });

  form.addEventListener("submit", async (event) => {
    const command = box.value;
    if (!live() || form.querySelector("fieldset").disabled) return;
    event.preventDefault();
    wrong(form, null);
    if (!command.trim()) return;
    const sent = performance.now();
    try {
      const spec = { sandbox: form.dataset.runner, command, stdin: true };
      if (form.elements.working_dir.value) spec.working_dir = form.elements.working_dir.value;
      if (form.elements.timeout.value) spec.timeout = Number(form.elements.timeout.value);
      const { command: id } = await run(spec);
      if (box.value === command) box.value = "";
      if (earlier[0] !== command) earlier.unshift(command);
      at = -1;
      show(form, id, command);
      form.dataset.latency = Math.round(performance.now() - sent);
    } catch (error) {
      wrong(form, error);
      refreshAll();
    }
  });
}

/* The new command takes the panel: its line at once, the rest of its head from the server. */
function show(form, id, command) {
  const panel = document.getElementById(form.dataset.panel);
  const head = panel.querySelector("[data-head]");
  const line = head.querySelector("[data-line]");
  panel.hidden = false;
  if (line) line.textContent = command;
  const since = head.querySelector("time[data-since], [data-took]");
  if (since) since.textContent = "0.0 s";
  head.dataset.live = `command/${id} sandbox/${form.dataset.runner}`;
  head.dataset.liveUrl = `/commands/${id}/?fragment=head`;
  head.dataset.at = new Date(now()).toISOString();
  open(panel.querySelector("[data-output]"), id, { started: true });
  attach(head);
  refresh(head);
  panel.scrollIntoView({ block: "nearest" });
}

function wrong(form, error) {
  const place = form.querySelector("[data-wrong]");
  place.textContent = error ? Object.values(error.fields ?? {})[0] ?? error.message : "";
  place.hidden = !error;
}
