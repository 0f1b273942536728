/* 카드 거르기(사례 모음, 현업 사례 지도). 고른 조건은 주소(#method=…)에 남아 나눌 수 있습니다. */
(function () {
  "use strict";
  function start() {
    var gallery = document.querySelector(".gallery");
    if (!gallery) { return; }
    function all(selector) { return Array.prototype.slice.call(gallery.querySelectorAll(selector)); }
    var cards = all(".gallery-card").map(function (card) { return { element: card, facets: JSON.parse(card.dataset.facets) }; });
    var buttons = all(".gallery-filter button").map(function (button) {
      return { element: button, facet: button.closest(".gallery-filter").dataset.facet, value: button.dataset.value };
    });
    var count = gallery.querySelector(".gallery-count");
    var none = gallery.querySelector(".gallery-none");
    var clear = gallery.querySelector(".gallery-status .gallery-reset");
    var more = gallery.querySelector(".gallery-more");

    function pressed(button) { return button.element.getAttribute("aria-pressed") === "true"; }
    function press(button, on) { button.element.setAttribute("aria-pressed", on ? "true" : "false"); }
    function chosen() {
      var picked = {};
      buttons.filter(pressed).forEach(function (b) { (picked[b.facet] = picked[b.facet] || []).push(b.value); });
      return picked;
    }
    // 같은 갈래 안에서는 하나만 맞아도 되고, 갈래끼리는 모두 맞아야 합니다.
    function show() {
      var picked = chosen();
      var shown = 0;
      cards.forEach(function (card) {
        var keep = Object.keys(picked).every(function (key) {
          return picked[key].some(function (value) { return (card.facets[key] || []).indexOf(value) >= 0; });
        });
        card.element.hidden = !keep;
        shown += keep ? 1 : 0;
      });
      var unit = count.dataset.unit;
      count.textContent = count.dataset.noun + " " + shown + unit + (shown < cards.length ? " (모두 " + cards.length + unit + ")" : "");
      none.hidden = shown > 0;
      clear.hidden = shown === 0 || Object.keys(picked).length === 0;
    }
    function remember() {
      var parameters = new URLSearchParams();
      buttons.filter(pressed).forEach(function (b) { parameters.append(b.facet, b.value); });
      var hash = parameters.toString();
      window.history.replaceState(null, "", window.location.pathname + window.location.search + (hash ? "#" + hash : ""));
    }
    // 검색에서 카드 하나로 왔으면 걸러져 있어도 보이고, 접힌 글을 폅니다.
    function reveal(id) {
      var card = cards.filter(function (c) { return c.element.id === id; })[0];
      if (!card) { return; }
      if (card.element.hidden) { buttons.forEach(function (b) { press(b, false); }); show(); }
      var folded = card.element.querySelector("details");
      if (folded) { folded.open = true; }
      card.element.scrollIntoView();
    }
    function restore() {
      var hash = window.location.hash.slice(1);
      if (hash && hash.indexOf("=") < 0) { reveal(hash); return; } // 거르기가 아니라 쪽 안의 자리입니다
      var wanted = new URLSearchParams(hash);
      buttons.forEach(function (b) {
        press(b, wanted.getAll(b.facet).indexOf(b.value) >= 0);
        if (more && pressed(b) && more.contains(b.element)) { more.open = true; } // 고른 조건이 접힌 채 거르지 않게 합니다
      });
      show();
    }
    buttons.forEach(function (b) {
      b.element.addEventListener("click", function () { press(b, !pressed(b)); show(); remember(); });
    });
    all(".gallery-reset").forEach(function (reset) {
      reset.addEventListener("click", function () {
        buttons.forEach(function (b) { press(b, false); });
        show();
        remember();
        if (buttons.length) { buttons[0].element.focus(); } // 누른 단추가 사라지므로 자리를 옮깁니다
      });
    });
    restore();
    window.addEventListener("hashchange", restore);
  }
  if (document.readyState === "loading") { document.addEventListener("DOMContentLoaded", start); } else { start(); }
})();
