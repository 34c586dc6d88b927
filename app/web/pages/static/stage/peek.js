// Show the picture before as long as a key or a button is held.

const KEY = "b";

/** Call `show` with true while the key, or the button, is held down, and with false after. */
export function peekWhileHeld(button, show) {
  const end = () => show(false);
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === KEY && !event.ctrlKey && !event.altKey && !event.metaKey && !takesText(event.target)) show(true);
  });
  document.addEventListener("keyup", end);
  addEventListener("blur", end);
  button.addEventListener("pointerdown", (event) => {
    button.setPointerCapture(event.pointerId);
    show(true);
  });
  button.addEventListener("lostpointercapture", end);
  button.addEventListener("contextmenu", (event) => event.preventDefault()); // of a long press
  button.addEventListener("keydown", (event) => {
    if (event.key === " " || event.key === "Enter") show(true);
  });
}

function takesText(element) {
  return element.matches("select, textarea, input:not([type=range], [type=checkbox], [type=radio])");
}
