/* 답 칸. 규칙과 말은 causal_practice/answers.py의 것입니다. 고치면 둘을 함께 고치세요(tests/book/test_answer_box.py가 견줍니다). */
(function () {
  "use strict";
  var PLACES = ["정수", "소수점 첫째 자리", "소수점 둘째 자리", "소수점 셋째 자리", "소수점 넷째 자리", "소수점 다섯째 자리", "소수점 여섯째 자리"];
  var SAME_WORDS = [
    ["예", "네", "넵", "그렇다", "맞다", "맞습니다", "그렇습니다", "yes", "y", "true", "참", "o"],
    ["아니요", "아니오", "아뇨", "아니", "아니다", "아닙니다", "no", "n", "false", "거짓", "x"]
  ];
  var NUMBER = /^(?:약|대략)?\s*([+-]?(?:\d[\d,]*)?\.?\d+(?:e[+-]?\d+)?)\s*([^\d.,]*)$/i;
  var SCALE_WORD = /[십백천만억]/;
  var SCALES = [
    [100, "백분율로 적은 듯합니다. 비율(0과 1 사이)로 적어 주세요."],
    [0.01, "비율로 적은 듯합니다. 100을 곱해 백분율로 적어 주세요."],
    [1000, "값이 1,000배입니다. 원과 천 원처럼 단위의 자리를 다시 보세요."],
    [0.001, "값이 1,000분의 1입니다. 천 원과 백만 원처럼 단위의 자리를 다시 보세요."],
    [10, "값이 10배입니다. 만 원을 천 원으로 적었는지 보세요."],
    [0.1, "값이 10분의 1입니다. 천 원을 만 원으로 적었는지 보세요."],
    [10000, "값이 10,000배입니다. 만 원을 원으로 적었는지 보세요."],
    [0.0001, "값이 10,000분의 1입니다. 원을 만 원으로 적었는지 보세요."]
  ];
  var STEPS = [1000, 100, 10, 1, 0.1, 0.01, 0.001, 0.0001, 0.00001, 0.000001];

  function isText(value) { return typeof value === "string"; }
  function isNumber(value) { return typeof value === "number"; }
  function isFlag(value) { return typeof value === "boolean"; }
  function isAny(value) { return value !== null && typeof value === "object" && Array.isArray(value.any); }

  // --- 답을 한 꼴로 ---
  function plain(value) {
    while (Array.isArray(value) && value.length === 1) { value = value[0]; }
    return value;
  }
  function strip(text, marks) {
    var start = 0, end = text.length;
    while (start < end && marks.indexOf(text[start]) >= 0) { start += 1; }
    while (end > start && marks.indexOf(text[end - 1]) >= 0) { end -= 1; }
    return text.slice(start, end);
  }
  function word(text) {
    return text.normalize("NFKC").replace(/[\s.,!?'"“”‘’`·]/g, "").toLowerCase().replace(/(.)(?:입니다|이다)$/, "$1");
  }
  function read(value) {
    if (isNumber(value)) { return { value: value, unit: "" }; }
    if (!isText(value)) { return null; }
    var text = value.normalize("NFKC").replace(/[−–]/g, "-").trim();
    var found = NUMBER.exec(strip(text, "[](){}").trim());
    if (!found || SCALE_WORD.test(found[2])) { return null; }
    return { value: Number(found[1].replace(/,/g, "")), unit: found[2].trim() };
  }
  function many(value) {
    if (Array.isArray(value)) { return value; }
    var comma = isText(value) && value.indexOf(",") >= 0;
    if (isText(value) && (comma || value.trim().split(/\s+/).length > 1)) {
      return strip(value, "{}[]() ").split(comma ? "," : /\s+/).filter(function (part) { return part.trim(); });
    }
    return isText(value) || isNumber(value) || isFlag(value) ? [value] : null;
  }

  // --- 견주기 ---
  function close(a, b, rel, abs) {
    if (a === b) { return true; }
    if (!isFinite(a) || !isFinite(b)) { return false; }
    var off = Math.abs(a - b);
    return off <= rel * Math.max(Math.abs(a), Math.abs(b)) || off <= abs;
  }
  function readings(answer) {
    var found = read(answer);
    if (!found) { return []; }
    return ["%", "퍼센트", "프로"].indexOf(found.unit) >= 0 ? [found.value, found.value / 100] : [found.value];
  }
  function matches(answer, target, tol) {
    if (isFlag(target)) { target = target ? "예" : "아니요"; }
    if (isText(target)) {
      if (isFlag(answer)) { answer = answer ? "예" : "아니요"; }
      if (!isText(answer)) { return false; }
      var given = word(answer), wanted = word(target);
      return given === wanted || SAME_WORDS.some(function (same) { return same.indexOf(given) >= 0 && same.indexOf(wanted) >= 0; });
    }
    if (isNumber(target)) { return readings(answer).some(function (value) { return close(value, target, 1e-9, tol); }); }
    if (isAny(target)) {
      var chosen = many(answer);
      return chosen !== null && extra(chosen, target.any, tol) === 0 && lacking(chosen, target.any, tol) === 0;
    }
    if (Array.isArray(target)) {
      var parts = Array.isArray(answer) || isText(answer) ? many(answer) : null;
      return parts !== null && parts.length === target.length &&
        target.every(function (t, i) { return matches(plain(parts[i]), t, tol); });
    }
    return false; // 유한하지 않은 틀린 값
  }
  function extra(given, wanted, tol) {
    return given.filter(function (a) { return !wanted.some(function (t) { return matches(a, t, tol); }); }).length;
  }
  function lacking(given, wanted, tol) {
    return wanted.filter(function (t) { return !given.some(function (a) { return matches(a, t, tol); }); }).length;
  }

  // --- 귀띔 ---
  // 맞으면 null, 아니면 귀띔.
  function judge(answer, rules) {
    answer = plain(answer);
    if (matches(answer, rules.expected, rules.tol)) { return null; }
    var known = rules.wrong.filter(function (pair) { return matches(answer, pair[0], rules.tol); });
    return known.length ? known[0][1] : hint(answer, rules.expected, rules.tol, rules.decimals, rules.wrong);
  }
  function hint(answer, expected, tol, decimals, wrong) {
    if (isFlag(expected) || isText(expected)) { return wordHint(answer, expected, wrong); }
    if (isNumber(expected)) { return numberHint(answer, expected, tol, decimals); }
    var given = many(answer);
    if (Array.isArray(expected)) {
      if (given === null || given.length !== expected.length) { return "차례대로 " + expected.length + "개를 [첫째, 둘째] 꼴로 적으세요."; }
      var off = expected.map(function (t, i) { return i; }).filter(function (i) { return !matches(plain(given[i]), expected[i], tol); });
      return off.map(function (i) { return i + 1 + "번째"; }).join(", ") + " 값이 다릅니다. " +
        hint(plain(given[off[0]]), expected[off[0]], tol, decimals, []);
    }
    if (given === null) { return '고른 것을 {"가", "나"} 꼴로 모두 적으세요.'; }
    var more = extra(given, expected.any, tol), less = lacking(given, expected.any, tol);
    if (!more) { return "아직 " + less + "개가 빠졌습니다."; }
    return "고른 것 가운데 " + more + "개는 답이 아닙니다." + (less ? " " + less + "개가 빠졌습니다." : "");
  }
  function wordHint(answer, expected, wrong) {
    if (!isText(answer) && !isFlag(answer)) { return "답은 글자여야 합니다. 보기의 말을 따옴표로 감싸 적으세요."; }
    var choices = [isText(expected) ? expected : "예"];
    wrong.forEach(function (pair) { if (isText(pair[0]) && choices.indexOf(pair[0]) < 0) { choices.push(pair[0]); } });
    if (isText(answer) && !choices.some(function (choice) { return matches(answer, choice, 0); })) {
      var listed = choices.sort().map(function (choice) { return '"' + choice + '"'; }).join(", ");
      return "문제의 보기에 없는 말입니다. 보기의 말을 그대로 적으세요(예: " + listed + ").";
    }
    return "보기를 다시 읽고, 문제가 무엇을 묻는지 보세요.";
  }
  function numberHint(answer, expected, tol, decimals) {
    var found = read(answer);
    if (!found) {
      if (isText(answer) && /\p{Nd}/u.test(answer)) { return "단위를 떼고, 문제가 청한 단위의 수만 적어 주세요."; }
      return "답은 수 하나여야 합니다." + (decimals ? " " + PLACES[decimals] + "까지 적으세요." : "");
    }
    var value = found.value, size = Math.abs(expected);
    if (!isFinite(value)) { return "값이 nan이거나 무한대입니다. 결측값이나 0으로 나눈 곳을 찾아보세요."; }
    if (expected && value) {
      if (isCoarser(value, expected)) {
        return "값은 가깝지만 자릿수가 모자랍니다. 계산 도중에 반올림하지 말고 " + (decimals === null ? "더 많은 자리까지" : PLACES[decimals] + "까지") + " 적으세요.";
      }
      if (Math.abs(value + expected) <= Math.max(0.02 * size, tol)) { return "부호가 반대입니다. 무엇에서 무엇을 뺐는지 보세요."; }
      var scale = SCALES.filter(function (pair) {
        return Math.abs(Math.abs(value) / pair[0] - size) <= Math.max(0.02 * size, pair[0] > 1 ? tol : 0);
      })[0];
      if (scale) { return scale[1] + (value * expected < 0 ? " 부호도 반대입니다." : ""); }
    }
    return "문제의 추정 대상과 단위를 다시 확인해 보세요.";
  }
  // 정답을 덜 자세한 자리에서 반올림하거나 버린 값인지.
  function isCoarser(value, expected) {
    var step = STEPS.filter(function (one) { return close(value / one, Math.round(value / one), 1e-9, 0); })[0];
    if (!step) { return false; }
    var off = Math.abs(value - expected), cut = close(Math.trunc(expected / step) * step, value, 1e-9, 0);
    return off <= 0.2 * Math.abs(expected) && (cut || off <= 0.5 * step * (1 + 1e-9));
  }

  // --- 칸 ---
  function decode(text) {
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(text), function (c) { return c.charCodeAt(0); })));
  }
  function solutionOf(form) {
    for (var next = form.nextElementSibling; next && !next.matches(".answer-box"); next = next.nextElementSibling) {
      if (next.matches("details.solution")) { return next; }
    }
    return null;
  }
  function answerOf(form) {
    var text = form.querySelector("input[type='text']");
    if (text) { return text.value.trim() || null; }
    var chosen = Array.prototype.map.call(form.querySelectorAll("input:checked"), function (input) { return input.value; });
    return chosen.length ? chosen : null;
  }
  function start(form) {
    var said = form.querySelector(".answer-said"), rules = decode(form.dataset.rules), label = form.dataset.label + ": ";
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var answer = answerOf(form), text = "답을 먼저 " + (form.querySelector("fieldset") ? "고르세요." : "적으세요."), status = "empty";
      if (answer !== null) {
        var why = judge(answer, rules), solution = solutionOf(form);
        status = why === null ? "right" : "wrong";
        text = why === null ? "정답입니다." : "아직 아닙니다. " + why;
        if (why === null && solution) { solution.open = true; text += " 아래에 정답 해설을 펼쳤습니다."; }
      }
      form.dataset.status = status;
      said.textContent = "";
      window.setTimeout(function () { said.textContent = label + text; }, 60); // 같은 말이어도 다시 읽어 주게 합니다
    });
    form.addEventListener("input", function () { delete form.dataset.status; said.textContent = ""; });
  }
  document.querySelectorAll(".answer-box").forEach(start);
  window.bookAnswers = { judge: judge };
})();
