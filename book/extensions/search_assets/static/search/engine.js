/* 한국어 검색 엔진. 화면과 떨어져 있어 시험이 그대로 부를 수 있습니다.

   책의 글을 자모로 풀어 한 줄로 잇고, 찾는 말도 자모로 풀어 그 줄에서 찾습니다. 자모 셋마다 나오는 자리를 적어 둡니다. 빈칸과 부호는 빼고 잇되
   낱말이 시작하는 자리를 따로 적어 두므로 '성향 점수'와 '성향점수', 'A/B 테스트'와 'AB테스트'가 같습니다.
   책에 없는 말만 자판을 바꿔 친 것, 한 글자 틀린 것, 붙여 쓴 것인지 차례로 살핍니다. */
(function (root) {
  "use strict";
  var INITIAL = 161, MEDIAL = 180, FINAL = 201, BREAK = 10;
  var INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ", MEDIALS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ";
  var FINALS = ["", "ㄱ", "ㄲ", "ㄳ", "ㄴ", "ㄵ", "ㄶ", "ㄷ", "ㄹ", "ㄺ", "ㄻ", "ㄼ", "ㄽ", "ㄾ", "ㄿ", "ㅀ", "ㅁ", "ㅂ", "ㅄ", "ㅅ", "ㅆ", "ㅇ", "ㅈ", "ㅊ", "ㅋ", "ㅌ", "ㅍ", "ㅎ"];
  // 조사와 어미(닫힌 무리). 긴 것부터 떼어 봅니다. 떼고 남은 말이 두 글자보다 짧으면 떼지 않습니다.
  var ENDINGS = ("이라는 에서는 에서도 으로는 으로만 까지는 에게는 에만 에도 에는 이랑 이란 에서 에게 한테 끼리 마다 으로 부터 까지 밖에 조차 처럼 보다 대로 들의 들을 들이 들은 들 " +
    "하기 하는 하면 하려면 하나요 할까요 하나 할까 해요 했나 하고 해서 한 할 된 되는 되면 인가요 인가 인지 이나 이면 이고 예요 이에요 적인 적으로 " +
    "을 를 이 가 은 는 의 에 로 과 와 랑 도 만 란 나").split(" ").sort(function (a, b) { return b.length - a.length; });
  // 용언의 어미. 자모로 떼므로 '못할'과 '못하면'에서 '못하'가 남습니다.
  var VERB_ENDINGS = ["습니까", "ㅂ니까", "ㅂ니다", "습니다", "ㄹ까요", "을까요", "ㄴ가요", "은가요", "는가요", "나요", "어요", "아요", "ㅆ어요", "ㅆ나요", "려면", "으려면", "면서", "지만", "도록", "ㄹ까", "을까", "ㄴ가", "는가", "는데", "ㄴ데", "은데", "는지", "ㄴ지", "ㄹ지", "을지", "으면", "어야", "아야", "어서", "아서", "러", "면", "나", "고", "지", "게", "기", "는", "ㄴ", "은", "ㄹ", "을", "ㅁ", "ㅂ", "어", "아", "도", "다", "요"];
  // 무엇을 찾는지가 아니라 어떻게 묻는지를 말하는 말. 버리지 않고 가볍게 셉니다.
  var ASKING = ("어떻게 어떡하죠 어떤 어느 무엇 뭐 뭘 뭔가요 왜 언제 누가 누구 어디 어디서 얼마나 얼마 몇 무슨 " +
    "좀 너무 많이 크게 잘 안 못 더 가장 제일 정말 혹시 우리 그냥 그리고 또는 중 중에 걸 수 것 게 건 때 뜻 의미 법 경우 대해 대한 위한 관련 같은 한 이 그 " +
    "how what why when which who the a an of in on to for and or is are do does i my with from by vs").split(" ");
  // 물음의 끝에 오는 가벼운 용언의 줄기
  var LIGHT = "있 없 되 돼 하 해 했 알 아 쓰 써 보 봐 주 줘 같 싶 크 많 좋 나오 나와 궁금하 모르 모르겠 이 인 거".split(" ");
  var WEEK = /^(?:제\s*)?(\d{1,2})\s*(?:주차|주|장)$|^(?:week|chapter|wk|w)\s*0?(\d{1,2})$/;
  var FIELDS = { title: 0, keyword: 1, description: 5, heading: 3, text: 4, code: 5, question: 6 };

  function normalise(text) { return text.normalize("NFC").toLowerCase(); }
  function isLatin(c) { return (c >= 97 && c <= 122) || (c >= 48 && c <= 57); }

  /* 글 → 자모 부호, 낱말이 시작하는 자리(1, 부호로만 이어진 자리는 2), 부호마다 글의 몇째 글자인지.
     줄바꿈은 넘어가지 못하는 벽이 됩니다. */
  function encode(text) {
    var codes = [], starts = [], places = [];
    var fresh = 1, script = 0;
    var JOIN = "-/.()'’–·";
    var plain = normalise(text);
    function push(code, place, kind) {
      codes.push(code);
      starts.push(fresh || (kind !== script ? 1 : 0));
      places.push(place);
      fresh = 0;
      script = kind;
    }
    for (var i = 0; i < plain.length; i += 1) {
      var c = plain.charCodeAt(i);
      if (c >= 0xac00 && c <= 0xd7a3) {
        var s = c - 0xac00;
        push(INITIAL + Math.floor(s / 588), i, 1);
        codes.push(MEDIAL + Math.floor((s % 588) / 28)); starts.push(0); places.push(i);
        if (s % 28) { codes.push(FINAL + (s % 28) - 1); starts.push(0); places.push(i); }
      } else if (isLatin(c)) { push(c, i, 2); }
      else { if (c === BREAK) { push(BREAK, i, 3); } fresh = fresh !== 1 && JOIN.indexOf(plain[i]) >= 0 ? 2 : 1; }
    }
    return { codes: codes, starts: starts, places: places };
  }
  function toText(codes) {
    var out = "";
    for (var i = 0; i < codes.length; i += 1) { out += String.fromCharCode(codes[i]); }
    return out;
  }
  function key(text) { return toText(encode(text).codes); }
  function hangulOnly(text) { return /^[가-힣]+$/.test(text); }

  /* 자모 부호 → 글자. 어미를 뗀 줄기와 고친 말을 사람에게 보일 때 씁니다. */
  function decode(pattern) {
    var out = "";
    for (var i = 0; i < pattern.length; i += 1) {
      var c = pattern.charCodeAt(i);
      if (c < INITIAL) { out += pattern[i]; continue; }
      var medial = pattern.charCodeAt(i + 1) - MEDIAL, final = pattern.charCodeAt(i + 2) - FINAL;
      if (final >= 0 && final < 27) { out += String.fromCharCode(0xac00 + (c - INITIAL) * 588 + medial * 28 + final + 1); i += 2; }
      else { out += String.fromCharCode(0xac00 + (c - INITIAL) * 588 + medial * 28); i += 1; }
    }
    return out;
  }

  function stripEnding(word) {
    if (!/[가-힣]$/.test(word)) { return word; }
    for (var i = 0; i < ENDINGS.length; i += 1) {
      var ending = ENDINGS[i];
      if (word.length - ending.length >= 2 && word.slice(-ending.length) === ending) { return word.slice(0, -ending.length); }
    }
    // 로마자와 붙은 조사: 'IPW를'
    return word.replace(/^([a-z0-9]+)[가-힣]{1,2}$/i, "$1");
  }
  function jamo(text) {
    return text.split("").map(function (letter) {
      var final = FINALS.indexOf(letter);
      return final > 0 ? String.fromCharCode(FINAL + final - 1) : key(letter);
    }).join("");
  }
  var PAST = ["었", "았", "ㅆ"].map(jamo);
  var VERB_PATTERNS = VERB_ENDINGS.map(jamo).sort(function (a, b) { return b.length - a.length; });
  /* 용언의 줄기(자모). 뗄 어미가 없거나 남는 것이 자모 least개보다 짧으면 빈 글입니다. */
  function stem(word, least) {
    var pattern = key(word);
    for (var i = 0; i < VERB_PATTERNS.length; i += 1) {
      var ending = VERB_PATTERNS[i];
      if (pattern.length - ending.length >= (least || 3) && pattern.slice(-ending.length) === ending) {
        var left = pattern.slice(0, -ending.length);
        var past = PAST.filter(function (p) { return left.length - p.length >= (least || 3) && left.slice(-p.length) === p; })[0];
        return past ? left.slice(0, -past.length) : left;
      }
    }
    return "";
  }

  var SHORTENED = {};
  ["ㅕㅣ", "ㅝㅜ", "ㅘㅗ"].forEach(function (pair) {
    SHORTENED[String.fromCharCode(MEDIAL + MEDIALS.indexOf(pair[0]))] = String.fromCharCode(MEDIAL + MEDIALS.indexOf(pair[1]));
  });
  var CANNOT = ["못하", "수없"].map(key); // '못할 때'와 '할 수 없을 때'
  var LIGHT_STEMS = LIGHT.map(key);
  function asks(word) {
    return ASKING.indexOf(word) >= 0 || ASKING.indexOf(stripEnding(word)) >= 0 || ASKING.indexOf(word.slice(0, -1)) >= 0 && /[이가을를은는의에도]$/.test(word) || LIGHT_STEMS.indexOf(stem(word, 2)) >= 0 || /[야서도]$/.test(word) && LIGHT.indexOf(word.slice(0, -1)) >= 0;
  }

  /* 두벌식 자판. 영문 상태로 친 한글과 한글 상태로 친 영문을 되돌립니다. */
  var KEYS = {};
  "ㅂq ㅃQ ㅈw ㅉW ㄷe ㄸE ㄱr ㄲR ㅅt ㅆT ㅛy ㅕu ㅑi ㅐo ㅒO ㅔp ㅖP ㅁa ㄴs ㅇd ㄹf ㅎg ㅗh ㅓj ㅏk ㅣl ㅋz ㅌx ㅊc ㅍv ㅠb ㅜn ㅡm".split(" ").forEach(function (pair) { KEYS[pair[1]] = pair[0]; });
  var LETTERS = {};
  Object.keys(KEYS).forEach(function (letter) { LETTERS[KEYS[letter]] = letter; });
  var PAIRS = { "ㅗㅏ": "ㅘ", "ㅗㅐ": "ㅙ", "ㅗㅣ": "ㅚ", "ㅜㅓ": "ㅝ", "ㅜㅔ": "ㅞ", "ㅜㅣ": "ㅟ", "ㅡㅣ": "ㅢ", "ㄱㅅ": "ㄳ", "ㄴㅈ": "ㄵ", "ㄴㅎ": "ㄶ", "ㄹㄱ": "ㄺ", "ㄹㅁ": "ㄻ", "ㄹㅂ": "ㄼ", "ㄹㅅ": "ㄽ", "ㄹㅌ": "ㄾ", "ㄹㅍ": "ㄿ", "ㄹㅎ": "ㅀ", "ㅂㅅ": "ㅄ" };
  var SPLIT = {};
  Object.keys(PAIRS).forEach(function (pair) { SPLIT[PAIRS[pair]] = pair; });

  function toHangul(typed) {
    var letters = typed.split("").map(function (c) { return KEYS[c] || KEYS[c.toLowerCase()] || ""; });
    if (letters.some(function (c) { return !c; })) { return ""; }
    var out = "", i = 0;
    function vowel(c) { return c && MEDIALS.indexOf(c) >= 0; }
    while (i < letters.length) {
      var initial = INITIALS.indexOf(letters[i]);
      if (initial < 0 || !vowel(letters[i + 1])) { return ""; }
      var medial = letters[i + 1];
      i += 2;
      if (vowel(letters[i]) && PAIRS[medial + letters[i]]) { medial = PAIRS[medial + letters[i]]; i += 1; }
      var final = "";
      if (letters[i] && !vowel(letters[i]) && !vowel(letters[i + 1]) && FINALS.indexOf(letters[i]) > 0) {
        final = letters[i];
        i += 1;
        if (letters[i] && !vowel(letters[i]) && !vowel(letters[i + 1]) && PAIRS[final + letters[i]]) { final = PAIRS[final + letters[i]]; i += 1; }
      }
      out += String.fromCharCode(0xac00 + initial * 588 + MEDIALS.indexOf(medial) * 28 + FINALS.indexOf(final));
    }
    return out;
  }
  function toLatin(typed) {
    return typed.normalize("NFC").split("").map(function (c) {
      var code = c.charCodeAt(0);
      var parts = [c];
      if (code >= 0xac00 && code <= 0xd7a3) {
        var s = code - 0xac00;
        parts = [INITIALS[Math.floor(s / 588)], MEDIALS[Math.floor((s % 588) / 28)], FINALS[s % 28]];
      }
      return parts.map(function (p) { return (SPLIT[p] || p).split("").map(function (k) { return LETTERS[k] || ""; }).join(""); }).join("");
    }).join("").toLowerCase();
  }

  /* 두 말이 몇 번 고치면 같아지는지(바꾸기, 넣기, 빼기, 이웃 뒤집기). limit를 넘으면 limit + 1입니다. */
  function distance(a, b, limit) {
    if (Math.abs(a.length - b.length) > limit) { return limit + 1; }
    var older = [], old = [], now = [], i, j;
    for (j = 0; j <= b.length; j += 1) { old[j] = j; }
    for (i = 1; i <= a.length; i += 1) {
      now = [i];
      var least = i;
      for (j = 1; j <= b.length; j += 1) {
        now[j] = Math.min(old[j] + 1, now[j - 1] + 1, old[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) { now[j] = Math.min(now[j], older[j - 2] + 1); }
        if (now[j] < least) { least = now[j]; }
      }
      if (least > limit) { return limit + 1; }
      older = old;
      old = now;
    }
    return now[b.length];
  }

  /* 점수의 무게. 하나를 절반이나 두 배로 바꾸어도 첫째로 맞히는 비율은 3%포인트 안에서 움직입니다. */
  var P = {
    title: 9, keyword: 6, description: 5, heading: 7, lead: 1.5, code: 3, codeGuide: 4, // 글에 한 번 나온 것이 1
    docNorm: 0.7, docK: 4, // 절: 길이를 얼마나 나누는지, 몇 번부터 더 나와도 그만인지
    pageHeading: 6, pageNorm: 0.5, pageK: 12, // 쪽
    section: 1.2, // 가장 잘 맞은 절 하나를 쪽의 점수에 더하는 몫
    share: 1.5, strict: 2, // 빠진 말의 벌. 낱말 둘까지는 모두 있는 쪽이 언제나 먼저입니다
    home: 1.4, // 용어집이 적은 주차의 장
    everyday: 0.7, // 일터에서 바꾸어 쓰는 다른 말
    plain: 0.6, // 제목, 찾을 말, 절의 이름, 설명 어디에도 없고 글에만 나오는 말
    phrase: 1, alike: 0.2, // 묻는 글 전체가 쪽의 찾을 말이나 제목과 닮은 만큼. alike보다 덜 닮은 것은 우연입니다
    asked: 2, near: 0.05, askedLight: 0.3, askedPhrase: 1, sure: 0.6, root: 0.6 // 쪽에 적힌 물음 하나와 닮은 만큼. near보다 덜 닮은 것은 우연이고, sure보다 닮으면 목록인 쪽도 앞에 섭니다
  };

  function Engine(data) {
    var engine = this;
    this.data = data;
    this.found = {};
    this.first = [];
    this.documentsOf = data.pages.map(function () { return []; });
    data.documents.forEach(function (d, id) {
      if (d[4] === 1 && engine.first[d[0]] === undefined) { engine.first[d[0]] = id; }
      engine.documentsOf[d[0]].push(id);
    });
    // 쪽의 첫머리(제목 아래와 첫 절)는 무엇을 묻고 답하는지를 말합니다.
    this.leads = new Set();
    this.documentsOf.forEach(function (ids, number) { if (!data.pages[number].list) { ids.slice(0, data.pages[number].kind === "guide" ? 1 : 2).forEach(function (id) { engine.leads.add(id); }); } });
    this.titles = data.pages.map(function (page) { return key(page.t.split(":")[0]); });
    this.buildLine();
    this.kindWords = data.kinds;
    this.groups = {};
    this.names = [];
    data.synonyms.forEach(function (entry) {
      var group = { week: entry[0], names: entry.slice(1) };
      group.names.forEach(function (name) {
        var k = key(name);
        (engine.groups[k] = engine.groups[k] || []).push(group);
        engine.names.push([normalise(name), group]);
      });
    });
    this.everyday = {};
    (data.everyday || []).forEach(function (words) {
      words.forEach(function (word) { engine.everyday[key(word)] = words.filter(function (other) { return other !== word; }); });
    });
    this.buildAsked();
    this.buildWords();
    this.buildPhrases();
  }

  /* 책 전체를 자모 한 줄로. */
  Engine.prototype.buildLine = function () {
    var engine = this, data = this.data;
    var size = 1 << 20, codes = new Uint8Array(size), starts = new Uint8Array(size), length = 0;
    this.pieces = [];
    // 여러 쪽이 똑같이 쓰는 절의 이름(결정, 핵심 정리)은 그 절이 무엇에 관한 것인지 말해 주지 않습니다.
    var pagesWith = {};
    function plainHeading(heading) { return heading.replace(/^[\d.]+\s*/, ""); }
    data.documents.forEach(function (d) {
      var name = plainHeading(d[2]);
      (pagesWith[name] = pagesWith[name] || {})[d[0]] = true;
    });
    this.lengths = new Float64Array(data.documents.length);
    function add(text, field, id) {
      if (!text) { return; }
      var e = encode(text + "\n");
      while (length + e.codes.length > size) {
        size *= 2;
        var more = new Uint8Array(size); more.set(codes); codes = more;
        more = new Uint8Array(size); more.set(starts); starts = more;
      }
      codes.set(e.codes, length);
      starts.set(e.starts, length);
      length += e.codes.length;
      engine.pieces.push([length, field, id]);
      if (field === FIELDS.text) { engine.lengths[id] += e.codes.length; }
    }
    data.documents.forEach(function (d, id) {
      if (id === engine.first[d[0]]) {
        var page = data.pages[d[0]];
        add(page.t, FIELDS.title, id);
        add(page.k.join("\n"), FIELDS.keyword, id);
        add(page.d, FIELDS.description, id);
      }
      add(d[2], Object.keys(pagesWith[plainHeading(d[2])]).length > 6 ? FIELDS.text : FIELDS.heading, id);
      add(d[3], FIELDS.text, id);
      add(d[5], FIELDS.code, id);
    });
    this.asked = [];
    data.pages.forEach(function (page, number) {
      page.q.forEach(function (text) {
        add(text, FIELDS.question, engine.asked.length);
        engine.asked.push({ page: number, words: normalise(text).split(/[\s,·?]+/).filter(Boolean) });
      });
    });
    this.line = new TextDecoder("windows-1252").decode(codes.subarray(0, length));
    this.starts = starts.slice(0, length + 1);
    this.ends = Uint32Array.from(this.pieces, function (piece) { return piece[0]; });
    this.buildSpots(codes, length);
    this.pageLengths = this.documentsOf.map(function (ids) { return ids.reduce(function (sum, id) { return sum + engine.lengths[id]; }, 0); });
    function mean(list) { return Array.prototype.reduce.call(list, function (a, b) { return a + b; }, 0) / Math.max(1, list.length); }
    this.meanLength = mean(this.lengths) || 1;
    this.meanPage = mean(this.pageLengths) || 1;
  };

  /* 자모 셋이 나오는 자리. 한 줄을 처음부터 훑지 않고, pattern에서 가장 드문 셋의 자리만 봅니다.
     셋마다 번호를 매기고(겹쳐도 됩니다) 번호의 차례로 자리를 늘어놓습니다. heads[번호]가 그 처음입니다. */
  function slot(a, b, c) { return (a * 63001 + b * 251 + c) & 0xffff; }
  Engine.prototype.buildSpots = function (codes, length) {
    var heads = new Uint32Array(0x10001), i;
    for (i = 0; i + 2 < length; i += 1) { heads[slot(codes[i], codes[i + 1], codes[i + 2]) + 1] += 1; }
    for (i = 0; i < 0x10000; i += 1) { heads[i + 1] += heads[i]; }
    var next = heads.slice(), spots = new Uint32Array(Math.max(0, length - 2));
    for (i = 0; i + 2 < length; i += 1) { spots[next[slot(codes[i], codes[i + 1], codes[i + 2])]++] = i; }
    this.heads = heads;
    this.spots = spots;
  };
  /* pattern이 나오는 자리를 앞에서부터 하나씩 알립니다. */
  Engine.prototype.each = function (pattern, tell) {
    var line = this.line, at, i;
    if (pattern.length < 3) {
      for (at = line.indexOf(pattern); at >= 0; at = line.indexOf(pattern, at + 1)) { tell(at); }
      return;
    }
    var least = Infinity, from = 0, shift = 0;
    for (i = 0; i + 2 < pattern.length; i += 1) {
      var n = slot(pattern.charCodeAt(i), pattern.charCodeAt(i + 1), pattern.charCodeAt(i + 2));
      if (this.heads[n + 1] - this.heads[n] < least) { least = this.heads[n + 1] - this.heads[n]; from = this.heads[n]; shift = i; }
    }
    for (i = from; i < from + least; i += 1) {
      at = this.spots[i] - shift;
      if (at >= 0 && line.startsWith(pattern, at)) { tell(at); }
    }
  };
  /* at이 들어 있는 글 조각. */
  Engine.prototype.pieceAt = function (at) {
    var low = 0, high = this.ends.length - 1;
    while (low < high) {
      var middle = (low + high) >> 1;
      if (this.ends[middle] <= at) { low = middle + 1; } else { high = middle; }
    }
    return this.pieces[low];
  };

  /* line의 at에 있는 pattern을 얼마로 셀지. 0이면 세지 않습니다. */
  function weigh(line, starts, at, pattern, loose) {
    var size = pattern.length, end = at + size, i;
    var begins = starts[at] > 0;
    var spaced = 0;
    var next = end < line.length ? line.charCodeAt(end) : BREAK;
    var latin = isLatin(pattern.charCodeAt(size - 1));
    if (isLatin(pattern.charCodeAt(0)) && !begins) { return latin && size >= 5 && isLatin(line.charCodeAt(at - 1)) ? 0.25 : 0; }
    if (latin) {
      // 'gg'가 'g g'에서 나오지 않게: 짧은 말은 A/B, 401(k)처럼 부호로 이어진 것만 한 낱말입니다.
      for (i = at + 1; size <= 3 && i < end; i += 1) { if (starts[i] === 1) { return 0; } }
      var closed = !isLatin(next) || starts[end] > 0;
      if (!closed && next === 115 && (end + 1 >= line.length || !isLatin(line.charCodeAt(end + 1)) || starts[end + 1] > 0)) { closed = true; }
      return closed ? 1 : size >= 4 ? 0.4 : 0;
    }
    for (i = at + 1; i < end; i += 1) { spaced += starts[i] ? 1 : 0; }
    var syllables = 0;
    for (i = 0; i < size; i += 1) { var c = pattern.charCodeAt(i); if (c >= INITIAL && c < MEDIAL) { syllables += 1; } }
    if (spaced && syllables === size) { return 0; }
    // 두 글자 말은 낱말의 끝과 다음 낱말의 처음에 걸쳐 있어도 우연입니다.
    var mixed = isLatin(pattern.charCodeAt(0));
    // '시간 대략'은 '시간대'가 아닙니다: 빈칸 뒤의 한 글자는 낱말이 거기서 끝나야 합니다.
    if (spaced && !mixed && !loose && !starts[end] && next >= INITIAL) {
      for (i = end - 1; !starts[i]; i -= 1) { /* 마지막 낱말의 처음까지 */ }
      if (end - i <= 3 && pattern.charCodeAt(i - at + 1) < FINAL && (end - i < 3 || pattern.charCodeAt(i - at + 2) >= FINAL)) { return 0; }
    }
    if (spaced && !mixed && (!begins || (syllables <= 2 && !loose))) { return 0; }
    if (next >= FINAL && next < FINAL + 27) { return loose && begins ? 0.7 : 0; }
    if (syllables === 1 && !begins) { return 0; }
    return begins ? 1 : 0.5;
  }

  /* pattern이 나오는 곳: 문서 → 자리마다 센 값. */
  Engine.prototype.scan = function (pattern, loose) {
    var name = (loose ? "~" : "=") + pattern;
    if (this.found[name]) { return this.found[name]; }
    var hits = new Map(), engine = this;
    hits.asked = new Map();
    if (pattern) {
      this.each(pattern, function (at) {
        var weight = weigh(engine.line, engine.starts, at, pattern, loose);
        if (!weight) { return; }
        var piece = engine.pieceAt(at);
        if (piece[1] === FIELDS.question) {
          hits.asked.set(piece[2], Math.max(weight, hits.asked.get(piece[2]) || 0));
          return;
        }
        var counts = hits.get(piece[2]);
        if (!counts) { counts = [0, 0, 0, 0, 0, 0]; hits.set(piece[2], counts); }
        counts[piece[1]] += weight;
      });
    }
    this.found[name] = hits;
    return hits;
  };
  Engine.prototype.has = function (word) {
    return this.scan(key(word)).size > 0;
  };

  /* 낱말 하나를 찾을 여러 모습: [자모, 무게, 줄기인가]. */
  Engine.prototype.shapes = function (word) {
    var list = [[key(word), 1, false]];
    var bare = stripEnding(word);
    if (bare !== word) {
      list.push([key(bare), 0.95, false]);
      // 겹친 조사: '유저끼리만'
      var barer = stripEnding(bare);
      if (barer !== bare && !this.has(bare)) { list.push([key(barer), 0.9, false]); bare = barer; }
    }
    // '클릭률', '배달비'는 '클릭', '배달'로도. 온 말이 책에 있으면 앞의 두 글자만 있는 쪽은 그 말이 있는 쪽이 아닙니다.
    if (/^[가-힣]{2}[률율비량액수]$/.test(bare)) { list.push([key(bare.slice(0, -1)), 0.6, false, this.has(bare)]); }
    if (/^[a-z]{4,}s$/.test(word) && !/ss$/.test(word)) { list.push([key(word.slice(0, -1)), 0.95, false]); }
    if (/[가-힣]$/.test(word)) {
      var root = stem(word);
      if (root) {
        list.push([root, 0.7, true]);
        // 줄어든 줄기: '느려'와 '느리', '바꿔'와 '바꾸'
        var open = SHORTENED[root[root.length - 1]];
        if (open && root.length >= 4) { list.push([root.slice(0, -1) + open, 0.7, true]); }
        if (root === CANNOT[0]) { list.push([CANNOT[1], 0.7, true]); }
      }
    }
    return list;
  };
  /* 일터에서 바꾸어 쓰는 다른 말. */
  Engine.prototype.alike = function (word) {
    return this.everyday[key(word)] || this.everyday[key(stripEnding(word))] || this.everyday[stem(word)] || [];
  };
  Engine.prototype.known = function (word) {
    var engine = this;
    if (this.alike(word).length) { return true; }
    return this.shapes(word).some(function (shape) { return engine.scan(shape[0], shape[2]).size > 0 || engine.scan(shape[0], shape[2]).asked.size > 0; });
  };

  /* 어미를 떼야 겨우 한 곳에서 만나는 긴 말('이월효가'와 '이월효과'). 틀리게 친 용어인지 봅니다. */
  Engine.prototype.scarce = function (word) {
    return hangulOnly(word) && word.length >= 4 && !this.has(word) && this.scan(key(stripEnding(word))).size <= 1 && this.known(word);
  };

  /* 한 글자 틀린 말을 고칠 때 견줄 낱말. 용어, 제목, 찾을 말, 절의 이름은 한 번만 나와도 넣습니다. */
  Engine.prototype.buildWords = function () {
    var raw = {}, seen = {}, data = this.data;
    function add(text, rank) {
      (text.match(/[가-힣]+|[A-Za-z][A-Za-z0-9]+/g) || []).forEach(function (word) {
        var entry = raw[word];
        if (!entry) { raw[word] = { count: 1, rank: rank }; return; }
        entry.count += 1;
        if (rank > entry.rank) { entry.rank = rank; }
      });
    }
    this.names.forEach(function (pair) { add(pair[0], 3); add(pair[0].replace(/[^가-힣a-z0-9]/g, ""), 3); });
    data.pages.forEach(function (page) { add(page.t, 2); page.k.forEach(function (k) { add(k, 2); add(k.replace(/\s/g, ""), 2); }); });
    data.documents.forEach(function (d) { add(d[2], 1); add(d[3], 0); add(d[5], 0); });
    Object.keys(raw).forEach(function (form) {
      // 용어에는 조사가 없습니다. '이월효과'의 '과'는 조사가 아닙니다.
      var word = raw[form].rank === 3 ? normalise(form) : stripEnding(normalise(form));
      if (word.length < 2) { return; }
      var entry = seen[word] || (seen[word] = { word: word, count: 0, rank: 0 });
      entry.count += raw[form].count;
      entry.rank = Math.max(entry.rank, raw[form].rank);
    });
    this.vocabulary = Object.keys(seen).map(function (word) { return seen[word]; }).filter(function (e) { return e.rank > 0 || e.count > 1; });
    this.vocabulary.forEach(function (e) { e.pattern = key(e.word); e.latin = /[a-z]/.test(e.word); });
  };

  /* 글의 자모 셋씩. */
  function trios(text) {
    var k = key(text), out = {};
    for (var i = 0; i + 2 < k.length; i += 1) { out[k.slice(i, i + 3)] = true; }
    return Object.keys(out);
  }
  /* 쪽이 스스로를 부르는 말(제목, 찾을 말)과 절의 이름. '닮은 대조군이 없을 때'처럼 물음 그대로인 것이 많습니다. */
  Engine.prototype.buildPhrases = function () {
    var engine = this, data = this.data, seen = {};
    this.phrases = [];
    this.trios = new Map();
    function add(text, page, weight) {
      if (!text || seen[page + text]) { return; }
      seen[page + text] = true;
      var list = trios(text), id = engine.phrases.length;
      engine.phrases.push({ page: page, weight: weight, size: 0, trios: list });
      list.forEach(function (t) {
        var ids = engine.trios.get(t);
        if (ids) { ids.push(id); } else { engine.trios.set(t, [id]); }
      });
    }
    data.pages.forEach(function (page, number) {
      if (page.list) { return; }
      page.t.split(":").concat(page.k).forEach(function (text) { add(text, number, 1); });
    });
    data.pages.forEach(function (page, number) { page.q.forEach(function (text) { add(text, number, P.askedPhrase); }); });
    data.documents.forEach(function (d) { if (!data.pages[d[0]].list) { add(d[2].replace(/^[\d.]+\s*/, ""), d[0], 0.7); } });
    this.phrases.forEach(function (phrase) {
      phrase.trios.forEach(function (t) { var rare = engine.rare(t); phrase.size += rare * rare; });
    });
  };
  Engine.prototype.rare = function (trio) {
    var ids = this.trios.get(trio);
    return ids ? Math.log(1 + this.phrases.length / ids.length) : 0;
  };
  /* 묻는 글과 가장 닮은 말의 닮은 정도(0부터 1까지), 쪽마다. */
  Engine.prototype.likeness = function (text) {
    var engine = this, size = 0, shared = new Map(), best = new Map();
    trios(text).forEach(function (t) {
      var rare = engine.rare(t) || Math.log(1 + engine.phrases.length);
      size += rare * rare;
      (engine.trios.get(t) || []).forEach(function (id) { shared.set(id, (shared.get(id) || 0) + rare * rare); });
    });
    shared.forEach(function (sum, id) {
      var phrase = engine.phrases[id], value = phrase.weight * sum / Math.sqrt(size * phrase.size);
      if (value > (best.get(phrase.page) || 0)) { best.set(phrase.page, value); }
    });
    return best;
  };

  /* 쪽마다 독자의 말로 적은 물음(asked.yml). 물음 하나가 작은 문서 하나이고, 쪽의 글로 세지 않습니다. */
  Engine.prototype.buildAsked = function () {
    var engine = this, counts = new Map();
    this.askedRoots = new Map();
    this.asked.forEach(function (question, id) {
      question.words.forEach(function (word) {
        var root = shortRoot(word), ids = engine.askedRoots.get(root), bare = stripEnding(word);
        if (ids) { ids.push(id); } else if (root) { engine.askedRoots.set(root, [id]); }
        counts.set(bare, (counts.get(bare) || 0) + 1);
      });
    });
    this.asked.forEach(function (question) {
      question.size = question.words.reduce(function (sum, word) { return sum + engine.askedRare(counts.get(stripEnding(word)), asks(word)); }, 0);
    });
  };
  // 물음은 짧으므로 '빼지'와 '빼야'처럼 한 글자인 줄기도 견줍니다.
  function shortRoot(word) { return /[가-힣]$/.test(word) ? stem(word, 2) : ""; }
  /* 뜻 하나가 있는 물음들. 가장 잘 맞은 모습으로 셉니다. */
  Engine.prototype.askedHits = function (variants, word) {
    var engine = this, best = new Map();
    function count(id, value) { if (value > (best.get(id) || 0)) { best.set(id, value); } }
    variants.forEach(function (variant) {
      engine.scan(variant[0], variant[2]).asked.forEach(function (weight, id) { count(id, variant[1] * weight); });
    });
    (this.askedRoots.get(shortRoot(word)) || []).forEach(function (id) { count(id, P.root); });
    return best;
  };
  /* 물음 count개에 나오는 말의 무게. */
  Engine.prototype.askedRare = function (count, light) {
    return (light ? P.askedLight : 1) * Math.pow(Math.log(1 + this.asked.length / Math.max(1, count)), 2);
  };
  /* 쪽마다 가장 가까운 물음 하나와 닮은 정도(0부터 1까지), 그리고 물음마다 들어 있는 뜻. */
  Engine.prototype.closest = function (concepts) {
    var engine = this, size = 0, shared = new Map(), best = new Map();
    concepts.forEach(function (concept, i) {
      var same = engine.askedHits(concept.variants.filter(function (v) { return !v[3]; }), concept.text);
      var rare = engine.askedRare(same.size, concept.asking);
      size += rare;
      engine.askedHits(concept.variants, concept.text).forEach(function (weight, id) {
        var one = shared.get(id);
        if (!one) { one = { sum: 0, holds: [] }; shared.set(id, one); }
        one.sum += weight * rare;
        if (!same.size || same.has(id)) { one.holds.push(i); }
      });
    });
    shared.forEach(function (one, id) {
      var question = engine.asked[id], page = best.get(question.page);
      if (!page) { page = { value: 0, holds: [] }; best.set(question.page, page); }
      page.value = Math.max(page.value, Math.min(1, one.sum / Math.sqrt(size * question.size)));
      page.holds.push(one.holds);
    });
    return best;
  };

  /* 책에 없는 낱말과 가장 닮은 책의 낱말. 이웃한 낱말과 함께 책에 나오는 것을 먼저 고릅니다. */
  Engine.prototype.correct = function (word, before, after, rank) {
    var engine = this;
    var latin = /^[a-z]+$/.test(word);
    if (!latin && !hangulOnly(word)) { return ""; }
    var best = [];
    [word, stripEnding(word)].forEach(function (form, position, forms) {
      if (position && form === forms[0]) { return; }
      var pattern = key(form);
      if (form.length < (latin ? 4 : 2)) { return; }
      var limit = latin ? (form.length >= 7 ? 2 : 1) : (form.length >= 4 ? 2 : 1);
      engine.vocabulary.forEach(function (entry) {
        if (entry.rank < (rank || 0) || latin !== entry.latin || Math.abs(entry.word.length - form.length) > (latin ? 2 : 1)) { return; }
        var far = distance(pattern, entry.pattern, limit);
        // 네 글자부터는 글자 하나가 통째로 달라도 한 번 틀린 것입니다.
        if (far > limit && !latin && form.length >= 4 && distance(form, entry.word, 1) <= 1) { far = limit; }
        // 짧은 말은 이웃한 말과 함께 책에 나올 때만 그렇게 봅니다.
        if (far > limit && !latin && form.length >= 2 && form.length === entry.word.length && (before || after) && distance(form, entry.word, 1) === 1 && pattern.length === entry.pattern.length && distance(pattern, entry.pattern, 2) <= 2 &&
          ((before && engine.has(before + entry.word)) || (after && engine.has(entry.word + after)))) { far = limit; }
        // 두 글자 말은 용어나 제목, 찾을 말에 있는 것으로만 고칩니다. 나머지는 대개 용언입니다.
        if (!latin && form.length === 2 && !entry.rank) { return; }
        if (far > 0 && far <= limit) { best.push([far - 0.1 * entry.rank - 0.01 * Math.min(10, entry.count) + 0.05 * position + (form[0] === entry.word[0] ? 0 : 0.3), entry.word]); }
      });
    });
    best.sort(function (a, b) { return a[0] - b[0]; });
    best = best.slice(0, 8).map(function (pair) {
      var together = (before && engine.has(before + pair[1])) || (after && engine.has(pair[1] + after));
      return [pair[0] - (together ? 1 : 0), pair[1]];
    }).sort(function (a, b) { return a[0] - b[0]; });
    return best.length ? best[0][1] : "";
  };

  /* 붙여 쓴 말을 책에 나오는 둘로. */
  Engine.prototype.split = function (word) {
    for (var cut = word.length - 2; cut >= 2; cut -= 1) {
      if (this.known(word.slice(0, cut)) && this.known(word.slice(cut))) { return [word.slice(0, cut), word.slice(cut)]; }
    }
    return null;
  };

  /* 질의 → 낱말. 책에 없는 낱말은 자판, 붙여쓰기, 한 글자 틀림의 차례로 고쳐 봅니다. */
  Engine.prototype.read = function (query) {
    var engine = this;
    var raw = query.normalize("NFC").trim().split(/[\s,·?!"'“”‘’]+/).filter(Boolean);
    var changed = [];
    var words = [];
    function swap(from, to) { changed.push([from, to]); return to; }
    // 책에 없는 'nx.DiGraph', 'foo(bar=1)'은 이어진 이름을 하나씩 찾습니다.
    raw = raw.reduce(function (all, typed) {
      var parts = /^[A-Za-z_][\w.()=:\[\]]*$/.test(typed) && /[.()=:\[]/.test(typed) && !engine.known(normalise(typed)) ? typed.split(/[.()=:\[\]]+/).filter(function (part) { return part.length > 2; }) : [];
      if (!parts.length && /[a-z][A-Z]/.test(typed) && /^\w+$/.test(typed) && !engine.known(normalise(typed))) {
        parts = typed.split(/_|(?<=[a-z])(?=[A-Z])/).filter(function (part) { return part.length > 2 && engine.known(normalise(part)); });
      }
      return all.concat(parts.length ? parts : [typed]);
    }, []);
    raw.forEach(function (typed) {
      var word = normalise(typed);
      if (/^[a-z]+$/.test(word) && word.length >= 3 && !engine.known(word)) {
        var hangul = toHangul(typed) || toHangul(word);
        if (hangul && hangul.length >= 2 && engine.known(hangul)) { words.push(swap(typed, hangul)); return; }
        if (hangul && hangul.length >= 3) {
          var mended = engine.correct(hangul, "", "");
          if (mended) { words.push(swap(typed, mended)); return; }
        }
      } else if (/^[가-힣ㄱ-ㅎㅏ-ㅣ]+$/.test(word) && (/[ㄱ-ㅎㅏ-ㅣ]/.test(word) || !engine.known(word))) {
        var latin = toLatin(word);
        if (latin.length >= 2 && !/^(.)\1+$/.test(latin) && engine.has(latin)) { words.push(swap(typed, latin)); return; }
      }
      // 글자를 만드는 중인 낱자는 아직 없는 것으로 봅니다.
      word = word.replace(/[ㄱ-ㅎㅏ-ㅣ]+/g, "");
      if (key(word)) { words.push(word); }
    });
    var out = [];
    words.forEach(function (word, i) {
      if (engine.scarce(word)) {
        var term = engine.correct(word, "", "", 3);
        if (term) { out.push(swap(word, term)); return; }
      }
      if (engine.known(word) || WEEK.test(word) || asks(word)) { out.push(word); return; }
      var mended = engine.correct(word, out[out.length - 1] || "", words[i + 1] || "");
      var parts = hangulOnly(word) && word.length >= 4 ? engine.split(word) : null;
      if (mended && (!parts || mended.length >= word.length - 1)) { out.push(swap(word, mended)); }
      else if (parts) { out.push(parts[0], parts[1]); }
      else { out.push(word); }
    });
    return { words: out, changed: changed };
  };

  /* 낱말들 → 뜻. 용어집에 있는 말은 여러 낱말이어도 한 뜻이고, 같은 말을 모두 찾습니다. */
  Engine.prototype.concepts = function (words) {
    var engine = this, list = [];
    var i = 0;
    function variantsOf(groups, typed) {
      var variants = [[key(typed), 1, false]];
      groups.forEach(function (group) {
        group.names.forEach(function (name, position) {
          var k = key(name);
          if (!variants.some(function (v) { return v[0] === k; })) { variants.push([k, position ? 0.85 : 0.95, false]); }
        });
      });
      return variants;
    }
    function lookup(text) {
      var forms = [text, stripEnding(text), text.replace(/([a-z]{3,})s$/, "$1"), text.replace(/([a-z]{3,})s\b/g, "$1")];
      for (var f = 0; f < forms.length; f += 1) {
        var groups = engine.groups[key(forms[f])];
        if (groups) { return { groups: groups, typed: forms[f] }; }
      }
      return null;
    }
    /* 'dose response'처럼 용어의 앞부분만 친 여러 낱말의 영어 */
    function begun(text) {
      var k = key(text), groups = [];
      if (!/^[a-z ]{8,}$/.test(text)) { return null; }
      engine.names.forEach(function (pair) { if (key(pair[0]).indexOf(k) === 0 && groups.indexOf(pair[1]) < 0) { groups.push(pair[1]); } });
      return groups.length && groups.length <= 3 ? { groups: groups, typed: text } : null;
    }
    while (i < words.length) {
      var taken = 0, week, span, match;
      for (span = Math.min(6, words.length - i); span >= 1; span -= 1) {
        var text = words.slice(i, i + span).join(" ");
        week = span <= 3 && WEEK.exec(text);
        if (week && engine.data.pages.some(function (p) { return p.week === Number(week[1] || week[2]); })) {
          list.push({ text: text, week: Number(week[1] || week[2]), number: true, variants: [[key(text), 1, false]], asking: false });
          taken = span;
          break;
        }
        if (span === 2 && words[i] === "수" && /^없/.test(words[i + 1])) {
          list.push({ text: text, weeks: [], variants: [[CANNOT[1], 1, true], [CANNOT[0], 0.7, true]], asking: false });
          taken = span;
          break;
        }
        match = lookup(text) || (span > 1 && begun(text));
        if (match) {
          list.push({ text: text, weeks: match.groups.map(function (g) { return g.week; }), variants: variantsOf(match.groups, match.typed).concat(engine.alike(text).map(function (other) { return [key(other), P.everyday, false, true]; })), asking: false });
          taken = span;
          break;
        }
      }
      if (!taken) {
        var word = words[i];
        var variants = engine.shapes(word);
        var weeks = [];
        // 'propensity'처럼 용어의 앞부분만 친 영어
        if (/^[a-z]{4,}$/.test(word)) {
          var near = engine.names.filter(function (pair) { return key(pair[0]).indexOf(word) === 0; }).map(function (pair) { return pair[1]; });
          if (near.length && near.length <= 6) {
            near.forEach(function (group) { variants.push([key(group.names[0]), 0.8, false]); weeks.push(group.week); });
          }
        }
        engine.alike(word).forEach(function (other) { variants.push([key(other), P.everyday, false, true]); });
        list.push({ text: word, weeks: weeks, variants: variants, asking: asks(word) });
        taken = 1;
      }
      i += taken;
    }
    list.forEach(function (c) { c.others = words; });
    if (list.every(function (c) { return c.asking; })) { list.forEach(function (c) { c.asking = false; }); }
    var company = list.filter(function (c) { return !c.asking; }).length;
    list.forEach(function (c) { c.company = company; });
    return list;
  };

  function saturate(x, k) { return x / (x + k); }

  /* 뜻 하나가 문서와 쪽마다 얼마나 맞는지(0부터 1까지). */
  Engine.prototype.measure = function (concept) {
    var engine = this, data = this.data;
    var documents = new Map(), pages = new Map(), named = false, exact = new Set(), own = new Set();
    concept.variants.forEach(function (variant) {
      var byPage = new Map(), latin = isLatin(variant[0].charCodeAt(0));
      engine.scan(variant[0], variant[2]).forEach(function (n, id) {
        var number = data.documents[id][0];
        if (!variant[3]) { exact.add(number); own.add(id); }
        named = named || latin || n[0] + n[1] + n[2] + n[3] >= 1;
        // 여러 쪽의 코드에 나오는 이름은 그것을 설명하는 길잡이를 앞세웁니다.
        var code = (!latin ? 0.5 : data.pages[number].kind === "guide" ? P.codeGuide : P.code) * Math.min(1, n[5]);
        var size = 1 - P.docNorm + P.docNorm * engine.lengths[id] / engine.meanLength;
        var head = P.title * Math.min(1, n[0]) + P.keyword * Math.min(1, n[1]) + P.description * Math.min(1, n[2]) + (engine.leads.has(id) ? P.lead * Math.min(1, n[4]) : 0);
        var x = head + P.heading * Math.min(1, n[3]) + n[4] / size + code;
        var score = variant[1] * saturate(x, P.docK);
        if (score > (documents.get(id) || 0)) { documents.set(id, score); }
        var sum = byPage.get(number);
        if (!sum) { sum = [0, 0, 0, 0]; byPage.set(number, sum); }
        sum[0] += head;
        sum[1] = Math.min(8, sum[1] + P.pageHeading * Math.min(1, n[3]));
        sum[2] += n[4];
        sum[3] = Math.min(6, sum[3] + code);
      });
      byPage.forEach(function (sum, number) {
        var size = 1 - P.pageNorm + P.pageNorm * engine.pageLengths[number] / engine.meanPage;
        var score = variant[1] * saturate(sum[0] + sum[1] + sum[2] / size + sum[3], P.pageK);
        if (score > (pages.get(number) || 0)) { pages.set(number, score); }
      });
    });
    var weeks = concept.weeks || [];
    data.pages.forEach(function (page, number) {
      if (concept.number) {
        if (page.week !== concept.week) { return; }
        var asked = concept.others.some(function (word) { return engine.kindWords[page.kind] && engine.kindWords[page.kind].indexOf(word) >= 0; });
        var place = asked ? 1.2 : page.kind === "chapter" ? 1 : page.kind === "deeper" ? 0.7 : 0.6;
        pages.set(number, place);
        documents.set(engine.first[number], place);
      } else if (page.week !== null && weeks.indexOf(page.week) >= 0) {
        // 용어집이 적은 주차. 물음에 다른 말이 많으면 그만큼 덜 앞세웁니다.
        var more = (page.kind === "chapter" ? (pages.has(number) ? 0.7 : 0.35) : pages.has(number) ? 0.1 : 0) / concept.company;
        if (more) { pages.set(number, (pages.get(number) || 0) + more); exact.add(number); }
      }
    });
    var firm = concept.variants.some(function (v) { return !v[2] && engine.scan(v[0], false).size > 0; });
    var total = data.documents.length, df = own.size || documents.size;
    var idf = Math.log(1 + (total - df + 0.5) / (df + 0.5));
    // 친 말이 책에 있으면 그 말이 있는 쪽만 '그 말이 있는 쪽'입니다.
    return { documents: documents, pages: pages, exact: exact.size ? exact : null, firm: firm, weight: (concept.asking ? 0.12 : firm ? 1 : 0.5) * (named ? 1 : P.plain) * (/^[가-힣]$/.test(concept.text) ? 0.3 : 1) * (concept.number ? 6 : idf) };
  };

  /* 묻는 말 전체가 한데 나오는 곳. */
  Engine.prototype.whole = function (words) {
    var text = words.join("");
    var pattern = key(text);
    var bare = key(stripEnding(text));
    var bonus = new Map(), engine = this, data = this.data;
    [pattern, bare].forEach(function (p, position) {
      if (position && p === pattern) { return; }
      this.scan(p).forEach(function (n, id) {
        var page = data.documents[id][0];
        var title = n[0] >= 1 ? (engine.titles[page] === p ? 2.2 : 1.7) : 1;
        var exact = n[1] >= 1 && data.pages[page].k.some(function (k) { return key(k) === p; });
        var heading = n[3] >= 1 ? (key(data.documents[id][2].replace(/^[\d.]+\s*/, "")) === p ? 1.6 : 1.3) : 1;
        var size = Math.max(title, exact ? 1.7 : n[1] >= 1 ? 1.4 : 1, heading, n[4] >= 1 || n[2] >= 1 ? 1.15 : 1);
        if (size > (bonus.get(id) || 1)) { bonus.set(id, size); }
      });
    }, this);
    return bonus;
  };

  Engine.prototype.rank = function (words) {
    var engine = this, data = this.data;
    var concepts = this.concepts(words);
    var measured = concepts.map(function (concept) { return engine.measure(concept); });
    var total = measured.reduce(function (sum, m) { return sum + m.weight; }, 0);
    var whole = concepts.length === 1 && concepts[0].number ? new Map() : this.whole(words);
    var likeness = concepts.length > 1 ? this.likeness(words.join(" ")) : new Map();
    // 한 낱말은 책의 글이 먼저입니다. 책에 없는 말만 물음에서 찾습니다.
    var closest = concepts.length > 1 || !measured[0].documents.size ? this.closest(concepts) : new Map();
    var documents = new Map();
    measured.forEach(function (m) {
      m.documents.forEach(function (score, id) { documents.set(id, (documents.get(id) || 0) + m.weight * score); });
    });
    documents.forEach(function (score, id) { documents.set(id, score * (whole.get(id) || 1)); });
    // 용언의 줄기는 없어도 됩니다. 그것만 묻지 않았다면.
    var nouns = measured.map(function (m, i) { return !concepts[i].asking && (m.firm || concepts[i].number); });
    var needed = nouns.filter(Boolean).length;
    var results = [];
    data.pages.forEach(function (page, number) {
      var sum = 0, covered = 0, content = 0, present = 0;
      measured.forEach(function (m, i) {
        var score = m.pages.get(number);
        if (!score) { return; }
        sum += m.weight * score;
        covered += m.weight;
        if (!concepts[i].asking && (!m.exact || m.exact.has(number) || concepts[i].number)) {
          content += 1;
          present += nouns[i] ? 1 : 0;
        }
      });
      // 독자의 말로 적은 물음 하나가 가까우면, 글에 그 말이 없어도 그 쪽이 답입니다.
      var question = closest.get(number) || { value: 0, holds: [] };
      var asked = Math.max(0, question.value - P.near);
      if (!sum && !asked) { return; }
      var hits = engine.documentsOf[number].filter(function (id) { return documents.has(id); }).map(function (id) { return { id: id, score: documents.get(id) }; });
      hits.sort(function (a, b) { return b.score - a.score; });
      var bonus = engine.documentsOf[number].reduce(function (most, id) { return Math.max(most, whole.get(id) || 1); }, 1);
      if (page.kind === "chapter" && concepts.length === 1 && hits.length && (concepts[0].weeks || []).indexOf(page.week) >= 0) { bonus = Math.max(bonus, P.home); }
      if (page.list) {
        // 서로 다른 것을 늘어놓은 쪽은 한 항목에서 만난 말만 셉니다.
        sum = hits.length ? hits[0].score / (whole.get(hits[0].id) || 1) : 0;
        content = concepts.filter(function (c, i) { return !c.asking && hits.length && measured[i].documents.has(hits[0].id); }).length;
        present = concepts.filter(function (c, i) { return nouns[i] && hits.length && measured[i].documents.has(hits[0].id); }).length;
        covered = measured.reduce(function (all, m) { return all + (hits.length && m.documents.has(hits[0].id) ? m.weight : 0); }, 0);
        if (!sum) { sum = 0.01; }
      }
      if (asked) {
        // 가장 가까운 물음에 없는 말도 다른 물음 하나에 모두 있으면 있는 것입니다.
        question.holds.forEach(function (held) {
          content = Math.max(content, held.filter(function (i) { return !concepts[i].asking; }).length);
          present = Math.max(present, held.filter(function (i) { return nouns[i]; }).length);
        });
      }
      var share = covered / total;
      var score = (sum + P.section * (hits.length ? hits[0].score : 0)) * Math.pow(share, P.share) * bonus * page.w;
      score += P.phrase * total * page.w * Math.max(0, (likeness.get(number) || 0) - P.alike);
      score += P.asked * total * page.w * asked;
      results.push({ asked: question.value, full: needed > 0 && needed <= P.strict && present === needed, number: number, score: score, content: content, hits: hits });
    });
    // 늘어놓은 쪽은, 제목이나 그 쪽의 물음을 찾은 것이 아니면, 그 말들을 다 다루는 쪽보다 앞서지 않습니다.
    results.forEach(function (result) {
      var page = data.pages[result.number];
      if (!page.list || result.asked > P.sure || (whole.get(engine.first[result.number]) || 1) > 1.5) { return; }
      var ahead = results.reduce(function (most, other) {
        var rival = data.pages[other.number];
        return !rival.list && other.content >= result.content && other.hits.length ? Math.max(most, other.score) : most;
      }, 0);
      if (ahead) { result.score = Math.min(result.score, 0.98 * ahead); }
    });
    results.sort(function (a, b) { return b.full - a.full || b.score - a.score; });
    return { concepts: concepts, measured: measured, results: results };
  };

  /* 쪽마다 묶어 점수가 높은 차례로. */
  Engine.prototype.search = function (query, limit) {
    var engine = this, data = this.data;
    var read = this.read(query);
    this.said = { changed: read.changed, missing: [] };
    if (!read.words.length) { return []; }
    var ranked = this.rank(read.words);
    this.said.missing = ranked.concepts.filter(function (c, i) { return !c.asking && !ranked.measured[i].documents.size; }).map(function (c) { return c.text; });
    // 묻는 말투만 맞은 것은 찾은 것이 아닙니다.
    ranked.results = ranked.results.filter(function (result) { return result.content > 0; });
    var patterns = [];
    ranked.concepts.forEach(function (concept, i) {
      concept.variants.forEach(function (v) { patterns.push({ pattern: v[0], loose: v[2], concept: i, weight: ranked.measured[i].weight }); });
    });
    return ranked.results.slice(0, limit || 8).map(function (result) {
      var page = data.pages[result.number];
      var hits = result.hits.slice(0, 3);
      if (!hits.length) { hits = [{ id: engine.first[result.number], score: 0 }]; }
      return {
        url: page.u, title: page.t, kind: page.kind, score: result.score,
        // 글도 제목도 없는 절(쪽 제목만 맞은 것)은 첫째 자리에서만 보여 줍니다.
        sections: hits.filter(function (hit, position) {
          return position === 0 || data.documents[hit.id][2] || data.documents[hit.id][3];
        }).map(function (hit) {
          var document = data.documents[hit.id];
          var prose = document[3];
          if (hit.id === engine.first[result.number] && (!prose || !marks(prose, patterns).length)) { prose = page.d || prose; }
          return { url: page.u + (document[1] ? "#" + document[1] : ""), heading: document[2], snippet: snippet(prose, patterns) };
        })
      };
    });
  };

  /* 아무것도 찾지 못했을 때: 글자가 가장 닮은 용어와 제목, 그것도 없으면 어디서나 출발할 수 있는 쪽. */
  Engine.prototype.suggest = function (query, limit) {
    var data = this.data, engine = this;
    var wanted = trios(query);
    function alike(text) {
      var other = trios(text);
      var both = wanted.filter(function (p) { return other.indexOf(p) >= 0; }).length;
      return wanted.length + other.length ? 2 * both / (wanted.length + other.length) : 0;
    }
    var best = new Map();
    data.pages.forEach(function (page, number) {
      best.set(number, Math.max(alike(page.t.split(":")[0]), page.k.reduce(function (most, k) { return Math.max(most, alike(k)); }, 0)));
    });
    this.names.forEach(function (pair) {
      var score = alike(pair[0]);
      data.pages.forEach(function (page, number) { if (page.kind === "chapter" && page.week === pair[1].week && score > best.get(number)) { best.set(number, score); } });
    });
    var close = Array.from(best).filter(function (e) { return e[1] >= 0.3; }).sort(function (a, b) { return b[1] - a[1]; });
    if (!close.length) {
      close = ["guides/method_map.html", "guides/glossary.html", "index.html"].map(function (u) { return [data.pages.findIndex(function (p) { return p.u === u; }), 0]; }).filter(function (e) { return e[0] >= 0; });
    }
    return close.slice(0, limit || 3).map(function (e) {
      var page = engine.data.pages[e[0]];
      return { url: page.u, title: page.t, kind: page.kind, description: page.d };
    });
  };

  /* 글에서 찾은 자리: [처음, 끝, 뜻, 무게]. */
  function marks(text, patterns) {
    var e = encode(text), line = toText(e.codes), list = [];
    patterns.forEach(function (p) {
      if (!p.pattern) { return; }
      for (var at = line.indexOf(p.pattern); at >= 0; at = line.indexOf(p.pattern, at + 1)) {
        if (weigh(line, e.starts, at, p.pattern, p.loose) >= 0.4) {
          list.push([e.places[at], e.places[at + p.pattern.length - 1] + 1, p.concept, p.weight]);
        }
      }
    });
    list.sort(function (a, b) { return a[0] - b[0] || b[1] - a[1]; });
    return list.filter(function (m, i) { return !list.slice(0, i).some(function (o) { return m[0] < o[1] && m[1] <= o[1]; }); });
  }

  /* 찾은 말이 가장 많이 모인 대목. [글, 찾은 말인가]를 이어 붙이면 미리보기가 됩니다. */
  function snippet(text, patterns) {
    var WIDTH = 110;
    var found = marks(text, patterns);
    if (!found.length) { return [[text.slice(0, WIDTH) + (text.length > WIDTH ? "…" : ""), false]]; }
    var best = 0, most = -1;
    found.forEach(function (m, i) {
      var seen = {}, sum = 0;
      for (var j = i; j < found.length && found[j][1] <= m[0] + WIDTH - 20; j += 1) {
        if (!seen[found[j][2]]) { seen[found[j][2]] = true; sum += found[j][3]; }
      }
      if (sum > most + 1e-9) { most = sum; best = i; }
    });
    var from = Math.max(0, found[best][0] - 30);
    var sentence = Math.max(text.lastIndexOf(". ", found[best][0]), text.lastIndexOf("? ", found[best][0]));
    if (sentence >= 0 && found[best][0] - sentence - 2 <= 45) { from = sentence + 2; }
    else if (from) { var space = text.indexOf(" ", from); if (space >= 0 && space < found[best][0]) { from = space + 1; } }
    var to = Math.min(text.length, Math.max(from + WIDTH, found[best][1]));
    var out = [], at = from;
    if (from) { out.push(["…", false]); }
    found.forEach(function (m) {
      if (m[0] < at || m[1] > to) { return; }
      if (m[0] > at) { out.push([text.slice(at, m[0]), false]); }
      out.push([text.slice(m[0], m[1]), true]);
      at = m[1];
    });
    out.push([text.slice(at, to) + (to < text.length ? "…" : ""), false]);
    return out.filter(function (piece) { return piece[0]; });
  }

  root.BookSearch = { Engine: Engine, stripEnding: stripEnding, asks: asks, stem: function (word) { return decode(stem(word)); }, toHangul: toHangul, toLatin: toLatin, distance: distance };
})(typeof window === "undefined" ? globalThis : window);
