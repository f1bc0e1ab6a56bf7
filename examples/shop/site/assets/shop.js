// Opens and closes the menu on small screens. Listening on the document keeps it working
// whatever the page around the button has been turned into.
document.documentElement.classList.add("js");

document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".menu-toggle");
  if (button) setMenu(button, button.getAttribute("aria-expanded") !== "true");
});

document.addEventListener("keydown", (event) => {
  const button = document.querySelector('.menu-toggle[aria-expanded="true"]');
  if (event.key !== "Escape" || !button) return;
  setMenu(button, false);
  button.focus();
});

function setMenu(button, open) {
  button.setAttribute("aria-expanded", String(open));
  document.getElementById("menu")?.classList.toggle("menu--open", open);
}
