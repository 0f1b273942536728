/* 발표 자료를 켜고, 넘치는 장은 글자를 한 단계씩, 그래도 넘치면 그림을 남은 자리만큼 줄입니다.
   첫 장을 보이는 데 필요 없는 것(그림, 수식, 발표자 화면, 드문 글자의 글꼴)은 그 뒤에 모두 받습니다. 그래서 넘길 때 기다리지 않고,
   다 받은 뒤에는 네트워크가 끊겨도 됩니다. */
(function () {
  "use strict";
  var root = document.body.dataset.root + "/_static/";
  function overflows(section) {
    return section.scrollHeight > section.clientHeight + 1 || section.scrollWidth > section.clientWidth + 1;
  }
  function fit(section) {
    var hidden = section.style.display, image = section.querySelector("img");
    section.classList.remove("fit-1", "fit-2", "fit-3");
    if (image) { image.style.height = ""; }
    section.style.setProperty("display", section.classList.contains("title-slide") ? "flex" : "block", "important");
    for (var step = 1; step <= 3 && overflows(section); step += 1) {
      section.classList.remove("fit-" + (step - 1));
      section.classList.add("fit-" + step);
    }
    var room = image && image.clientHeight - (section.scrollHeight - section.clientHeight);
    if (overflows(section) && room >= 200) { image.style.height = room + "px"; }  /* 200px보다 작은 그림은 읽을 수 없습니다 */
    section.dataset.fits = overflows(section) ? "no" : "yes";
    section.style.display = hidden;
  }
  function fitAll() {
    document.querySelectorAll(".reveal .slides section").forEach(fit);
    Reveal.layout();
  }
  function add(tag, values) {
    return new Promise(function (done) {
      var element = Object.assign(document.createElement(tag), values);
      element.onload = element.onerror = done;
      (tag === "link" ? document.head : document.body).appendChild(element);
    });
  }
  function script(name) { return add("script", { src: root + name }); }
  function math() {
    if (document.body.dataset.math !== "yes") { return Promise.resolve(); }
    window.MathJax = { startup: { typeset: true }, options: { enableMenu: false } };
    return script("vendor/mathjax/tex-chtml.js").then(function () { return window.MathJax.startup.promise; });
  }
  function picture(image) {
    image.loading = "eager";
    return image.complete ? null : new Promise(function (done) { image.onload = image.onerror = done; });
  }
  Reveal.initialize({
    width: 1280, height: 720, margin: 0, center: false, hash: true, transition: "none",
    slideNumber: "c/t", pdfSeparateFragments: false, controlsTutorial: false
  });
  var loaded = new Promise(function (done) {
    if (document.readyState === "complete") { done(); } else { window.addEventListener("load", done); }
  });
  loaded.then(function () {
    fitAll();
    document.body.dataset.deck = "shown";
    return Promise.all([
      script("vendor/reveal/notes.js").then(function () { Reveal.registerPlugin(RevealNotes); }),
      add("link", { rel: "stylesheet", href: root + "fonts/pretendard/pretendard.css" }),
      math()
    ].concat(Array.prototype.map.call(document.querySelectorAll(".reveal img"), picture)));
  }).then(function () { return document.fonts.ready; }).then(function () {
    fitAll();
    document.body.dataset.deck = "ready";
  });
})();
