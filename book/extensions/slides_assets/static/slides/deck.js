/* 발표 자료를 켜고, 넘치는 장은 글자를 한 단계씩, 그래도 넘치면 그림을 남은 자리만큼 줄입니다. */
(function () {
  "use strict";
  function overflows(section) {
    return section.scrollHeight > section.clientHeight + 1 || section.scrollWidth > section.clientWidth + 1;
  }
  function fit(section) {
    var hidden = section.style.display;
    section.style.setProperty("display", section.classList.contains("title-slide") ? "flex" : "block", "important");
    for (var step = 1; step <= 3 && overflows(section); step += 1) {
      section.classList.remove("fit-" + (step - 1));
      section.classList.add("fit-" + step);
    }
    var image = section.querySelector("img");
    var room = image && image.clientHeight - (section.scrollHeight - section.clientHeight);
    if (overflows(section) && room >= 200) { image.style.height = room + "px"; }  /* 200px보다 작은 그림은 읽을 수 없습니다 */
    section.dataset.fits = overflows(section) ? "no" : "yes";
    section.style.display = hidden;
  }
  var ready = [document.fonts ? document.fonts.ready : Promise.resolve()];
  if (window.MathJax && window.MathJax.startup) { ready.push(window.MathJax.startup.promise); }
  document.querySelectorAll(".reveal img").forEach(function (image) {
    if (!image.complete) {
      ready.push(new Promise(function (done) { image.onload = image.onerror = done; }));
    }
  });
  Reveal.initialize({
    width: 1280, height: 720, margin: 0, center: false, hash: true, transition: "none",
    slideNumber: "c/t", plugins: [RevealNotes], pdfSeparateFragments: false, controlsTutorial: false
  });
  Promise.all(ready).then(function () {
    document.querySelectorAll(".reveal .slides > section").forEach(fit);
    Reveal.layout();
    document.body.dataset.deck = "ready";
  });
})();
