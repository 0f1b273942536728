/* 방법 선택 지도: 한 번에 하나씩 묻고, '예'이면 아래에 적힌 답을 그 자리에 보입니다. */
(function () {
  "use strict";
  document.querySelectorAll(".method-quiz").forEach(function (quiz) {
    var steps = JSON.parse(quiz.dataset.steps), last = steps.length - 1, at = 0, answered = false;
    var count = quiz.querySelector(".quiz-count"), ask = quiz.querySelector(".quiz-ask"), panel = quiz.querySelector(".quiz-answer");
    function button(say) { return quiz.querySelector("[data-say='" + say + "']"); }
    function answer(step) {
      var copy = document.getElementById(step.id).cloneNode(true);
      copy.querySelectorAll("[id]").forEach(function (element) { element.removeAttribute("id"); });
      copy.querySelectorAll(".headerlink, .method-ask, .copybtn").forEach(function (element) { element.remove(); });
      panel.replaceChildren.apply(panel, Array.prototype.slice.call(copy.childNodes));
    }
    function show() {
      var stopped = at === last;
      count.textContent = answered || stopped ? "답" : "물음 " + (at + 1) + " / " + last;
      ask.textContent = steps[at].ask;
      panel.hidden = !(answered || stopped);
      if (panel.hidden) { panel.replaceChildren(); } else { answer(steps[at]); }
      button("yes").hidden = button("no").hidden = !panel.hidden;
      button("back").hidden = at === 0 && !answered;
    }
    function focusFirst() {
      var first = quiz.querySelector("button:not([hidden])");
      if (first) { first.focus({ preventScroll: true }); }
    }
    quiz.addEventListener("click", function (event) {
      var say = event.target.dataset && event.target.dataset.say;
      if (!say) { return; }
      if (say === "yes") { answered = true; }
      if (say === "no") { at += 1; }
      if (say === "back") { if (answered) { answered = false; } else { at -= 1; } }
      show();
      if (event.target.hidden) { focusFirst(); }
    });
  });
})();
