import sys

# nbformat이 부르는 jsonschema가 쓰지도 않는 IRI 문법을 읽느라 프로세스마다 1.4초를 씁니다. 없는 셈 칩니다.
sys.modules.setdefault("rfc3987_syntax", None)
