"use strict";
// Nothing needs this script: it copies code, opens what a link leads to, and unfolds everything.

function button(text, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", () => press(made));
  return made;
}

function tell(text) {
  document.getElementById("status").textContent = text;
}

// Code that can be copied gets a button. Where the clipboard cannot be had, the code is selected.
async function copy(code, pressed) {
  let done = true;
  try {
    await navigator.clipboard.writeText(code.textContent + "\n");
  } catch {
    getSelection().selectAllChildren(code);
    done = document.execCommand("copy");
  }
  const before = pressed.textContent;
  pressed.textContent = done ? "Copied" : "Selected: press Ctrl+C";
  tell(pressed.textContent);
  setTimeout(() => { pressed.textContent = before; }, 3000);
}

for (const box of document.querySelectorAll("pre[data-copy]")) {
  const code = box.querySelector("code");
  const made = button("Copy", (pressed) => copy(code, pressed));
  made.className = "copy";
  box.before(made);
}

// A link to something that is folded unfolds it.
function unfold() {
  const name = decodeURIComponent(location.hash.slice(1));
  const target = name && document.getElementById(name);
  if (!target) return;
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target.scrollIntoView();
}
addEventListener("hashchange", unfold);
unfold();

// One button for all that is folded, to read a whole page or to print it.
const folds = [...document.querySelectorAll("details")];
if (folds.length) {
  const all = button("", () => {
    const open = folds.some((fold) => !fold.open);
    for (const fold of folds) fold.open = open;
    tell(open ? "Everything is unfolded" : "Everything is folded");
  });
  all.className = "unfold";
  const label = () => {
    all.textContent = folds.some((fold) => !fold.open) ? "Unfold everything" : "Fold everything";
  };
  for (const fold of folds) fold.addEventListener("toggle", label);
  label();
  document.querySelector("main section, main details").before(all);
}

// Boxes that do not scroll need no stop of the Tab key.
function stops() {
  for (const box of document.querySelectorAll("pre, .scroll, .picture")) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
for (const fold of folds) fold.addEventListener("toggle", stops);
addEventListener("resize", stops);
stops();
