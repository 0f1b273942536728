"""모든 데이터가 book/checks/datasets.py의 약속을 지킵니다. `make check-case`도 같은 함수를 부릅니다.

여기에는 생성기마다 다른 것만 둡니다: 범위의 바로 바깥과 꼴이 다른 값(``REFUSED``), 보이면 답이 새는 열(``CLOSED``).
쪽의 시험에는 그 데이터만의 통계가 남습니다.

새 데이터는 카드만 있으면 저절로 들어옵니다. ``REFUSED``와 ``CLOSED``에 한 줄씩 더하면 더 단단해집니다.
"""

import pandas as pd
import pytest

from book.catalog import read_catalog
from book.checks import datasets
from causal_practice import generator, load

CATALOG = read_catalog()
NAMES = sorted(CATALOG)

# 기본값이 아닌 세상도 씨앗을 지켜야 하는 생성기
OTHER_WORLDS = {"amazon_opportunity_finder": [{"world": world, "n": 60} for world in ("badge", "flagship", "rollout")]}

# 생성기 → 거절해야 하는 인자. 기본값의 위에 덮어씁니다.
REFUSED = {
    "ace_costly_experiments": [
        {"search": 4}, {"search": 201}, {"search": 24.0}, {"search": True}, {"pairs": 1}, {"pairs": 101}, {"pairs": "많이"}, {"design": "grid"},
        {"design": None}, {"surface": "steep"}, {"surface": 1}, {"drift": 0.2}, {"drift": True}, {"hot": -0.1}, {"hot": 1.5}, {"hot": "큼"},
        {"carry": -0.1}, {"carry": 0.6}, {"carry": True},
    ],
    "ad_credit": [{"n": 100}, {"n": "많이"}, {"mds": 3}, {"n": 400, "mds": 81}, {"mds": 10.0}, {"md_shock": -1}, {"md_shock": 300}, {"assign": "store"}],
    "amazon_opportunity_finder": [{"world": "shop"}, {"world": None}, {"n": 39}, {"n": 100.0}, {"n": True}, {"n": 10**7}],
    "aws_dynamic_pricing": [
        {"n": 10}, {"n": 50}, {"n": 40.0}, {"n": True}, {"n": "많이"}, {"n": 10**7}, {"hidden": True}, {"hidden": None}, {"hidden": "rumour"},
        {"shape": "flat"}, {"shape": 1}, {"traffic": 0}, {"traffic": float("nan")}, {"traffic": True}, {"traffic": "많이"}, {"traffic": 1e9},
    ],
    "banner_log": [{"n": 10}, {"n": True}, {"floor": 0}, {"floor": 0.3}, {"floor": "낮음"}, {"override": 2}, {"override": True}],
    "booking_budgeted_uplift": [{"n": 10}, {"n": 1000.5}, {"n": True}, {"targeted": "예"}, {"targeted": 1}],
    "branch_visits": [
        {"branches": 7}, {"branches": 40.0}, {"weeks": 5}, {"weeks": 53}, {"effect": 21}, {"effect": "큼"}, {"arrivals": -0.1}, {"arrivals": True},
    ],
    "bosch_line_discovery": [
        {"n": 100}, {"n": 1000.0}, {"n": True}, {"n": "많이"}, {"hidden": 1}, {"hidden": "coolant"}, {"slowdown": -0.1}, {"slowdown": 2},
        {"slowdown": True}, {"slowdown": "큼"}, {"first": "operator"}, {"first": None},
    ],
    "cainiao_last_mile": [
        {"n": 32}, {"n": 241}, {"n": 240.0}, {"n": True}, {"n": "많이"}, {"n": 80_000}, {"hidden": True}, {"hidden": "old"}, {"hidden": None},
        {"notice": 5}, {"notice": 1.0}, {"notice": True}, {"switching": -1}, {"switching": 21}, {"switching": True}, {"switching": "큼"},
        {"response": "none"}, {"response": 1},
    ],
    "netflix_metrics_projection": [
        {"n": 398}, {"n": 401}, {"n": 4_000.0}, {"n": True}, {"n": "많이"}, {"n": 4_000_002}, {"world": "fade"}, {"world": None}, {"world": 1},
        {"world": True},
    ],
    "instacart_authorisation_rdd": [
        {"n": 100}, {"n": 40_000.0}, {"n": True}, {"n": "많이"}, {"n": 20_000_000}, {"strength": -0.1}, {"strength": 1.5}, {"strength": True},
        {"trim": 2}, {"trim": "조금"}, {"trim": None}, {"popup": 0.5}, {"popup": True}, {"budget": -1}, {"budget": 1.1}, {"budget": "빠듯"},
    ],
    "deep_check": [
        {"n": 10}, {"n": 100.5}, {"n": True}, {"assignment": "lottery"}, {"assignment": None}, {"hidden": -0.1}, {"hidden": 1.5}, {"hidden": True},
        {"hidden": "예"}, {"rule": 1}, {"rule": "예"}, {"rule": True, "assignment": "coin"},
    ],
    "hub_repurchase": [{"n": 9}, {"n": "많이"}, {"n": False}, {"rate": 0}, {"rate": 1}],
    "kiosk_pilot": [
        {"n": 4}, {"n": 80.5}, {"n": True}, {"treated": 1}, {"treated": 79}, {"treated": 2.5}, {"trend": 9}, {"trend": True}, {"early": "공사"},
        {"spill": 99}, {"dip": -1}, {"event": None},
    ],
    "kiosk_rollout": [{"n": 10}, {"n": True}, {"growth": -1}, {"growth": "빨리"}, {"ramp": 0}, {"ramp": 2.5}, {"ramp": True}, {"gap": 1.5}],
    "kuleuven_maintenance_frequency": [
        {"n": 20}, {"n": 401}, {"n": 400.0}, {"n": True}, {"n": "많이"}, {"hidden": True}, {"hidden": None}, {"hidden": "luck"},
        {"shape": "flat"}, {"shape": 1},
    ],
    "line_operator": [{"n": 10}, {"n": 1000.0}, {"n": True}, {"effect": 2}, {"effect": "큼"}, {"effect": True}, {"wear_scale": -0.1}, {"wear_scale": 2.5}],
    "machine_shift_breakdowns": [
        {"machines": 2}, {"machines": 23.0}, {"machines": True}, {"machines": "많이"}, {"machines": 30_000}, {"hidden": True}, {"hidden": None},
        {"hidden": "crew"}, {"repair": "both"}, {"repair": 1}, {"per_changeover": -0.1}, {"per_changeover": 1.5}, {"per_changeover": True},
    ],
    "meal_kit_trial": [{"n": 10}, {"n": 300.5}, {"history": 1}, {"single": 1.2}, {"single": True}, {"direct": "큼"}, {"hidden": -1}],
    "ncsoft_item_collider": [
        {"n": 300}, {"n": 5000.0}, {"n": True}, {"n": "많이"}, {"n": 3_000_000}, {"eager": -1}, {"eager": 4}, {"eager": True}, {"refill": "많이"},
        {"refill": 40}, {"boost": -0.1}, {"boost": 3}, {"call": 6}, {"call": None}, {"effect": -1}, {"effect": True},
    ],
    "ncsoft_pk_churn": [
        {"n": 10}, {"n": 1000.0}, {"n": True}, {"ratio": -0.1}, {"ratio": 3.1}, {"ratio": True}, {"ratio": "큼"}, {"hidden": 1}, {"hidden": "예"},
    ],
    "netflix_survey_nonresponse": [
        {"n": 100}, {"n": 1000.0}, {"n": True}, {"n": "많이"}, {"n": 10**7}, {"hidden": True}, {"hidden": None}, {"hidden": "lazy"},
        {"design": "phone"}, {"design": 1}, {"harm": -0.1}, {"harm": 11}, {"harm": True}, {"harm": "큼"},
    ],
    "netflix_return_aware": [
        {"n": 10}, {"n": 400.0}, {"n": True}, {"n": "많이"}, {"n": 400_000}, {"years": 0}, {"years": 6}, {"years": True}, {"tail": 2}, {"tail": 4.0},
        {"tail": True}, {"scale": -0.1}, {"scale": 3}, {"scale": True}, {"drift": -1}, {"drift": "조금"}, {"fade": 1.1}, {"fade": float("nan")},
        {"fade": True}, {"crowd": -0.1}, {"crowd": 0.2}, {"crowd": None},
    ],
    "recruit_two_sided_ranking": [
        {"users": 199}, {"users": 1000.0}, {"users": True}, {"users": "많이"}, {"users": 10**6}, {"liking": -0.1}, {"liking": 2.5}, {"liking": True},
        {"trust": -0.1}, {"trust": 0.6}, {"trust": "조금"}, {"context": 0.95}, {"context": None}, {"overload": 1.1}, {"overload": True},
        {"hidden": -1}, {"hidden": 1.5}, {"steep": 0.4}, {"steep": float("nan")}, {"jam": -0.1}, {"jam": 1.1}, {"jam": True},
    ],
    "netflix_geo_toggles": [
        {"regions": 5}, {"regions": 7}, {"regions": 14}, {"regions": 12.0}, {"regions": True}, {"blocks": 3}, {"blocks": 14}, {"blocks": "많이"},
        {"design": "lottery"}, {"design": None}, {"lift": -0.1}, {"lift": True}, {"carry": 0.95}, {"carry": -1}, {"carry": "조금"}, {"memory": 0},
        {"memory": 1.0}, {"memory": True}, {"spill": -0.1}, {"spill": 1.5}, {"spread": 3}, {"spread": None}, {"buzz": -1}, {"buzz": 9},
        {"length": 0}, {"length": 7}, {"length": 3.0}, {"length": True},
    ],
    "netflix_compress_once": [
        {"members": 99}, {"members": 1e3}, {"members": True}, {"members": 10**9}, {"seed": -1}, {"seed": 1.5}, {"seed": True}, {"seed": 2**40},
    ],
    "netflix_dub_delay": [
        {"delayed": 3}, {"delayed": 61}, {"delayed": 12.0}, {"delayed": True}, {"others": 17}, {"others": 301}, {"others": "많이"}, {"market": -0.1},
        {"market": 1.1}, {"market": True}, {"shape": -0.1}, {"shape": 2}, {"shape": "큼"}, {"lockdown": -1.1}, {"lockdown": 2}, {"lockdown": True},
        {"spill": -0.1}, {"spill": 1.1}, {"spill": None}, {"interest_weeks": 1}, {"interest_weeks": 9}, {"interest_weeks": 8.0}, {"effect": -0.1},
        {"effect": 2.1}, {"effect": True}, {"effect": float("nan")},
    ],
    "netflix_game_events": [
        {"games": 9}, {"games": 10.5}, {"games": True}, {"effect": 2}, {"effect": True}, {"effect": "big"}, {"half_life": 0}, {"half_life": True},
        {"rivals": -1}, {"rivals": 11}, {"rivals": 1.0}, {"steal": -0.1}, {"steal": 1.1}, {"steal": True}, {"steal": None},
    ],
    "netflix_incremental_ltv": [{"n": 10}, {"n": 1000.0}, {"n": True}, {"n": "많이"}, {"hidden": 1}, {"hidden": "예"}, {"hidden": None}],
    "netflix_localization_dml": [{"n": 10}, {"n": 60.0}, {"n": True}, {"n": "많이"}, {"leak": -0.1}, {"leak": 3}, {"leak": True}, {"leak": "예"}],
    "netflix_metric_tradeoffs": [
        {"n": 10}, {"n": 1000.0}, {"n": True}, {"rare": 0.0}, {"rare": 0.6}, {"rare": True}, {"rare": "드묾"}, {"hidden": 1}, {"hidden": "예"},
    ],
    "netflix_proxy_metrics": [
        {"n": 5}, {"n": 20.5}, {"n": True}, {"users": 70}, {"users": 120}, {"users": 5000.0}, {"users": True}, {"slope": 2}, {"slope": "steep"},
        {"slope": True}, {"direct": -0.1}, {"direct": 0.5}, {"direct": None}, {"new_share": 1}, {"new_share": -0.1}, {"new_share": False},
    ],
    "netflix_sequential_canary": [
        {"n": 10}, {"n": 1000.0}, {"n": True}, {"release": "bad"}, {"release": None}, {"lag": -1}, {"lag": 61}, {"lag": True}, {"lag": "늦음"},
    ],
    "onboarding_consulting": [
        {"n": 10}, {"n": 100.5}, {"n": True}, {"steepness": -0.1}, {"steepness": 11}, {"call_push": -1}, {"hidden": 3}, {"treatment_shape": "probit"},
        {"outcome_shape": "cubic"},
    ],
    "onehour_delivery": [
        {"n": 5}, {"n": 60.5}, {"n": True}, {"treated": 0}, {"treated": 11}, {"n": 12, "treated": 5}, {"before": 3}, {"after": 1}, {"noise": -1},
        {"memory": 1.0}, {"memory": -0.1}, {"favour": "강하게"}, {"lift": 1e6}, {"shock": True}, {"bend": 9}, {"treated_noise": -1}, {"effect": None},
    ],
    "order_assist": [
        {"n": 10}, {"n": 300.5}, {"n": True}, {"pull": -0.1}, {"pull": "세게"}, {"selection": 9}, {"direct": 80}, {"defiance": 0.6}, {"defiance": True},
    ],
    "orientation_coupon": [{"n": 9}, {"n": 10.5}, {"n": True}, {"n": "많이"}, {"direct_effect": -0.1}, {"extra_visits": -0.1}, {"targeting": 2.1}],
    "osram_led_rework": [
        {"n": 20}, {"n": 410}, {"n": 400.0}, {"n": True}, {"n": "많이"}, {"hidden": True}, {"hidden": None}, {"hidden": "monthly"},
    ],
    "picking_mentor": [{"n": 10}, {"n": 1000.0}, {"n": True}, {"hidden": 1}, {"hidden": "예"}],
    "priority_dispatch": [{"n": 5}, {"n": 100.5}, {"n": True}, {"assignment": "dice"}, {"pull": 4}, {"pull": -3.1}],
    "push_budget": [{"n": 10}, {"n": 300.5}, {"n": True}, {"random": 1}, {"random": "예"}],
    "pydata_music_staggered": [
        {"n": 10}, {"n": 100.5}, {"n": True}, {"shape": "wave"}, {"shape": None}, {"trend": -0.01}, {"trend": 1}, {"trend": True}, {"trailer": -1},
        {"trailer": 9}, {"trailer": 2.5}, {"trailer": True},
    ],
    "quick_radius": [
        {"days": 1}, {"days": 2.5}, {"days": True}, {"design": "번갈기"}, {"design": 1}, {"m": 0}, {"m": 5}, {"m": 336}, {"m": 2.0},
    ],
    "reorder_button": [
        {"n": 99}, {"n": 1000.5}, {"n": True}, {"lift": -0.01}, {"lift": 0.21}, {"share": 0.0}, {"share": 1.0}, {"season": 0.4}, {"crash": -0.1},
        {"crash": 1.1},
    ],
    "ride_market": [{"n": 5}, {"n": "많이"}, {"drivers": 0}, {"drivers": 2.5}, {"drivers": True}, {"share": 0}, {"share": 1}],
    "seller_ads": [
        {"n": 10}, {"n": 100.5}, {"n": True}, {"return_on_ads": -1}, {"return_on_ads": 11}, {"hidden": -0.1}, {"hidden": 3}, {"shape": "cubic"},
    ],
    "seller_weeks": [
        {"sellers": 5}, {"sellers": True}, {"weeks": 1}, {"weeks": 200}, {"return_on_ads": -1}, {"persistence": 1.0}, {"persistence": -0.2},
    ],
    "station_ads": [
        {"days": 3}, {"treated": (0,)}, {"treated": (31,)}, {"treated": (3, 3)}, {"treated": 3}, {"treated": (1.5,)}, {"spill": -0.1}, {"spill": 2},
        {"spill": True},
    ],
    "service_root_cause": [
        {"n": 10}, {"n": 4000.0}, {"n": True}, {"m": 5}, {"m": 10**7}, {"fault": "robot"}, {"fault": None}, {"size": -1}, {"size": True},
        {"humid": 5}, {"humid": "비"}, {"wet": 4}, {"wet": True}, {"noise": "heavy"}, {"noise": 1}, {"passing": "max"}, {"passing": None},
    ],
    "store_grade": [{"n": 10}, {"n": 600.5}, {"n": True}, {"lift": -0.1}, {"lift": 1.1}, {"lift": True}, {"lift": "조금"}],
    "study_coach": [
        {"n": 10}, {"n": 100.5}, {"n": True}, {"effect": "cubic"}, {"base_rate": -6}, {"base_rate": 3}, {"selection": -0.1}, {"selection": 5},
        {"hidden": -1}, {"hidden": 3},
    ],
    "study_goal": [{"n": 0}, {"n": "많이"}, {"selection": 4}, {"bend": -0.1}, {"bend": 2}],
    "supply_chain_weeks": [
        {"n": 10}, {"n": 1000.0}, {"n": True}, {"changed": "demand"}, {"changed": ("price",)}, {"changed": 3}, {"hidden": True}, {"hidden": "있음"},
    ],
    "template_case": [{"n": 10}, {"n": 100.5}, {"removal": 1.0}, {"hidden": -1}],
    "ticket_response": [{"n": 0}, {"n": "많이"}, {"slope": 5}, {"triage": -1}],
    "unit_selection": [
        {"n": 100}, {"n": 36_000.0}, {"n": True}, {"n": "많이"}, {"n": 10**7}, {"harm": -0.1}, {"harm": 1.4}, {"harm": True}, {"ear": -1}, {"ear": 2.1},
        {"lure": -0.1}, {"lure": 1.1}, {"ear": "밝음"}, {"charm": 1.1}, {"charm": float("nan")}, {"shift": -0.1}, {"shift": None},
    ],
    "uber_email_cace": [
        {"n": 10}, {"n": 500.5}, {"n": True}, {"nudge": -0.1}, {"nudge": 2}, {"nudge": "some"}, {"nudge": True}, {"pull": -9}, {"pull": 5},
        {"pull": None}, {"pull": True},
    ],
    "uber_express_pool_switchback": [
        {"days": 1}, {"days": 7.5}, {"days": True}, {"design": "random"}, {"design": None}, {"block": 0}, {"block": 10}, {"block": True}, {"share": 0},
        {"share": 1.0}, {"share": "half"}, {"carry": -1}, {"carry": 99}, {"carry": False}, {"lags": 0}, {"lags": 4}, {"lags": True},
    ],
    "uber_ceviche": [
        {"n": 100}, {"n": 1000.0}, {"n": True}, {"n": "많이"}, {"n": 10**7}, {"seed": -1}, {"seed": True}, {"strength": -0.1}, {"strength": 2.1},
        {"strength": True}, {"strength": "큼"}, {"strength": float("nan")}, {"hidden": True}, {"hidden": None}, {"hidden": "mood"}, {"lumpy": 1},
        {"truths": "예"},
    ],
    "uber_mediation": [
        {"n": 100}, {"n": 4000.0}, {"n": True}, {"n": "많이"}, {"hidden": -0.1}, {"hidden": 2.1}, {"hidden": True}, {"replace": 0.2},
        {"replace": "큼"}, {"blur": -1}, {"blur": None}, {"late": 1.1}, {"late": float("nan")}, {"leak": 0.6}, {"leak": True},
    ],
    "uber_platform_msprt": [
        {"n": 399}, {"n": 1000.0}, {"n": True}, {"n": "많이"}, {"n": 10**7}, {"groups": 3}, {"groups": 201}, {"groups": 40.0}, {"lift": -0.1},
        {"lift": 2.5}, {"lift": True}, {"lift": "큼"}, {"start": 0}, {"start": 22}, {"start": 3.0}, {"shape": 0}, {"shape": 99}, {"shape": True},
        {"flick": -0.1}, {"flick": 0.6}, {"flick": None}, {"reinstall": 1.1}, {"reinstall": True}, {"lost": -0.1}, {"lost": 1.5}, {"lost": "조금"},
        {"metrics": 1}, {"metrics": "예"},
    ],
    "uber_late_delivery": [
        {"n": 10}, {"n": 1000.0}, {"n": True}, {"hidden": 1}, {"hidden": "예"}, {"effect": -0.1}, {"effect": 2.1}, {"effect": True}, {"effect": "큼"},
    ],
}  # fmt: skip

