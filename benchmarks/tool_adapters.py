"""도구마다의 어댑터: 저마다의 환경에서 ``benchmarks.tools``가 파일로 부릅니다.

    python benchmarks/tool_adapters.py 도구 일감.json

어댑터는 그 도구의 문서를 따라 할 때 쓰는 코드 그대로이고, 책의 코드는 하나도 쓰지 않습니다(``ours``만 우리 파이프라인입니다).
표의 '줄'은 이 함수들의 문장을 센 것입니다. 일감 하나가 끝날 때마다 JSON으로 [일감의 번호, [추정값, 아래, 위, CPU 초]]를 한 줄씩 찍습니다.
``targeting``의 셋은 새 대상마다의 목록입니다. 구간이 없으면 None입니다.

공평하게: 기계학습을 받는 도구에는 모두 같은 LightGBM을 주고, 구간은 모두 95%입니다.
"""

import contextlib
import json
import sys
import time
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
X = ["x1", "x2", "x3", "x4"]
SMALL = {
    "n_estimators": 100,
    "num_leaves": 8,
    "learning_rate": 0.05,
    "min_child_samples": 20,
    "n_jobs": 1,
    "verbose": -1,
}
SEARCH_SECONDS = 30
SAMPLES = {"draws": 500, "tune": 500, "chains": 2, "cores": 1, "progressbar": False}


def _learners():
    from lightgbm import LGBMClassifier, LGBMRegressor

    return LGBMRegressor(**SMALL), LGBMClassifier(**SMALL)


def _spread(draws) -> tuple[float, float, float]:
    """사후 표본의 평균과 가운데 95%."""
    values = np.ravel(draws)
    return (float(values.mean()), *(float(v) for v in np.quantile(values, [0.025, 0.975])))


# --- DoWhy ---
def dowhy_confounded(frame, new, seed):
    from dowhy import CausalModel

    model = CausalModel(frame, "t", "y", common_causes=X)
    estimand = model.identify_effect(proceed_when_unidentifiable=True)
    found = model.estimate_effect(estimand, method_name="backdoor.linear_regression", confidence_intervals=True)
    return found.value, *np.ravel(found.get_confidence_intervals())[:2]


def dowhy_dose(frame, new, seed):
    from dowhy import CausalModel

    model = CausalModel(frame, "t", "y", common_causes=X)
    estimand = model.identify_effect(proceed_when_unidentifiable=True)
    name = "backdoor.linear_regression"
    found = model.estimate_effect(
        estimand, method_name=name, control_value=1, treatment_value=3, confidence_intervals=True
    )
    return found.value, *np.ravel(found.get_confidence_intervals())[:2]


def dowhy_encouragement(frame, new, seed):
    from dowhy import CausalModel

    model = CausalModel(frame, "t", "y", common_causes=X, instruments=["z"])
    estimand = model.identify_effect(proceed_when_unidentifiable=True)
    found = model.estimate_effect(estimand, method_name="iv.instrumental_variable", confidence_intervals=True)
    return found.value, *np.ravel(found.get_confidence_intervals())[:2]


# --- EconML ---
def econml_confounded(frame, new, seed):
    from econml.dr import LinearDRLearner

    outcome, treatment = _learners()
    model = LinearDRLearner(model_regression=outcome, model_propensity=treatment, cv=5, random_state=seed)
    model.fit(frame["y"], frame["t"], X=None, W=frame[X])
    return model.ate(), *model.ate_interval(alpha=0.05)


def econml_targeting(frame, new, seed):
    from econml.dml import CausalForestDML

    outcome, treatment = _learners()
    model = CausalForestDML(
        model_y=outcome, model_t=treatment, discrete_treatment=True, n_estimators=500, n_jobs=1, random_state=seed
    )
    model.fit(frame["y"], frame["t"], X=frame[X])
    return model.effect(new[X]), *model.effect_interval(new[X], alpha=0.05)


def econml_dose(frame, new, seed):
    from econml.dml import LinearDML
    from sklearn.multioutput import MultiOutputRegressor
    from sklearn.preprocessing import PolynomialFeatures

    outcome, _ = _learners()
    bends = PolynomialFeatures(degree=3, include_bias=False)
    treatment = MultiOutputRegressor(outcome)  # 3차식이라 예측할 처치가 셋입니다
    model = LinearDML(model_y=outcome, model_t=treatment, treatment_featurizer=bends, cv=5, random_state=seed)
    model.fit(frame["y"], frame[["t"]], X=None, W=frame[X])
    return model.ate(T0=1, T1=3), *model.ate_interval(T0=1, T1=3, alpha=0.05)


def econml_encouragement(frame, new, seed):
    from econml.iv.dml import OrthoIV

    outcome, treatment = _learners()
    model = OrthoIV(
        model_y_xw=outcome, model_t_xw=treatment, model_z_xw=treatment,
        discrete_treatment=True, discrete_instrument=True, cv=5, random_state=seed,
    )  # fmt: skip
    model.fit(frame["y"], frame["t"], Z=frame["z"], X=None, W=frame[X])
    return model.ate(), *model.ate_interval(alpha=0.05)


