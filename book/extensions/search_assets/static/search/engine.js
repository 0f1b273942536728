/* 한국어 검색 엔진. 화면과 떨어져 있어 시험이 그대로 부를 수 있습니다. */
(function (root) {
  "use strict";
  var HANGUL = /[가-힣]/;
  // 조사와 어미. 긴 것부터 떼어 봅니다. 떼고 남은 말이 두 글자보다 짧으면 떼지 않습니다.
  var ENDINGS = ["이란", "이라는", "에서는", "에서", "에게", "으로", "부터", "까지", "하기", "하는", "하면", "하다", "이나", "처럼", "보다",
    "을", "를", "이", "가", "은", "는", "의", "에", "로", "과", "와", "도", "만", "란"];

  function normalise(text) {
    return text.normalize("NFC").toLowerCase().replace(/[–—]/g, "-");
  }
  function squeeze(text) { return normalise(text).replace(/[\s\-·./()]/g, ""); }

  /* 글 → 조각. 한글은 사이의 빈칸을 없애고 두 글자씩, 나머지는 낱말째. */
  function tokenise(text) {
    var tokens = [];
    var runs = normalise(text).match(/[가-힣]+(?:\s+[가-힣]+)*|[a-z0-9]+/g) || [];
    runs.forEach(function (run) {
      if (!HANGUL.test(run)) { tokens.push(run); return; }
      var joined = run.replace(/\s+/g, "");
      if (joined.length === 1) { tokens.push(joined); }
      for (var i = 0; i + 1 < joined.length; i += 1) { tokens.push(joined.slice(i, i + 2)); }
    });
    return tokens;
  }

  function stripEnding(word) {
    if (!HANGUL.test(word.slice(-1))) { return word; }
    for (var i = 0; i < ENDINGS.length; i += 1) {
      var ending = ENDINGS[i];
      if (word.length - ending.length >= 2 && word.slice(-ending.length) === ending) { return word.slice(0, -ending.length); }
    }
    return word;
  }

  function Engine(MiniSearch, data) {
    this.data = data;
    this.mini = new MiniSearch({
      fields: ["title", "heading", "keywords", "text"],
      storeFields: [],
      tokenize: tokenise,
      processTerm: function (term) { return term; },
      searchOptions: { boost: { title: 6, heading: 4, keywords: 3, text: 1 }, combineWith: "OR", bm25: { k: 1.2, b: 0.7, d: 0.5 } }
    });
    this.mini.addAll(data.documents.map(function (d, id) {
      var page = data.pages[d[0]];
      var whole = d[4] === 1;
      return { id: id, title: whole ? page.t : "", keywords: whole ? page.k : "", heading: d[2], text: d[3] };
    }));
    this.groups = data.synonyms.map(function (group) {
      return group.map(function (word) { return { word: word, key: squeeze(word) }; });
    });
  }

  /* 질의를 여러 모습으로: 그대로, 조사를 뗀 것, 용어집의 같은 말. */
  Engine.prototype.variants = function (query) {
    var cleaned = normalise(query).replace(/[ㄱ-ㅎㅏ-ㅣ]+$/, "").trim();
    if (!cleaned) { return []; }
    var stripped = cleaned.split(/\s+/).map(stripEnding).join(" ");
    var seen = {};
    var list = [];
    function add(text, weight, term) {
      var key = squeeze(text);
      if (key && !seen[key]) { seen[key] = true; list.push({ text: text, weight: weight, key: key, term: term || false }); }
    }
    add(cleaned, stripped === cleaned ? 1 : 0.95);
    add(stripped, 1);
    var keys = [squeeze(cleaned), squeeze(stripped)];
    var singular = squeeze(stripped).replace(/([a-z]{3,})s$/, "$1");
    if (keys.indexOf(singular) < 0) { keys.push(singular); add(singular, 0.9); }
    this.groups.forEach(function (group) {
      var exact = group.some(function (g) { return keys.indexOf(g.key) >= 0; });
      var near = !exact && group.some(function (g) {
        return keys.some(function (k) { return k.length >= 4 && /^[a-z]/.test(k) && g.key.indexOf(k) === 0; });
      });
      if (exact || near) {
        group.forEach(function (g, position) { add(g.word, (exact ? 0.97 : 0.8) - (position ? 0.12 : 0), true); });
      }
    });
    return list;
  };

  Engine.prototype.scoreVariant = function (variant) {
    var wanted = tokenise(variant.text);
    if (!wanted.length) { return []; }
    var unique = wanted.filter(function (t, i) { return wanted.indexOf(t) === i; });
    var latin = unique.every(function (t) { return !HANGUL.test(t); });
    var found = this.mini.search(variant.text, {
      prefix: function (term) { return term.length === 1 || !HANGUL.test(term); },
      fuzzy: function (term) { return !HANGUL.test(term) && term.length > 4 ? 0.2 : false; }
    });
    var data = this.data;
    var floor = unique.length <= 2 ? 1 : 0.6;
    return found.map(function (hit) {
      var covered = hit.queryTerms.length / unique.length;
      var document = data.documents[hit.id];
      var page = data.pages[document[0]];
      var inTitle = squeeze(document[4] === 1 ? page.t : document[2]).indexOf(variant.key) >= 0;
      var whole = inTitle || squeeze(document[3]).indexOf(variant.key) >= 0 || (document[4] === 1 && squeeze(page.k).indexOf(variant.key) >= 0);
      var score = hit.score * covered * covered * variant.weight;
      if (whole) { score *= 1.6; }
      if (inTitle) { score *= 1.5; }
      return { id: hit.id, score: score, covered: covered, whole: whole, keep: whole || (covered >= floor && (latin || unique.length > 2)) };
    }).filter(function (hit) { return hit.keep; });
  };

  /* 질의의 여러 모습 가운데 절마다 가장 잘 맞는 것. */
  Engine.prototype.bestHits = function (query) {
    var best = {};
    var engine = this;
    this.variants(query).forEach(function (variant) {
      engine.scoreVariant(variant).forEach(function (hit) {
        if (!best[hit.id] || best[hit.id].score < hit.score) { best[hit.id] = { id: hit.id, score: hit.score, key: variant.key, text: variant.text }; }
      });
    });
    return best;
  };

  /* 쪽마다 묶어 점수가 높은 차례로. */
  Engine.prototype.search = function (query, limit) {
    var engine = this;
    var best = this.bestHits(query);
    // 여러 낱말이 한데 붙어 있지 않은 쪽도 찾습니다. 낱말이 모두 나오는 쪽만, 절반의 무게로.
    var words = query.trim().split(/\s+/);
    if (words.length > 1) {
      var perWord = words.map(function (word) { return engine.bestHits(word); });
      var pagesOf = perWord.map(function (hits) {
        var pages = {};
        Object.keys(hits).forEach(function (id) { pages[engine.data.documents[id][0]] = true; });
        return pages;
      });
      perWord.forEach(function (hits) {
        Object.keys(hits).forEach(function (id) {
          var page = engine.data.documents[id][0];
          if (!pagesOf.every(function (pages) { return pages[page]; })) { return; }
          var score = 0.5 * hits[id].score;
          if (!best[id] || best[id].score < score) { best[id] = { id: hits[id].id, score: score, key: hits[id].key, text: hits[id].text }; }
        });
      });
    }
    var pages = {};
    Object.keys(best).forEach(function (id) {
      var hit = best[id];
      var document = engine.data.documents[hit.id];
      (pages[document[0]] = pages[document[0]] || []).push(hit);
    });
    return Object.keys(pages).map(function (number) {
      var hits = pages[number].sort(function (a, b) { return b.score - a.score; });
      var rest = hits.slice(1, 6).reduce(function (sum, hit) { return sum + hit.score; }, 0);
      var page = engine.data.pages[number];
      return {
        url: page.u, title: page.t, kind: page.kind, score: (hits[0].score + 0.25 * rest) * (page.w || 1),
        // 글도 제목도 없는 절(쪽 제목만 맞은 것)은 첫째 자리에서만 보여 줍니다.
        sections: hits.slice(0, 3).filter(function (hit, position) {
          var document = engine.data.documents[hit.id];
          return position === 0 || document[2] || document[3];
        }).map(function (hit) {
          var document = engine.data.documents[hit.id];
          return { url: page.u + (document[1] ? "#" + document[1] : ""), heading: document[2], snippet: snippet(document[3], hit.text) };
        })
      };
    }).sort(function (a, b) { return b.score - a.score; }).slice(0, limit || 8);
  };

  /* 찾은 말 둘레의 글. 빈칸이 달라도 찾습니다. [앞, 맞은 곳, 뒤] */
  function snippet(text, wanted) {
    var letters = squeeze(wanted).split("").map(function (c) { return c.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"); });
    var match = letters.length ? new RegExp(letters.join("[\\s\\-·./()]*"), "i").exec(text) : null;
    if (!match) { return [text.slice(0, 90), "", text.length > 90 ? "…" : ""]; }
    var start = Math.max(0, match.index - 30);
    var end = match.index + match[0].length;
    return [(start ? "…" : "") + text.slice(start, match.index), match[0], text.slice(end, end + 60) + (end + 60 < text.length ? "…" : "")];
  }

  root.BookSearch = { Engine: Engine, tokenise: tokenise, stripEnding: stripEnding, snippet: snippet };
})(typeof window === "undefined" ? globalThis : window);