# 생성기 → 독자에게 보이면 답이 새는 열. 카드의 role을 잘못 고치면 여기서 걸립니다.
CLOSED = {
    "ace_costly_experiments": "true_yield",
    "ad_credit": "chance margin0 margin1",
    "amazon_opportunity_finder": "demand effect",
    "aws_dynamic_pricing": "buzz markup_log elasticity expected",
    "banner_log": "rate_recipe rate_sale rate_review rate_season",
    "booking_budgeted_uplift": "chance book_0 book_1",
    "cainiao_last_mile": "spend_0 effect",
    "deep_check": "taste chance spend_0 spend_1",
    "hub_repurchase": "rate_true",
    "instacart_authorisation_rdd": "balance final_bill",
    "netflix_metrics_projection": "bills_old bills_new",
    "kiosk_pilot": "sales_0 effect",
    "kiosk_rollout": "sales_0 effect",
    "kuleuven_maintenance_frequency": "hidden_state " + " ".join(f"rate_{k}" for k in range(9)),
    "line_operator": "defect_0 defect_1",
    "machine_shift_breakdowns": "frailty tool chance effect",
    "meal_kit_trial": "effect_video effect_coupon orders_video",
    "ncsoft_item_collider": "zeal change_0 change_1",
    "ncsoft_pk_churn": "engagement guild churn_not_now churn_never",
    "netflix_compress_once": "effect",
    "netflix_dub_delay": "log_demand_0 effect",
    "netflix_game_events": "log_players_0 effect",
    "recruit_two_sided_ranking": "chance_a chance_b",
    "netflix_geo_toggles": "signups_off signups_on",
    "netflix_incremental_ltv": "attachment value_stay value_leave",
    "netflix_localization_dml": "appeal chance hours_0 hours_1",
    "netflix_metric_tradeoffs": "taste effect_games effect_stream chance_games chance_stream",
    "netflix_proxy_metrics": "tau_clicks tau_finishes tau_days",
    "netflix_return_aware": "true_minutes true_asks",
    "netflix_sequential_canary": "flaky delay_0 delay_1",
    "uber_mediation": "skill rate_00 rate_01 rate_10 rate_11 rate_tutorial rate_both",
    "netflix_survey_nonresponse": "diligence answers_0 answers_1 sincere_0 sincere_1",
    "onboarding_consulting": "score_true drive hours0 hours1 satisfaction0 satisfaction1",
    "onehour_delivery": "orders_0 effect",
    "order_assist": "kind effect profit_0",
    "orientation_coupon": "spend_0 spend_1",
    "bosch_line_discovery": "coolant risk_now risk_less",
    "osram_led_rework": "true_offset drift chance yield_0 yield_1",
    "picking_mentor": "care mentor_prob mispick_0 mispick_1",
    "priority_dispatch": "rides_0 rides_1",
    "push_budget": "slope",
    "pydata_music_staggered": "log_streams_0 effect",
    "quick_radius": "completed_off completed_on",
    "reorder_button": "would_click orders_0 orders_1 spend_0 spend_1",
    "ride_market": "rode_all_off rode_all_on",
    "seller_ads": "buzz sales_without_ads",
    "branch_visits": "spend_0",
    "seller_weeks": "appeal",
    "service_root_cause": "ship_healthy culprit",
    "station_ads": "orders_off orders_on",
    "store_grade": "kind effect sales_0 true_score",
    "study_coach": "score_true drive effect_true hours0 hours1",
    "study_goal": "slope_true hours_at_60",
    "supply_chain_weeks": "shock",
    "template_case": "condition defects_0 defects_1",
    "ticket_response": "hours_at_60",
    "unit_selection": "stay_0 stay_1 warm",
    "uber_email_cace": "kind effect trips_0",
    "uber_express_pool_switchback": "cancels_2 cancels_5 payout_2 payout_5",
    "uber_ceviche": " ".join(f"{e}_gain {e}_gain_never" for e in ("eats", "airport", "member", "cancelled")),
    "uber_platform_msprt": "crash_0 crash_1 hurt",
    "uber_late_delivery": "loyalty late_prob orders_0 orders_1",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_data_passes_every_check(name):
    found = datasets.check(name)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", sorted(OTHER_WORLDS))
def test_the_seed_decides_the_other_worlds_too(name):
    module = generator(name)
    for world in OTHER_WORLDS[name]:
        options = module.DEFAULTS | world
        first = module.generate(**options)
        pd.testing.assert_frame_equal(first, module.generate(**options), check_exact=True)
        assert not first.equals(module.generate(**options | {"seed": options["seed"] + 1}))


@pytest.mark.parametrize("name", NAMES)
def test_truth_columns_stay_closed(name):
    hidden = {column for column, detail in CATALOG[name]["columns"].items() if detail["role"] == "truth"}
    assert set(CLOSED.get(name, "").split()) <= hidden
    assert not hidden & set(load(name).columns)
    assert hidden <= set(load(name, with_truth=True).columns)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_only_this_generator_cannot_make_is_refused_in_korean(name):
    found = datasets.refusal_problems(generator(name), REFUSED[name])
    assert not found, "\n".join(found)


def test_every_row_of_the_tables_names_a_generator():
    assert {*REFUSED, *CLOSED, *OTHER_WORLDS} <= set(NAMES)
