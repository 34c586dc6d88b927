// How a picture comes in: chosen, dropped anywhere on the page, or pasted.

/** Call `take` with the first file that comes in any of these ways. */
export function takeFiles(input, take) {
  const takeFirst = (files) => {
    if (files.length > 0) take(files[0]);
  };
  input.addEventListener("change", () => {
    takeFirst([...input.files]);
    input.value = ""; // so that the same file can be chosen again
  });
  document.addEventListener("paste", (event) => takeFirst(event.clipboardData.files));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    takeFirst(event.dataTransfer.files);
  });
}
