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
    entries.forEach(function (entry) {
      var outer = entry.section.parentElement.closest("section");
      entry.outer = entries.some(function (other) { return other.section === outer; }) ? outer : null;
    });
    function update() {
      var box = article.getBoundingClientRect(), room = box.height - window.innerHeight, here = null;
      // 두 화면에 다 들어오는 쪽에는 막대가 쓸모없습니다.
      bar.style.transform = "scaleX(" + (room < window.innerHeight ? 0 : Math.min(1, Math.max(0, -box.top / room))) + ")";
      // 휴대전화는 화면 밖의 절을 그리지 않습니다(book.css). 그 안의 자리를 물으면 그리게 되므로, 지나온 절의 안만 묻습니다.
      entries.forEach(function (entry) {
        if (entry.outer && !(here && entry.outer.contains(here))) { return; }
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
    soon();
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
  // 용어의 뜻: title은 마우스에만 보입니다. 자판으로 링크에 와도 보이고, Esc로 닫힙니다.
  function showMeanings() {
    var box = document.createElement("div"), owner = null;
    box.className = "term-meaning";
    box.id = "term-meaning";
    box.setAttribute("role", "tooltip");
    box.hidden = true;
    document.body.appendChild(box);
    function hide() {
      if (owner) { owner.removeAttribute("aria-describedby"); }
      owner = null;
      box.hidden = true;
    }
    function show(link) {
      hide();
      owner = link;
      box.textContent = link.dataset.meaning;
      box.hidden = false;
      link.setAttribute("aria-describedby", box.id);
      var at = link.getClientRects()[0], room = document.documentElement.clientWidth - box.offsetWidth - 8;
      var below = at.bottom + box.offsetHeight + 8 < window.innerHeight;
      box.style.left = window.scrollX + Math.max(8, Math.min(at.left, room)) + "px";
      box.style.top = window.scrollY + (below ? at.bottom + 4 : at.top - box.offsetHeight - 4) + "px";
    }
    document.querySelectorAll("article a[href*='glossary.html#term'][title]").forEach(function (link) {
      link.dataset.meaning = link.title;
      link.removeAttribute("title");
      link.addEventListener("focus", function () { if (link.matches(":focus-visible")) { show(link); } });
      link.addEventListener("blur", hide);
      link.addEventListener("pointerenter", function (event) { if (event.pointerType === "mouse") { show(link); } });
      link.addEventListener("pointerleave", function () { if (document.activeElement !== link) { hide(); } });
    });
    document.addEventListener("keydown", function (event) { if (event.key === "Escape") { hide(); } });
  }
  // 그림을 누르면 창에서 크게 봅니다. 처음에는 창에 맞추고, 한 번 더 누르면 두 배로 키워 밀어 봅니다.
  function zoomFigures() {
    var figures = Array.prototype.filter.call(document.querySelectorAll(".bd-article .cell_output img, .bd-article img.figure"), function (image) {
      return !image.closest("a");
    });
    if (!figures.length || !window.HTMLDialogElement) { return; }
    var dialog = document.createElement("dialog");
    dialog.className = "figure-zoom";
    dialog.setAttribute("aria-label", "그림 크게 보기");
    dialog.innerHTML = '<p><button type="button" class="zoom-size"></button><button type="button" class="zoom-close">닫기</button></p>'
      + '<div class="zoom-room" tabindex="0" role="group" aria-label="큰 그림"><img alt=""></div>';
    document.body.appendChild(dialog);
    var size = dialog.querySelector(".zoom-size"), large = dialog.querySelector("img"), room = dialog.querySelector(".zoom-room");
    function resize(big) {
      dialog.classList.toggle("zoomed", big);
      size.textContent = big ? "창에 맞추기" : "두 배로";
      if (big) { room.scrollLeft = (room.scrollWidth - room.clientWidth) / 2; }
    }
    function toggle() { resize(!dialog.classList.contains("zoomed")); }
    size.addEventListener("click", toggle);
    large.addEventListener("click", toggle);
    dialog.querySelector(".zoom-close").addEventListener("click", function () { dialog.close(); });
    dialog.addEventListener("click", function (event) { if (event.target === dialog) { dialog.close(); } });
    figures.forEach(function (image) {
      var link = document.createElement("a");
      link.href = image.src;
      link.className = "figure-link";
      image.parentNode.insertBefore(link, image);
      link.appendChild(image);
      link.addEventListener("click", function (event) {
        if (event.ctrlKey || event.metaKey || event.shiftKey) { return; }
        event.preventDefault();
        large.src = image.src;
        large.alt = image.alt;
        resize(false);
        dialog.showModal();
      });
    });
  }
  // 질문의 '쪽과 절' 칸에 지금 읽고 있는 절까지 적습니다.
  function askAboutSection() {
    document.querySelectorAll("a[data-ask]").forEach(function (link) {
      link.addEventListener("click", function () {
        var here = document.querySelector("#pst-page-toc-nav a[aria-current]");
        var address = new URL(link.href);
        address.searchParams.set("page", link.dataset.ask + (here ? ", '" + here.textContent.trim() + "'" : ""));
        link.href = address.href;
      });
    });
  }
  document.body.removeAttribute("data-bs-spy");
  document.addEventListener("DOMContentLoaded", function () {
    translate(document);
    followReading();
    copyAddresses();
    askAboutSection();
    showMeanings();
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
    // 옆으로 넘치는 표, 코드, 수식, 그림은 끝까지 밀기 전에는 끝을 흐립니다. 보이는 것만, 모두 재고 나서 모두 칠합니다.
    var inView = new Set();
    function mark(elements) {
      var over = elements.map(function (e) { return e.scrollLeft + e.clientWidth < e.scrollWidth - 2; });
      elements.forEach(function (e, i) { e.classList.toggle("scrolls-on", over[i]); });
    }
    var seen = new IntersectionObserver(function (found) {
      found.forEach(function (entry) { if (entry.isIntersecting) { inView.add(entry.target); } else { inView.delete(entry.target); } });
      mark(Array.from(inView));
    });
    function watchOverflow(element) {
      if (element.dataset.watched) { return; }
      element.dataset.watched = "yes";
      element.addEventListener("scroll", function () { mark([element]); }, { passive: true });
      seen.observe(element);
    }
    window.addEventListener("resize", function () { mark(Array.from(inView)); });
    zoomFigures();
    document.querySelectorAll(".table-scroll, div.highlight pre, .figure-link").forEach(watchOverflow);
    // 넘치는 코드, 출력, 수식은 자판으로도 밀 수 있게 합니다. 그린 절의 것만, 모두 재고 나서 모두 씁니다.
    // 테마의 것은 하나 재고 하나 쓰기를 되풀이해 휴대전화를 1초 넘게 멈추므로 뺐습니다(light.py).
    var boxes = "pre, .cell_output > .output, .jp-RenderedHTMLCommon, .pst-scrollable-table-container, mjx-container[display='true']";
    function reach() {
      var drawn = Array.from(document.querySelectorAll(boxes)).filter(function (box) {
        return !box.checkVisibility || box.checkVisibility({ contentVisibilityAuto: true });
      });
      var over = drawn.map(function (box) { return box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight; });
      drawn.forEach(function (box, i) {
        if (over[i] && box.tagName === "MJX-CONTAINER") { watchOverflow(box); }
        if (over[i] !== (box.tabIndex === 0)) { if (over[i]) { box.tabIndex = 0; } else { box.removeAttribute("tabindex"); } }
      });
    }
    var later = null;
    function reachSoon() { window.clearTimeout(later); later = window.setTimeout(reach, 100); }
    window.addEventListener("load", reachSoon);
    window.addEventListener("resize", reachSoon);
    document.addEventListener("math-drawn", reachSoon);
    ["contentvisibilityautostatechange", "toggle"].forEach(function (shown) { document.addEventListener(shown, reachSoon, true); });
    new MutationObserver(reachSoon).observe(document.getElementById("main-content"), { subtree: true, childList: true });
  });
})();
