(function () {
  "use strict";
  function reveal() {
    var target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (var node = target.parentElement; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") node.open = true;
    }
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", reveal);
  if (window.matchMedia("(max-width: 70rem)").matches) {
    var contents = document.querySelector("nav details");
    if (contents) contents.open = false;
  }
  var closed = [];
  window.addEventListener("beforeprint", function () {
    closed = Array.prototype.slice.call(document.querySelectorAll("main details:not([open])"));
    closed.forEach(function (fold) { fold.open = true; });
  });
  window.addEventListener("afterprint", function () {
    closed.forEach(function (fold) { fold.open = false; });
  });
  document.querySelectorAll(".chart").forEach(function (holder) {
    var spec = JSON.parse(holder.firstElementChild.textContent);
    var still = holder.previousElementSibling;
    spec.width = "container";
    holder.hidden = false;
    vegaEmbed(holder, spec, { actions: false, ast: true, renderer: "svg", logLevel: 1 }).then(
      function () { still.hidden = true; },
      function () { holder.hidden = true; }
    );
  });
  reveal();
})();
