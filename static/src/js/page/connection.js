/*
 * Says whether the page is live. Quiet for the first two seconds away, so that a hiccup doesn't blink.
 *
 *   <p class="connection" data-connection role="status"><span>Live</span></p>
 */
const element = document.querySelector("[data-connection]");
let timer = 0;

function show(state) {
  element.dataset.state = state;
  const text = state === "live" ? "Live" : "Reconnecting…";
  if (element.firstElementChild.textContent !== text) element.firstElementChild.textContent = text;
}

if (element) {
  document.addEventListener("portal:connection", ({ detail }) => {
    clearTimeout(timer);
    if (detail.state === "live") show("live");
    else timer = setTimeout(() => show("away"), 2000);
  });
}
