"""검색 자료를 담는 스크립트 한 줄. 사이트를 짓는 확장이 쓰고, 시험과 벤치마크가 도로 꺼내 봅니다."""

import base64
import gzip
import json


def pack(data: dict) -> str:
    """검색 자료를 gzip으로 줄여 스크립트 한 줄로. 같은 자료는 언제나 같은 글이 됩니다."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return f'window.BOOK_SEARCH_DATA="{base64.b64encode(gzip.compress(text, 9, mtime=0)).decode()}";\n'


def unpack(script: str) -> dict:
    """``pack``이 만든 스크립트에서 자료를 도로 꺼냅니다."""
    return json.loads(gzip.decompress(base64.b64decode(script.split('"')[1])))
