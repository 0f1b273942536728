/* 수식은 독자가 다가갈 때 그립니다. MathJax(680KB)를 읽고 온 쪽을 조판하는 동안 느린 휴대전화는 1초 가까이 멈추는데,
   첫 화면에 수식이 있는 쪽은 드뭅니다. 수식이 한 화면 안으로 다가오거나, 독자가 밀거나 누르거나, 인쇄할 때 시작합니다.
   MathJax.startup.promise를 묻는 것도 그려 달라는 뜻으로 받아, 기다리는 쪽(시험, 인쇄)은 전과 같이 기다리면 됩니다. */
(function () {
  "use strict";
  var source = document.currentScript.dataset.mathjax, drawing = null;
  var moves = ["scroll", "pointerdown", "keydown", "touchstart"];
  function draw() {
    drawing = drawing || new Promise(function (resolve, reject) {
      var script = document.createElement("script");
      script.src = source;
      script.onload = resolve;
      script.onerror = function () { reject(new Error("수식을 그리는 프로그램을 받지 못했습니다.")); };
      document.head.appendChild(script);
    }).then(function () { return window.MathJax.startup.promise; }).then(function () {
      document.dispatchEvent(new Event("math-drawn"));
    });
    return drawing;
  }
  function start() {
    moves.forEach(function (name) { window.removeEventListener(name, start); });
    near.disconnect();
    draw();
  }
  var near = new IntersectionObserver(function (entries) {
    if (entries.some(function (entry) { return entry.isIntersecting; })) { start(); }
  }, { rootMargin: "100% 0px" });
  window.MathJax = window.MathJax || {};
  window.MathJax.startup = Object.defineProperty({}, "promise", { get: draw });
  moves.forEach(function (name) { window.addEventListener(name, start, { passive: true }); });
  window.addEventListener("beforeprint", start);
  document.querySelectorAll("main .math").forEach(function (formula) { near.observe(formula); });
})();
