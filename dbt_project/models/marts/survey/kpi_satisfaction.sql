with tally as (
    select
        wave_code,
        question_code,
        bool_or(is_weighted) as is_weighted,
        count(*) as respondents,
        count(*) filter (where is_complete) as completes,
        count(*) filter (where answer_status = 'valid') as valid_answers,
        count(*) filter (where answer_status = 'not_applicable') as not_applicable_answers,
        count(*) filter (where answer_status = 'blank') as blank_answers,
        count(*) filter (where answer_status = 'invalid') as invalid_answers,
        -- A question without top codes has no satisfied share, not one of 0.
        case when count(is_top_box) > 0 then count(*) filter (where is_top_box) end as top_box_answers,
        coalesce(sum(weight) filter (where answer_status = 'valid'), 0) as weight_sum,
        coalesce(sum(weight * weight) filter (where answer_status = 'valid'), 0) as weight_sq_sum,
        case
            when count(is_top_box) > 0 then coalesce(sum(weight) filter (where is_top_box), 0)
        end as top_box_weight_sum,
        coalesce(sum(weight) filter (where answer_value >= 9), 0) as promoter_weight_sum,
        coalesce(sum(weight) filter (where answer_value <= 6), 0) as detractor_weight_sum
    from {{ ref('fct_survey_response') }}
    group by 1, 2
),

share as (
    select
        *,
        {{ share('top_box_weight_sum', 'weight_sum') }} as top_box_share,
        {{ effective_n('weight_sum', 'weight_sq_sum') }} as n_eff
    from tally
),

kpi as (
    select
        share.*,
        wave.period_basis,
        wave.period,
        wave.period_start,
        wave.period_end,
        wave.eligible_sample,
        question.question_text,
        question.scale,
        question.is_zero_to_ten,
        {{ wilson('share.top_box_share', 'share.n_eff', '-') }} as top_box_low,
        {{ wilson('share.top_box_share', 'share.n_eff', '+') }} as top_box_high,
        lag(share.wave_code) over (
            partition by share.question_code order by wave.period_end, wave.period_start, share.wave_code
        ) as wave_before
    from share
    inner join {{ ref('dim_survey_wave') }} as wave on share.wave_code = wave.wave_code
    inner join {{ ref('dim_survey_question') }} as question
        on share.wave_code = question.wave_code and share.question_code = question.question_code
),

-- Newcombe's interval of a difference of two shares, from their Wilson bounds: right near 100 %, where the usual test
-- is not. Source: R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, method 10.
compared as (
    select
        now.*,
        before.period_basis as period_basis_before,
        before.top_box_share as top_box_share_before,
        now.top_box_share - before.top_box_share as change,
        now.top_box_share - before.top_box_share - sqrt(
            (now.top_box_share - now.top_box_low) ^ 2 + (before.top_box_high - before.top_box_share) ^ 2
        ) as change_low,
        now.top_box_share - before.top_box_share + sqrt(
            (now.top_box_high - now.top_box_share) ^ 2 + (before.top_box_share - before.top_box_low) ^ 2
        ) as change_high
    from kpi as now
    left join kpi as before on now.wave_before = before.wave_code and now.question_code = before.question_code
)

select
    wave_code,
    question_code,
    question_text,
    scale,
    period_basis,
    period,
    period_start,
    period_end,
    is_weighted,
    respondents::integer as respondents,
    completes::integer as completes,
    eligible_sample,
    {{ share('completes', 'eligible_sample') }} as response_share,
    valid_answers::integer as valid_answers,
    not_applicable_answers::integer as not_applicable_answers,
    blank_answers::integer as blank_answers,
    invalid_answers::integer as invalid_answers,
    top_box_answers::integer as top_box_answers,
    weight_sum,
    weight_sq_sum,
    top_box_weight_sum,
    top_box_share,
    {{ share('top_box_answers', 'valid_answers') }} as top_box_unweighted_share,
    n_eff,
    {{ margin('top_box_share', 'n_eff') }} as top_box_margin,
    top_box_low,
    top_box_high,
    case when is_zero_to_ten then promoter_weight_sum end as promoter_weight_sum,
    case when is_zero_to_ten then detractor_weight_sum end as detractor_weight_sum,
    case when is_zero_to_ten
        then {{ share('100 * (promoter_weight_sum - detractor_weight_sum)', 'weight_sum') }} end as net_promoter_score,
    wave_before,
    period_basis_before,
    top_box_share_before,
    {{ rate('100 * change') }} as top_box_change_pp,
    {{ rate('100 * change_low') }} as top_box_change_low_pp,
    {{ rate('100 * change_high') }} as top_box_change_high_pp,
    change_low > 0 or change_high < 0 as is_change_significant
from compared