# --- CausalML ---
def causalml_confounded(frame, new, seed):
    from causalml.inference.meta import BaseXRegressor

    outcome, _ = _learners()
    model = BaseXRegressor(learner=outcome)
    found = model.estimate_ate(frame[X].to_numpy(), frame["t"].to_numpy(), frame["y"].to_numpy())
    return tuple(v[0] for v in found)


def causalml_targeting(frame, new, seed):
    from causalml.inference.meta import BaseXRegressor

    outcome, _ = _learners()
    model = BaseXRegressor(learner=outcome)
    model.fit(frame[X].to_numpy(), frame["t"].to_numpy(), frame["y"].to_numpy(), p=np.full(len(frame), 0.5))
    return np.ravel(model.predict(new[X].to_numpy(), p=np.full(len(new), 0.5))), None, None


def causalml_encouragement(frame, new, seed):
    from causalml.inference.iv import IVRegressor

    model = IVRegressor()
    model.fit(frame[X].to_numpy(), frame["t"].to_numpy(), frame["y"].to_numpy(), frame["z"].to_numpy())
    value, error = model.predict()
    return value, value - 1.96 * error, value + 1.96 * error


# --- DoubleML ---
def doubleml_confounded(frame, new, seed):
    from doubleml import DoubleMLData, DoubleMLIRM

    np.random.seed(seed)
    outcome, treatment = _learners()
    model = DoubleMLIRM(DoubleMLData(frame, "y", "t", X), ml_g=outcome, ml_m=treatment).fit()
    return model.coef[0], *model.confint().iloc[0]


def doubleml_targeting(frame, new, seed):
    from doubleml import DoubleMLData, DoubleMLIRM
    from sklearn.preprocessing import PolynomialFeatures

    np.random.seed(seed)
    outcome, treatment = _learners()
    model = DoubleMLIRM(DoubleMLData(frame, "y", "t", X), ml_g=outcome, ml_m=treatment).fit()
    bends = PolynomialFeatures(degree=2)
    found = model.cate(pd.DataFrame(bends.fit_transform(frame[X])))
    low, value, high = found.confint(pd.DataFrame(bends.transform(new[X])), level=0.95).to_numpy().T
    return value, low, high


def doubleml_dose(frame, new, seed):
    from doubleml import DoubleMLData, DoubleMLPLR

    np.random.seed(seed)
    outcome, _ = _learners()
    model = DoubleMLPLR(DoubleMLData(frame, "y", "t", X), ml_l=outcome, ml_m=outcome).fit()
    return 2 * model.coef[0], *(2 * model.confint().iloc[0])


def doubleml_encouragement(frame, new, seed):
    from doubleml import DoubleMLData, DoubleMLIIVM

    np.random.seed(seed)
    outcome, treatment = _learners()
    data = DoubleMLData(frame, "y", "t", X, "z")
    model = DoubleMLIIVM(data, ml_g=outcome, ml_m=treatment, ml_r=treatment).fit()
    return model.coef[0], *model.confint().iloc[0]


def doubleml_staggered(frame, new, seed):
    from doubleml.data import DoubleMLPanelData
    from doubleml.did import DoubleMLDIDMulti
    from sklearn.dummy import DummyClassifier, DummyRegressor

    np.random.seed(seed)
    data = DoubleMLPanelData(frame, y_col="y", d_cols="start", id_col="unit", t_col="week")
    model = DoubleMLDIDMulti(data, ml_g=DummyRegressor(), ml_m=DummyClassifier(strategy="prior")).fit()
    found = model.aggregate("group").overall_summary.iloc[0]
    return found["coef"], found["2.5 %"], found["97.5 %"]


# --- causaltune ---
def _tuned(frame, seed, **roles):
    from causaltune import CausalTune
    from causaltune.data_utils import CausalityDataset

    np.random.seed(seed % 2**32)
    data = CausalityDataset(data=frame, treatment="t", outcomes=["y"], effect_modifiers=X, **roles)
    data.preprocess_dataset()
    tuner = CausalTune(
        time_budget=SEARCH_SECONDS, components_time_budget=SEARCH_SECONDS / 20, propensity_model="auto",
        components_njobs=1, verbose=0, components_verbose=0,
    )  # fmt: skip
    tuner.fit(data, outcome="y")
    return tuner, data.data


def _tuned_average(tuner, rows):
    value = float(np.asarray(tuner.effect(rows)).mean())
    for ask in (
        lambda: tuner.effect_inference(rows).population_summary(alpha=0.05).conf_int_mean(alpha=0.05),
        lambda: tuner.model.estimator.ate_inference(rows[X].to_numpy(), T0=0, T1=1).conf_int_mean(alpha=0.05),
    ):
        with contextlib.suppress(Exception):
            return value, *(float(np.ravel(v)[0]) for v in ask())
    return value, None, None


