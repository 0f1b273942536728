/* 사례 모음의 거르기. 고른 조건은 주소(#method=…)에 남아 나눌 수 있습니다. */
(function () {
  "use strict";
  document.addEventListener("DOMContentLoaded", function () {
    var gallery = document.querySelector(".gallery");
    if (!gallery) { return; }
    var cards = Array.prototype.slice.call(gallery.querySelectorAll(".gallery-card"));
    var buttons = Array.prototype.slice.call(gallery.querySelectorAll(".gallery-filter button"));
    var count = gallery.querySelector(".gallery-count");
    var none = gallery.querySelector(".gallery-none");
    gallery.querySelector(".gallery-filters").hidden = false;

    function facet(button) { return button.closest(".gallery-filter").dataset.facet; }
    function chosen() {
      var picked = {};
      buttons.forEach(function (b) {
        if (b.getAttribute("aria-pressed") === "true") { (picked[facet(b)] = picked[facet(b)] || []).push(b.dataset.value); }
      });
      return picked;
    }
    // 같은 갈래 안에서는 하나만 맞아도 되고, 갈래끼리는 모두 맞아야 합니다.
    function apply() {
      var picked = chosen();
      var shown = 0;
      cards.forEach(function (card) {
        var keep = Object.keys(picked).every(function (key) {
          var values = (card.getAttribute("data-" + key) || "").split("|");
          return picked[key].some(function (v) { return values.indexOf(v) >= 0; });
        });
        card.hidden = !keep;
        shown += keep ? 1 : 0;
      });
      count.textContent = "사례 " + shown + "개" + (shown < cards.length ? " (모두 " + cards.length + "개)" : "");
      none.hidden = shown > 0;
      var parameters = new URLSearchParams();
      Object.keys(picked).forEach(function (key) { picked[key].forEach(function (v) { parameters.append(key, v); }); });
      var hash = parameters.toString();
      window.history.replaceState(null, "", hash ? "#" + hash : window.location.pathname + window.location.search);
    }
    function restore() {
      var parameters = new URLSearchParams(window.location.hash.slice(1));
      buttons.forEach(function (b) {
        b.setAttribute("aria-pressed", parameters.getAll(facet(b)).indexOf(b.dataset.value) >= 0 ? "true" : "false");
      });
      apply();
    }
    buttons.forEach(function (b) {
      b.addEventListener("click", function () {
        b.setAttribute("aria-pressed", b.getAttribute("aria-pressed") === "true" ? "false" : "true");
        apply();
      });
    });
    gallery.querySelector(".gallery-reset").addEventListener("click", function () {
      buttons.forEach(function (b) { b.setAttribute("aria-pressed", "false"); });
      apply();
    });
    if (window.location.hash.indexOf("=") > 0) { restore(); }
    window.addEventListener("hashchange", restore);
  });
})();
