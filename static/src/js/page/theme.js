/*
 * The theme switch. The choice is a cookie, so that the server renders the right theme at once and
 * nothing flashes. "auto" follows the system.
 *
 *   <button data-theme-choice="dark" aria-pressed="false">Dark</button>
 */
const root = document.documentElement;

function mark() {
  const chosen = root.dataset.theme || "auto";
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", button.dataset.themeChoice === chosen);
  }
}

document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-theme-choice]")?.dataset.themeChoice;
  if (!choice) return;
  if (choice === "auto") delete root.dataset.theme;
  else root.dataset.theme = choice;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${choice}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  mark();
});
mark();
