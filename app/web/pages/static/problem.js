// What a person is told when there is no picture to show.

/** An answer that is no picture: the fields of problem details (RFC 9457), or what is known without them. */
export class Problem extends Error {
  constructor({ title, detail, type = null, status = null, retryAfter = null, requestId = null }) {
    super(title);
    Object.assign(this, { title, detail, type, status, retryAfter, requestId });
  }
}

/** Show an error in `place`, with a link to the page that explains it if there is one. */
export function showProblem(place, error) {
  const problem = error instanceof Problem ? error : new Problem({ title: "This page failed", detail: error.message });
  const lines = [problem.detail];
  if (problem.retryAfter) lines.push(`The service asks to wait ${problem.retryAfter} s before another try.`);
  if (problem.status >= 500 && problem.requestId) lines.push(`Request ${problem.requestId}.`);
  place.replaceChildren(
    Object.assign(document.createElement("strong"), { textContent: problem.title }),
    Object.assign(document.createElement("span"), { textContent: lines.join(" ") }),
  );
  if (problem.type?.startsWith("/problems/")) {
    const href = problem.type.slice(1); // relative, behind a path prefix too
    place.append(Object.assign(document.createElement("a"), { href, textContent: "What this means" }));
  }
  place.hidden = false;
}

/** Take an error away. */
export function hideProblem(place) {
  place.hidden = true;
  place.replaceChildren();
}
