/*
 * The input line of a running command: sends a line without leaving the page.
 *
 *   <form data-input method="post" action="/commands/…/input/"><input name="line">…</form>
 */
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-input]");
  if (!form) return;
  event.preventDefault();
  const data = new FormData(form, event.submitter);
  const field = form.elements.line;
  field.value = "";
  const response = await fetch(form.action, { method: "POST", body: data, headers: { "HX-Request": "true" } }).catch(() => null);
  if (response?.ok) return;
  field.value = data.get("line");
  document.dispatchEvent(new CustomEvent("portal:toast", { detail: { text: "The input was not taken. Has the command ended?" } }));
});
