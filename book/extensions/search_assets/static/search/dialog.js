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
  /* gzip으로 줄여 base64로 적은 자료를 풉니다. 파일로 연 쪽은 fetch를 못 하므로 스크립트에 실어 옵니다. */
  function unpack(packed) {
    var bytes = Uint8Array.from(atob(packed), function (c) { return c.charCodeAt(0); });
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  }
  function load() {
    loading = loading || script("_static/search/index.js").then(function () {
      return unpack(window.BOOK_SEARCH_DATA);
    }).then(function (data) {
      engine = new window.BookSearch.Engine(data);
      return engine;
    }).catch(function (error) { loading = null; throw error; });
    return loading;
  }
  window.BookSearch.load = load;

  var KIND = { chapter: "장", deeper: "심화", "case": "사례", guide: "길잡이" };
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
    /* 결과 한 줄. 쪽의 첫 줄에는 갈래와 제목이 붙습니다. */
    function row(url, page, heading, pieces, first) {
      var link = element("a", "book-search-hit" + (first ? "" : " book-search-more"));
      link.href = base + url;
      link.id = "book-search-" + options.length;
      link.setAttribute("role", "option");
      link.tabIndex = -1;
      if (first) {
        var title = element("span", "book-search-title", page.title);
        if (KIND[page.kind]) { title.prepend(element("span", "book-search-kind", KIND[page.kind])); }
        link.append(title);
      }
      if (heading) { link.append(element("span", "book-search-heading", heading)); }
      var text = element("span", "book-search-snippet");
      pieces.forEach(function (piece) { text.append(piece[1] ? element("mark", "", piece[0]) : piece[0]); });
      link.append(text);
      options.push(link);
      return link;
    }
    function group(page, rows) {
      var item = element("li", "book-search-page");
      item.setAttribute("role", "group");
      item.setAttribute("aria-label", page.title);
      rows.forEach(function (link) { item.append(link); });
      list.append(item);
    }
    /* 무엇을 찾았고, 무엇을 고쳐 찾았고, 무엇이 책에 없는지. */
    function report(count, said) {
      var text = count + "쪽에서 찾았습니다.";
      if (said.changed.length) { text += " 고쳐 찾은 말: " + said.changed.map(function (pair) { return pair[0] + " → " + pair[1]; }).join(", ") + "."; }
      if (said.missing.length) { text += " 책에 없는 말: " + said.missing.join(", ") + "."; }
      return text;
    }
    function show(query) {
      list.textContent = "";
      options = [];
      choose(-1);
      input.setAttribute("aria-expanded", "false");
      if (!query.trim()) { status.textContent = ""; return; }
      var results = engine.search(query, 8);
      status.textContent = results.length ? report(results.length, engine.said) : "'" + query.trim() + "'을(를) 찾지 못했습니다. 혹시 이 쪽을 찾으셨나요?";
      results.forEach(function (page) {
        group(page, page.sections.map(function (section, position) { return row(section.url, page, section.heading, section.snippet, !position); }));
      });
      if (!results.length) {
        engine.suggest(query, 3).forEach(function (page) { group(page, [row(page.url, page, "", [[page.description, false]], true)]); });
      }
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
    /* 없는 쪽(404): 잘못된 주소의 낱말로 가까운 쪽을 보이고, 단추를 누르면 같은 말로 찾습니다. */
    var missing = document.querySelector("[data-missing-page]");
    if (missing) {
      var words = window.location.pathname.split("/").pop();
      try { words = decodeURIComponent(words); } catch (error) { words = ""; }
      words = words.replace(/\.html?$/, "").replace(/week0?(\d+)/, "$1주차").replace(/[_-]+/g, " ").trim();
      missing.querySelector(".missing-search").addEventListener("click", function () {
        dialog.showModal();
        input.value = words;
        input.focus();
        update();
      });
      load().then(function () {
        var near = engine.search(words, 3);
        if (!near.length) { near = engine.suggest(words, 3); }
        near.forEach(function (page) {
          var item = element("li"), link = element("a", "", page.title);
          link.href = base + (page.sections ? page.sections[0].url.split("#")[0] : page.url);
          item.append(link);
          missing.querySelector("ul").append(item);
        });
        missing.querySelector(".missing-near").hidden = !near.length;
      }, function () {});
    }
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