def causaltune_confounded(frame, new, seed):
    return _tuned_average(*_tuned(frame, seed))


def causaltune_targeting(frame, new, seed):
    tuner, _ = _tuned(frame, seed)
    return np.ravel(tuner.effect(new.assign(t=0, y=0.0, random=0.0))), None, None


# --- CausalPy ---
def causalpy_one_unit(frame, new, seed):
    import causalpy as cp

    wide = frame.pivot(index="week", columns="unit", values="y").rename(columns="u{}".format)
    opened = int(frame.loc[frame["t"] == 1, "week"].min())
    model = cp.pymc_models.WeightedSumFitter(sample_kwargs=SAMPLES | {"random_seed": seed})
    found = cp.SyntheticControl(wide, opened, control_units=list(wide.columns[1:]), treated_units=["u0"], model=model)
    return _spread(found.post_impact.mean("obs_ind"))


# --- pyfixest ---
def pyfixest_confounded(frame, new, seed):
    import pyfixest

    found = pyfixest.feols("y ~ t + x1 + x2 + x3 + x4", frame, vcov="hetero")
    return found.coef()["t"], *found.confint().loc["t"]


def pyfixest_dose(frame, new, seed):
    import pyfixest

    found = pyfixest.feols("y ~ t + x1 + x2 + x3 + x4", frame, vcov="hetero")
    return 2 * found.coef()["t"], *(2 * found.confint().loc["t"])


def pyfixest_encouragement(frame, new, seed):
    import pyfixest

    found = pyfixest.feols("y ~ x1 + x2 + x3 + x4 | t ~ z", frame, vcov="hetero")
    return found.coef()["t"], *found.confint().loc["t"]


def pyfixest_staggered(frame, new, seed):
    import pyfixest

    found = pyfixest.did2s(
        frame, yname="y", first_stage="~ 0 | unit + week", second_stage="~ i(t, ref=0)", treatment="t", cluster="unit"
    )
    return found.coef().iloc[0], *found.confint().iloc[0]


# --- 우리 파이프라인 ---
OURS = {
    "confounded": "treatment: {column: t, kind: binary}\nestimand: ATE\nconfounders: [x1, x2, x3, x4]\n"
    "timing: {x1: before, x2: before, x3: before, x4: before}\n",
    "dose": "treatment: {column: t, kind: continuous, control: 1, treated: 3}\nestimand: ATE\nconfounders: [x1, x2, x3, x4]\n"
    "timing: {x1: before, x2: before, x3: before, x4: before}\n",
    "encouragement": "treatment: {column: t, kind: binary}\nestimand: LATE\ninstrument: z\nconfounders: [x1, x2, x3, x4]\n"
    "timing: {x1: before, x2: before, x3: before, x4: before, z: before}\n",
    "staggered": "treatment: {column: t, kind: binary}\nestimand: ATT\npanel: {unit: unit, time: week, start: start}\n",
    "one_unit": "treatment: {column: t, kind: binary}\nestimand: ATT\npanel: {unit: unit, time: week}\n",
}


def _ours(problem, frame):
    from causal_pipeline import analyze
    from causal_pipeline.spec import parse_spec

    text = f"name: {problem}\nquestion: 효과가 얼마입니까?\ndata: {{path: rows.csv}}\noutcome: {{column: y}}\nseed: 1\n"
    main = analyze(parse_spec(text + OURS[problem], "spec.yml"), frame=frame).primary
    return main.value, main.low, main.high


def ours_confounded(frame, new, seed):
    return _ours("confounded", frame)


def ours_dose(frame, new, seed):
    return _ours("dose", frame)


def ours_encouragement(frame, new, seed):
    return _ours("encouragement", frame)


def ours_staggered(frame, new, seed):
    return _ours("staggered", frame.assign(start=frame["start"].where(frame["start"] > 0)))


def ours_one_unit(frame, new, seed):
    return _ours("one_unit", frame)


def plain(value):
    """JSON이 되는 값: 수, 수의 목록, None."""
    if value is None:
        return None
    found = np.asarray(value, dtype=float)
    if found.size == 1:
        return None if np.isnan(found).all() else float(found.ravel()[0])
    return [round(float(v), 5) for v in found.ravel()]


def main(arguments: list[str]) -> None:
    tool, listing = arguments
    with open(listing, encoding="utf-8") as file:
        jobs = json.load(file)
    said = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        for job in jobs:
            answer = globals()[f"{tool}_{job['problem']}"]
            frame = pd.read_csv(job["path"])
            new = pd.read_csv(job["new"]) if job.get("new") else None
            start = time.process_time()
            try:
                found = [plain(v) for v in answer(frame, new, job["seed"])]
            except Exception as error:  # 한 번의 실패가 나머지를 막지 않습니다. 표에 실패로 셉니다.
                found = [f"{type(error).__name__}: {error}"[:200], None, None]
            print(
                json.dumps([job["id"], [*found, time.process_time() - start]], ensure_ascii=False),
                file=said,
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
