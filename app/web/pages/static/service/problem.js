// What the page says when there is no picture to show.

/** A failed call: the fields of problem details (RFC 9457), or what is known without them. */
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
  if (problem.retryAfter) lines.push(`The service asks you to wait ${problem.retryAfter} s before you try again.`);
  if (problem.status >= 500 && problem.requestId) lines.push(`Request ID: ${problem.requestId}.`);
  place.replaceChildren(
    Object.assign(document.createElement("strong"), { textContent: problem.title }),
    Object.assign(document.createElement("span"), { textContent: lines.join(" ") }),
  );
  if (problem.type?.startsWith("/problems/")) {
    const href = problem.type.slice(1); // relative, so that it works behind a path prefix
    place.append(Object.assign(document.createElement("a"), { href, textContent: "What this means" }));
  }
  place.hidden = false;
}

/** Remove an error. */
export function hideProblem(place) {
  place.hidden = true;
  place.replaceChildren();
}
