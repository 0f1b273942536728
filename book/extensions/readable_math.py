"""LaTeX 식을 한 줄의 글로. 검색 결과처럼 식을 그릴 수 없는 자리에 씁니다."""

import re
import unicodedata

_WORDS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
    "sum": "Σ", "prod": "Π", "int": "∫", "partial": "∂", "infty": "∞", "mid": " | ", "cdot": "·", "times": "×",
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "sim": "~", "propto": "∝",
    "pm": "±", "perp": "⊥", "in": "∈", "notin": "∉", "to": "→", "rightarrow": "→", "Rightarrow": "⇒", "top": "ᵀ",
    "ldots": "…", "dots": "…", "cdots": "…", "lVert": "‖", "rVert": "‖", "quad": " ", "qquad": " ",
    "{": "{", "}": "}", "#": "#", "%": "%", "_": "_", "\\": " ", ",": " ", ";": " ", " ": " ", "!": "", ":": " ",
}  # fmt: skip
_MARKS = {"hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303", "widetilde": "\u0303", "bar": "\u0304"}
_LOW = str.maketrans("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_HIGH = str.maketrans("0123456789+-=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ")
_TOKEN = re.compile(r"\\(?:[A-Za-z]+|.)|[{}]|\s+|.", re.DOTALL)
_SIMPLE = re.compile(r"√?[\w\u0300-\u0304₀-₉ᵢⱼₖₜ.…]+(?:\([^()]*\))?")
_SPACES = re.compile(r"\s+")


def readable_math(tex: str) -> str:
    r"""LaTeX 식을 읽을 수 있는 유니코드 한 줄로 바꿉니다.

    ``\hat\tau = \frac{1}{n} \sum_i Y_i``는 ``τ̂ = 1/n Σᵢ Yᵢ``가 됩니다. 모르는 명령은 이름만 남깁니다.
    """
    tex = re.sub(r"^\s*\\[(\[]|\\[)\]]\s*$", "", tex.strip())
    tokens = _TOKEN.findall(re.sub(r"\\(?:begin|end)\{\w+\*?\}|\\left\b|\\right\b|&", "", tex))
    return unicodedata.normalize("NFC", _SPACES.sub(" ", _line(tokens, None)).strip())


def _line(tokens: list[str], end: str | None) -> str:
    """``end``까지(없으면 끝까지) 읽은 글."""
    pieces: list[str] = []
    while tokens:
        if tokens[0] == end:
            tokens.pop(0)
            break
        pieces.append(_one(tokens))
    return "".join(pieces)


def _one(tokens: list[str]) -> str:
    """묶음이나 명령 하나의 글."""
    token = tokens.pop(0)
    if token == "{":
        return _line(tokens, "}")
    if token in "_^" and tokens:
        return _script(_argument(tokens), low=token == "_")
    if not token.startswith("\\"):
        return " " if token.isspace() else token
    name = token[1:]
    if name in _MARKS:
        base = _argument(tokens)
        return base + _MARKS[name] if len(base) == 1 else f"({base}){_MARKS[name]}"
    if name in {"frac", "tfrac", "dfrac"}:
        above, below = _argument(tokens), _argument(tokens)
        return f"{_grouped(above)}/{_grouped(below)}"
    if name == "sqrt":
        return f"√{_grouped(_argument(tokens))}"
    if name == "underbrace":
        body = _argument(tokens)
        if not tokens or tokens[0] != "_":
            return body
        tokens.pop(0)
        return f"{body}({_argument(tokens)})"
    if name in {"text", "mathrm", "mathbf", "mathbb", "operatorname", "textstyle", "displaystyle"}:
        return _argument(tokens)
    if re.fullmatch(r"[bB]igg?[lrm]?", name):
        return ""
    return _WORDS.get(name, name)


def _argument(tokens: list[str]) -> str:
    """명령의 인자 하나. 빈칸은 건너뜁니다."""
    while tokens and tokens[0].isspace():
        tokens.pop(0)
    return _one(tokens).strip() if tokens else ""


def _grouped(text: str) -> str:
    return text if not text or _SIMPLE.fullmatch(text) else f"({text})"


def _script(text: str, *, low: bool) -> str:
    """아래와 위 첨자. 글꼴에 첨자가 없는 글자는 _와 ^로 적습니다."""
    small = text.translate(_LOW if low else _HIGH)
    if text in {"ᵀ", "*", "′"} or all(a != b for a, b in zip(text, small, strict=True)):
        return small
    return ("_" if low else "^") + (text if _SIMPLE.fullmatch(text) else f"({text})")
