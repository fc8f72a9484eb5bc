/*
 * Small manners of forms: filters apply themselves on change, a form is sent once, and what an action
 * answered is said by its alert.
 *
 *   <form method="get" data-autosubmit>…</form>
 *   <form method="post" data-once>…</form>
 */
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-autosubmit]");
  if (form && event.target.matches("select")) form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-once]");
  if (!form) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  form.querySelector("[type=submit]")?.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// after an action: close the question it came from, clear the alert of the last one
document.addEventListener("htmx:after:request", (event) => {
  event.target.closest?.("[popover]")?.hidePopover();
  if (event.detail.ctx?.response?.status < 400) document.getElementById("alerts")?.replaceChildren();
});
document.addEventListener("click", (event) => {
  const close = event.target.closest("[data-dismiss]");
  if (close) close.closest(".alert").remove();
});
