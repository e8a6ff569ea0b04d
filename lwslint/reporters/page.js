"use strict";
const form = document.getElementById("filters");
if (form) {
  const findings = [...document.querySelectorAll("article")];
  const apply = () => {
    const severities = new Set([...form.querySelectorAll("[name=severity]:checked")].map((box) => box.value));
    const rule = form.elements.rule.value;
    const path = form.elements.path.value.toLowerCase();
    let shown = 0;
    for (const finding of findings) {
      const section = finding.parentElement;
      const passes =
        severities.has(finding.dataset.severity) &&
        (rule === "" || finding.dataset.rule === rule) &&
        section.dataset.path.toLowerCase().includes(path);
      finding.hidden = !passes;
      shown += passes ? 1 : 0;
    }
    for (const section of document.querySelectorAll("section[data-path]")) {
      section.hidden = section.querySelector("article:not([hidden])") === null;
    }
    document.getElementById("nothing").hidden = shown > 0;
    document.getElementById("shown").value = `${shown} of ${findings.length} shown`;
  };
  // A link to a finding that the filter hides shows everything again.
  const reveal = () => {
    const target = /^#f\d+/.test(location.hash) && document.querySelector(location.hash);
    if (target && target.closest("[hidden]")) {
      form.reset();
      apply();
      target.scrollIntoView();
    }
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", reveal);
  form.hidden = false;
  apply();
  reveal();
}
