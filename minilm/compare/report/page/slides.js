"use strict";
// Arrow keys, space, Page Up and Down, Home and End turn the screens; so does a click.
const screens = [...document.querySelectorAll("section")];
const place = document.getElementById("place");
let current = Math.min(Math.max(Number(location.hash.slice(1)) - 1 || 0, 0), screens.length - 1);

function show(number) {
  current = Math.min(Math.max(number, 0), screens.length - 1);
  screens.forEach((screen, i) => { screen.hidden = i !== current; });
  place.textContent = (current + 1) + " of " + screens.length + " (arrow keys)";
  history.replaceState(null, "", "#" + (current + 1));
  scrollTo(0, 0);
}

const steps = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, Enter: 1,
  ArrowLeft: -1, ArrowUp: -1, PageUp: -1, Backspace: -1 };

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Home") show(0);
  else if (event.key === "End") show(screens.length);
  else if (event.key in steps) show(current + (event.shiftKey ? -1 : 1) * steps[event.key]);
  else return;
  event.preventDefault();
});
addEventListener("click", () => { if (!getSelection().toString()) show(current + 1); });
addEventListener("hashchange", () => show(Number(location.hash.slice(1)) - 1 || 0));
show(current);
