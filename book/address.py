"""책의 두 주소: 원고가 있는 저장소와 펴낸 사이트.

저장소는 ``_config.yml``의 ``repository``에 적습니다. 사이트는 펴내기 작업이 환경변수 ``SITE_ADDRESS``로 알려 주고, 다른 곳에
올린다면 ``_config.yml``의 ``html.baseurl``에 적습니다. 둘 다 비어 있어도 책은 만들어집니다.
"""

import os
import re
from urllib.parse import urlsplit

import yaml

from book.page import ROOT, PageError

VARIABLE = "SITE_ADDRESS"


def _config() -> dict:
    return yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8")) or {}


def repository() -> str:
    """``_config.yml``에 적은 저장소의 주소. 비어 있으면 빈 글자입니다."""
    return (_config().get("repository") or {}).get("url") or ""


def site() -> str:
    """펴낸 사이트의 주소(끝에 ``/``). 모르면 빈 글자입니다.

    Raises
    ------
    PageError
        주소가 http나 https로 시작하지 않을 때.
    """
    found = os.environ.get(VARIABLE) or (_config().get("html") or {}).get("baseurl") or ""
    if not found:
        return ""
    parts = urlsplit(found)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise PageError(
            f"펴낼 주소가 {found!r}입니다. 환경변수 {VARIABLE}나 _config.yml의 html.baseurl에 https://로 시작하는 주소를 적으세요."
        )
    return found.rstrip("/") + "/"


def root() -> str:
    """사이트 뿌리의 경로. ``https://team.github.io/book/``이면 ``/book/``, 주소를 모르면 ``/``입니다."""
    return urlsplit(site()).path or "/"


def repository_path(address: str) -> str:
    """저장소 주소에서 ``이름/저장소``.

    Raises
    ------
    PageError
        ``https://github.com/이름/저장소`` 꼴이 아닐 때.
    """
    match = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?", address)
    if not match:
        raise PageError(
            f"_config.yml의 repository.url은 https://github.com/이름/저장소 꼴이어야 합니다. 지금: {address}"
        )
    return match.group(1)
