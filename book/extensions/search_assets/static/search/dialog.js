/* 검색 창. 테마의 검색 단추와 창을 그대로 쓰고, 그 안에 결과를 바로 보여 줍니다. */
(function () {
  "use strict";
  var base = new URL("../../", document.currentScript.src).href;
  var engine = null;
  var loading = null;

  function script(path) {
    return new Promise(function (resolve, reject) {
      var element = document.createElement("script");
      element.src = base + path;
      element.onload = resolve;
      element.onerror = function () { reject(new Error(path)); };
      document.head.appendChild(element);
    });
  }
  function load() {
    loading = loading || Promise.all([script("_static/vendor/minisearch/minisearch.js"), script("_static/search/index.js")]).then(function () {
      engine = new window.BookSearch.Engine(window.MiniSearch, window.BOOK_SEARCH_DATA);
      return engine;
    }).catch(function (error) { loading = null; throw error; });
    return loading;
  }
  window.BookSearch.load = load;

  var KIND = { chapter: "장", "case": "사례", guide: "길잡이" };
  function element(tag, className, text) {
    var node = document.createElement(tag);
    if (className) { node.className = className; }
    if (text) { node.textContent = text; }
    return node;
  }

  document.addEventListener("DOMContentLoaded", function () {
    var dialog = document.getElementById("pst-search-dialog");
    var form = dialog && dialog.querySelector("form.bd-search");
    if (!form) { return; }
    var input = form.querySelector("input");
    var status = element("p", "book-search-status");
    status.setAttribute("role", "status");
    var list = element("ul", "book-search-results");
    list.id = "book-search-results";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "검색 결과");
    form.after(status, list);
    dialog.setAttribute("aria-label", "책에서 찾기");
    input.placeholder = "책에서 찾기";
    input.setAttribute("aria-label", "책에서 찾기");
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-autocomplete", "list");

    var options = [];
    var active = -1;
    function choose(position) {
      options.forEach(function (o, i) { o.setAttribute("aria-selected", i === position ? "true" : "false"); });
      active = position;
      if (options[position]) {
        input.setAttribute("aria-activedescendant", options[position].id);
        options[position].scrollIntoView({ block: "nearest" });
      } else { input.removeAttribute("aria-activedescendant"); }
    }
    function show(query) {
      list.textContent = "";
      options = [];
      choose(-1);
      input.setAttribute("aria-expanded", "false");
      if (!query.trim()) { status.textContent = ""; return; }
      var results = engine.search(query, 8);
      status.textContent = results.length ? results.length + "쪽에서 찾았습니다." : "'" + query.trim() + "'을(를) 찾지 못했습니다. 더 짧은 말이나 영어로 찾아보세요.";
      results.forEach(function (page) {
        var group = element("li", "book-search-page");
        group.setAttribute("role", "group");
        group.setAttribute("aria-label", page.title);
        page.sections.forEach(function (section, position) {
          var link = element("a", "book-search-hit" + (position ? " book-search-more" : ""));
          link.href = base + section.url;
          link.id = "book-search-" + options.length;
          link.setAttribute("role", "option");
          link.tabIndex = -1;
          if (!position) {
            var title = element("span", "book-search-title", page.title);
            if (KIND[page.kind]) { title.prepend(element("span", "book-search-kind", KIND[page.kind])); }
            link.append(title);
          }
          if (section.heading) { link.append(element("span", "book-search-heading", section.heading)); }
          var text = element("span", "book-search-snippet");
          text.append(section.snippet[0], element("mark", "", section.snippet[1]), section.snippet[2]);
          link.append(text);
          group.append(link);
          options.push(link);
        });
        list.append(group);
      });
      input.setAttribute("aria-expanded", options.length ? "true" : "false");
      if (options.length) { choose(0); }
    }
    var waiting = null;
    function update() {
      var query = input.value;
      if (engine) { show(query); return; }
      status.textContent = "검색 자료를 읽고 있습니다…";
      load().then(function () { show(input.value); }).catch(function () {
        status.textContent = "검색 자료를 읽지 못했습니다. 새로 고침한 뒤 다시 찾아보세요.";
      });
    }
    input.addEventListener("focus", function () { load().catch(function () {}); });
    input.addEventListener("input", function () { window.clearTimeout(waiting); waiting = window.setTimeout(update, 60); });
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      if (options[active]) { dialog.close(); window.location.href = options[active].href; }
    });
    input.addEventListener("keydown", function (event) {
      if (event.isComposing || !options.length) { return; }
      if (event.key === "ArrowDown") { event.preventDefault(); choose((active + 1) % options.length); }
      if (event.key === "ArrowUp") { event.preventDefault(); choose((active - 1 + options.length) % options.length); }
    });
    list.addEventListener("click", function (event) { if (event.target.closest("a")) { dialog.close(); } });
    document.addEventListener("keydown", function (event) {
      var typing = /^(input|textarea|select)$/i.test(event.target.tagName) || event.target.isContentEditable;
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        dialog.showModal();
        input.focus();
      }
    });
  });
})();
