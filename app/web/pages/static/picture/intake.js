// How pictures come in: chosen, dropped anywhere on the page, or pasted.

/** Call `take` with all files that come in one of these ways. */
export function takeFiles(input, take) {
  const takeAny = (files) => {
    if (files.length > 0) take([...files]);
  };
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = ""; // so that the same files can be chosen again
    takeAny(files);
  });
  document.addEventListener("paste", (event) => takeAny(event.clipboardData.files));
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
    takeAny(event.dataTransfer.files);
  });
}
