"""사례 데이터의 시험이 쓰는 도구. 무엇을 잘못 적었는지 파일과 고치는 법으로 알려 줍니다."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from book.catalog import card_line, make, read_catalog
from causal_practice import generator

LARGE = 400_000


@dataclass(frozen=True)
class CaseData:
    """사례의 데이터 하나. 처치와 결과의 열은 카드의 role에서 찾습니다.

    Attributes
    ----------
    name : str
        데이터의 이름.
    potential : (str, str)
        처치하지 않았을 때와 했을 때의 잠재적 결과가 담긴 열.
    no_effect : dict
        효과를 끄는 ``generate``의 인자.
    """

    name: str
    potential: tuple[str, str]
    no_effect: dict = field(default_factory=dict)

    def column(self, role: str) -> str:
        """카드에서 role이 ``role``인 하나뿐인 열."""
        columns = read_catalog()[self.name]["columns"]
        found = [column for column, detail in columns.items() if detail.get("role") == role]
        assert len(found) == 1, (
            f"data/catalog.yml:{card_line(self.name)}: role이 {role}인 열이 {len(found)}개입니다({found}) "
            "— 하나만 두거나, 이 시험에서 그 열을 직접 부르세요."
        )
        return found[0]

    def truth(self, name: str) -> float:
        """카드에 적힌 정답."""
        known = read_catalog()[self.name].get("truth") or {}
        assert name in known, (
            f"data/catalog.yml:{card_line(self.name)}: truth에 {name}이(가) 없습니다(있는 것: {', '.join(known)}) "
            f"— 카드에 {name}을(를) 적거나, 시험이 부르는 이름을 고치세요."
        )
        return known[name]

    def world(self, **changes) -> pd.DataFrame:
        """기본값에 ``changes``를 덮어쓴 자료(정답 열 포함)."""
        unknown = sorted(set(changes) - set(generator(self.name).DEFAULTS))
        assert not unknown, (
            f"data/generators/{self.name}.py:1: DEFAULTS에 {unknown} 인자가 없습니다 "
            f"— 생성기에 두거나 tests/pages/test_{self.name}.py의 no_effect를 고치세요."
        )
        frame = make(self.name, **changes)
        missing = [column for column in self.potential if column not in frame]
        assert not missing, (
            f"data/generators/{self.name}.py:1: {missing} 열이 없습니다 "
            f"— tests/pages/test_{self.name}.py의 potential에 잠재적 결과의 열을 적으세요."
        )
        return frame

    def effects(self, **changes) -> pd.Series:
        """행마다의 효과."""
        frame = self.world(**changes)
        return frame[self.potential[1]] - frame[self.potential[0]]

    def truth_is_the_population_average(self, name: str) -> None:
        """카드의 ATE, ATT, ATU가 큰 표본의 평균에서 몬테카를로 오차의 네 배 안에 있는지 봅니다."""
        wanted, frame = self.truth(name), self.world(seed=1, n=LARGE)
        treated = frame[self.column("treatment")] == 1
        rows = {"ATE": treated | True, "ATT": treated, "ATU": ~treated}
        assert name in rows, f"{name}은(는) 평균으로 견줄 수 없습니다 — 이 시험에서 정답의 정의대로 계산하세요."
        effect = (frame[self.potential[1]] - frame[self.potential[0]])[rows[name]]
        error = 4 * effect.std() / np.sqrt(len(effect))
        assert abs(effect.mean() - wanted) <= error, (
            f"data/catalog.yml:{card_line(self.name)}: {name}이 {wanted}인데 {len(effect):,}행의 평균은 "
            f"{effect.mean():.4g}(±{error:.2g})입니다 — 카드의 truth나 생성기를 고치세요."
        )

    def naive(self) -> float:
        """단순 비교: 처치한 쪽과 하지 않은 쪽의 결과 평균의 차이."""
        frame = self.world()
        treated = frame[self.column("treatment")] == 1
        outcome = frame[self.column("outcome")]
        return outcome[treated].mean() - outcome[~treated].mean()

    def treated_share(self) -> float:
        """처치한 행의 비율."""
        return float((self.world()[self.column("treatment")] == 1).mean())
