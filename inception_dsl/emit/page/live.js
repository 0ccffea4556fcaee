"use strict";
// The page of a spec that is being edited: its server says when there is another page, and what is
// wrong with the text. A page that is shown again stands where its reader had left it.

const PLACE = "inception-dsl place";

function showFindings(findings) {
  document.getElementById("findings")?.remove();
  document.querySelectorAll(".wrong").forEach((box) => box.classList.remove("wrong"));
  if (!findings.length) return;
  const list = document.createElement("section");
  list.id = "findings";
  list.setAttribute("role", "alert");
  for (const finding of findings) {
    const item = document.createElement("p");
    item.className = finding.severity;
    item.textContent = `${finding.severity}[${finding.code}]: ${finding.message}`;
    const place = document.createElement("small");
    place.textContent = [finding.place, finding.help && `help: ${finding.help}`].filter(Boolean).join(" - ");
    item.append(place);
    list.append(item);
    markLine(finding);
  }
  document.querySelector("header").append(list);
}

// The boxes whose lines a finding is about, in the last figure that had none.
function markLine({ file, line }) {
  if (typeof network === "undefined" || !file) return;
  for (const box of boxes) {
    const written = network.lines[box.element.line];
    if (written?.[0] === file && written[1] === line) find(box.path)?.classList.add("wrong");
  }
}

const view = document.getElementById("view");
const place = JSON.parse(sessionStorage.getItem(PLACE) ?? "null");
if (place) view.scrollTo(place[0], place[1]);
sessionStorage.removeItem(PLACE);

new EventSource("events").addEventListener("message", (event) => {
  const news = JSON.parse(event.data);
  if (String(news.version) !== document.body.dataset.version) {
    sessionStorage.setItem(PLACE, JSON.stringify([view.scrollLeft, view.scrollTop]));
    location.reload();
  } else showFindings(news.findings);
});
