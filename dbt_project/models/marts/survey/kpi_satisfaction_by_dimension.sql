{{ config(materialized='incremental', pre_hook="{{ forget_changed('wave_code', changed_waves()) }}") }}

with tally as (
    select
        response.wave_code,
        response.question_code,
        feature.dimension,
        feature.dimension_value,
        count(*) as valid_answers,
        sum(response.weight) as weight_sum,
        sum(response.weight * response.weight) as weight_sq_sum,
        -- A question without top codes has no satisfied share, not one of 0.
        case
            when count(response.is_top_box) > 0 then count(*) filter (where response.is_top_box)
        end as top_box_answers,
        case
            when count(response.is_top_box) > 0
                then coalesce(sum(response.weight) filter (where response.is_top_box), 0)
        end as top_box_weight_sum
    from {{ ref('fct_survey_response') }} as response
    cross join lateral (
        values
            ('segment', coalesce(response.segment, 'not_stated')),
            ('language', coalesce(response.language, 'not_stated')),
            ('district', coalesce(response.district_code, 'not_stated'))
    ) as feature (dimension, dimension_value)
    where response.answer_status = 'valid' and {{ is_changed('response.wave_code', changed_waves()) }}
    group by 1, 2, 3, 4
),

published as (
    select
        *,
        {{ is_small_cell('valid_answers', 'wave_code, question_code, dimension', 'dimension_value') }} as is_suppressed
    from tally
),

-- What is suppressed is suppressed here once, before anything is made of it.
shown as (
    select
        wave_code,
        question_code,
        dimension,
        dimension_value,
        is_suppressed
        {%- for measure in ['valid_answers', 'weight_sum', 'weight_sq_sum', 'top_box_answers', 'top_box_weight_sum'] %},
        case when not is_suppressed then {{ measure }} end as {{ measure }}
        {%- endfor %}
    from published
),

share as (
    select
        *,
        {{ share('top_box_weight_sum', 'weight_sum') }} as top_box_share,
        {{ effective_n('weight_sum', 'weight_sq_sum') }} as n_eff
    from shown
)

select
    share.wave_code,
    share.question_code,
    wave.period_basis,
    wave.period,
    wave.period_start,
    wave.period_end,
    share.dimension,
    share.dimension_value,
    share.is_suppressed,
    share.valid_answers::integer as valid_answers,
    share.weight_sum,
    share.weight_sq_sum,
    share.top_box_answers::integer as top_box_answers,
    share.top_box_weight_sum,
    share.top_box_share,
    share.n_eff,
    {{ margin('share.top_box_share', 'share.n_eff') }} as top_box_margin,
    {{ wilson('share.top_box_share', 'share.n_eff', '-') }} as top_box_low,
    {{ wilson('share.top_box_share', 'share.n_eff', '+') }} as top_box_high
from share
inner join {{ ref('dim_survey_wave') }} as wave on share.wave_code = wave.wave_code
