/* 테마의 틀에 영어로 박혔거나 스크립트가 영어로 만드는 이름표를 우리말로 바꿉니다. 나머지는 locale/의 .po에 있습니다. */
(function () {
  "use strict";
  var names = {
    "Toggle primary sidebar": "차례 여닫기",
    "Toggle secondary sidebar": "이 쪽의 차례 여닫기",
    "Main": "차례", "Page": "이 쪽의 차례", "Copy": "복사", "Copy to clipboard": "복사", "Copied!": "복사했습니다"
  };
  function translate(root) {
    ["title", "aria-label", "data-bs-title", "data-bs-original-title", "data-tooltip"].forEach(function (attribute) {
      root.querySelectorAll("[" + attribute + "]").forEach(function (element) {
        var korean = names[element.getAttribute(attribute).trim()];
        if (korean) { element.setAttribute(attribute, korean); }
      });
    });
  }
  function translateText(element) {
    Array.prototype.forEach.call(element.childNodes, function (node) {
      var korean = node.nodeType === Node.TEXT_NODE && names[node.textContent.trim()];
      if (korean) { node.textContent = " " + korean; }
    });
  }
  document.addEventListener("DOMContentLoaded", function () {
    translate(document);
    document.querySelectorAll("summary > .toctree-toggle").forEach(function (toggle) {
      toggle.parentElement.setAttribute("aria-label", "아래 쪽 여닫기");
    });
    // 인쇄할 때는 접은 것을 펼칩니다.
    var opened = [];
    window.addEventListener("beforeprint", function () {
      opened = Array.prototype.filter.call(document.querySelectorAll("details:not([open])"), function (d) { d.open = true; return true; });
    });
    window.addEventListener("afterprint", function () { opened.forEach(function (d) { d.open = false; }); });
    document.querySelectorAll("button").forEach(translateText);
    window.setTimeout(function () { translate(document); document.querySelectorAll("button svg title").forEach(translateText); }, 300);
    // 옆으로 넘치는 표, 코드, 수식은 끝까지 밀기 전에는 끝을 흐립니다.
    function watchOverflow(element) {
      if (element.dataset.watched) { return; }
      element.dataset.watched = "yes";
      function mark() {
        element.classList.toggle("scrolls-on", element.scrollLeft + element.clientWidth < element.scrollWidth - 2);
      }
      element.addEventListener("scroll", mark, { passive: true });
      if (window.ResizeObserver) { new ResizeObserver(mark).observe(element); }
      mark();
    }
    document.querySelectorAll(".table-scroll, div.highlight pre").forEach(watchOverflow);
    // 좁은 화면에서는 그림을 눌러 제 크기로 봅니다.
    if (window.matchMedia && window.matchMedia("(max-width: 700px)").matches) {
      document.querySelectorAll(".bd-article .cell_output img").forEach(function (image) {
        if (image.closest("a")) { return; }
        var link = document.createElement("a");
        link.href = image.src;
        link.className = "figure-link";
        image.parentNode.insertBefore(link, image);
        link.appendChild(image);
      });
    }
    // 옆으로 넘치는 수식은 자판으로도 밀 수 있게 합니다.
    if (window.MathJax && window.MathJax.startup && window.MathJax.startup.promise) {
      window.MathJax.startup.promise.then(function () {
        document.querySelectorAll("mjx-container[display='true']").forEach(function (formula) {
          if (formula.scrollWidth > formula.clientWidth) { formula.tabIndex = 0; watchOverflow(formula); }
        });
      });
    }
  });
})();
