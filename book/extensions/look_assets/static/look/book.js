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
  // 읽고 있는 자리: 위쪽 셋째 줄(화면의 30%)을 지난 마지막 제목. 테마의 것은 건너뛴 절에서 앞 절을 가리키므로 쓰지 않습니다.
  function followReading() {
    var article = document.querySelector("article.bd-article");
    if (!article) { return; }
    var bar = document.createElement("div");
    bar.className = "reading-progress";
    document.body.appendChild(bar);
    var entries = Array.prototype.map.call(document.querySelectorAll("#pst-page-toc-nav a[href^='#']"), function (link) {
      return { link: link, section: document.getElementById(decodeURIComponent(link.hash.slice(1))) };
    }).filter(function (entry) { return entry.section; });
    function update() {
      var box = article.getBoundingClientRect(), room = box.height - window.innerHeight, here = null;
      // 두 화면에 다 들어오는 쪽에는 막대가 쓸모없습니다.
      bar.style.transform = "scaleX(" + (room < window.innerHeight ? 0 : Math.min(1, Math.max(0, -box.top / room))) + ")";
      entries.forEach(function (entry) {
        if (entry.section.getBoundingClientRect().top <= window.innerHeight * 0.3) { here = entry.section; }
      });
      entries.forEach(function (entry) {
        var on = here !== null && entry.section.contains(here);
        entry.link.classList.toggle("active", on);
        if (here === entry.section) { entry.link.setAttribute("aria-current", "true"); } else { entry.link.removeAttribute("aria-current"); }
      });
    }
    var waiting = false;
    function soon() {
      if (waiting) { return; }
      waiting = true;
      window.requestAnimationFrame(function () { waiting = false; update(); });
    }
    window.addEventListener("scroll", soon, { passive: true });
    window.addEventListener("resize", soon);
    update();
  }
  // 제목의 #을 누르면 그 자리로 가면서 주소를 복사합니다. 한글이 %EC로 바뀌지 않게 풀어서 넣습니다.
  function copyAddresses() {
    var status = document.createElement("p");
    status.className = "visually-hidden";
    status.setAttribute("role", "status");
    document.body.appendChild(status);
    document.querySelectorAll("article .headerlink").forEach(function (link) {
      if (!/^H[1-4]$/.test(link.parentElement.tagName) || !navigator.clipboard) { return; }
      link.title = "이 제목의 주소 복사";
      link.addEventListener("click", function () {
        var address = link.href.split("#")[0] + "#" + decodeURIComponent(link.hash.slice(1));
        navigator.clipboard.writeText(address).then(function () {
          status.textContent = "주소를 복사했습니다";
          link.classList.add("copied");
          window.setTimeout(function () { link.classList.remove("copied"); status.textContent = ""; }, 2000);
        }, function () {});
      });
    });
  }
  document.body.removeAttribute("data-bs-spy");
  document.addEventListener("DOMContentLoaded", function () {
    translate(document);
    followReading();
    copyAddresses();
    document.querySelectorAll("summary > .toctree-toggle").forEach(function (toggle) {
      toggle.parentElement.setAttribute("aria-label", "아래 쪽 여닫기");
    });
    // 인쇄할 때는 접은 것을 펼치고, 어두운 화면에서도 밝은 색으로 찍습니다. 다 찍으면 되돌립니다.
    var opened = [], theme = null;
    function beforePrint() {
      if (theme === null) { theme = document.documentElement.dataset.theme || "light"; }
      document.documentElement.dataset.theme = "light";
      document.querySelectorAll("details:not([open])").forEach(function (d) { d.open = true; opened.push(d); });
    }
    function afterPrint() {
      if (theme !== null) { document.documentElement.dataset.theme = theme; }
      opened.forEach(function (d) { d.open = false; });
      opened = [];
      theme = null;
    }
    window.addEventListener("beforeprint", beforePrint);
    window.addEventListener("afterprint", afterPrint);
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
