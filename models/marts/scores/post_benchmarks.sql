{{ config(materialized='incremental', pre_hook="{{ delete_touched_comparisons() }}") }}

{%- set metrics = compared_metrics() %}

with

aged_posts as (

    select * from {{ ref('int_compared_posts') }}

),

subjects as (

    select * from aged_posts
    where
        is_compared
        {%- if is_incremental() %}
        and is_touched
        {%- endif %}

),

pairs as (

    select
        subjects.post_id,
        coalesce(subjects.post_type = peers.post_type, false) as is_same_type,
        {%- for metric in metrics %}
        subjects.{{ metric }} as own_{{ metric }},
        peers.{{ metric }},
        {%- endfor %}
        sum(case when subjects.post_type = peers.post_type then 1 else 0 end) over (
            partition by subjects.post_id
        ) as peers_of_same_type
    from subjects
    inner join aged_posts as peers
        on
            subjects.account_id = peers.account_id
            and subjects.age_hours = peers.age_hours
            and subjects.published_at > peers.published_at
            and subjects.published_at <= peers.published_at + interval '90' day

),

-- Its own kind of post, where there are enough of them.
compared as (

    select * from pairs
    where peers_of_same_type < 20 or is_same_type

),

statistics as (

    select
        post_id,
        {%- for metric in metrics %}
        {{ quartiles(metric) }} as quartiles_{{ metric }},
        count({{ metric }}) as n_{{ metric }},
        cast(sum({{ metric }}) as bigint) as sum_{{ metric }},
        sum(
            case when {{ metric }} < own_{{ metric }} then 2 when {{ metric }} = own_{{ metric }} then 1 else 0 end
        ) as rank_{{ metric }},
        {%- endfor %}
        max(case when peers_of_same_type >= 20 then 1 else 0 end) as is_same_type
    from compared
    group by post_id

),

long as (
    {% for metric in metrics %}
    select
        subjects.post_id,
        '{{ metric }}' as metric,
        subjects.account_id,
        subjects.platform,
        subjects.published_at,
        subjects.age_hours,
        coalesce(statistics.is_same_type = 1, false) as is_same_type,
        subjects.{{ metric }} as own_value,
        cast(coalesce(statistics.n_{{ metric }}, 0) as bigint) as n,
        cast({{ nth('statistics.quartiles_' ~ metric, 1) }} * 4 as bigint) as lower_quartile,
        cast({{ nth('statistics.quartiles_' ~ metric, 2) }} * 4 as bigint) as median,
        cast({{ nth('statistics.quartiles_' ~ metric, 3) }} * 4 as bigint) as upper_quartile,
        statistics.sum_{{ metric }} as total,
        cast(statistics.rank_{{ metric }} as bigint) as doubled_rank
    from subjects
    left join statistics on subjects.post_id = statistics.post_id
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

-- Below ten posts a comparison says nothing and is hidden.
shown as (

    select
        *,
        case when n >= 10 then n end as enough,
        case when n >= 10 then 4 end as quarters
    from long

),

final as (

    select
        post_id,
        metric,
        account_id,
        platform,
        published_at,
        case when age_hours = 0 then 'lifetime' else 'same age' end as comparison,
        case when age_hours > 0 then age_hours end as age_hours,
        is_same_type,
        {{ from_ten_thousandths('own_value') }} as own_value,
        cast(n as integer) as n,
        {{ from_ten_thousandths(rounded_quotient('lower_quartile', 'quarters')) }} as lower_quartile,
        {{ from_ten_thousandths(rounded_quotient('median', 'quarters')) }} as median,
        {{ from_ten_thousandths(rounded_quotient('upper_quartile', 'quarters')) }} as upper_quartile,
        {{ from_ten_thousandths(rounded_quotient('total', 'enough')) }} as mean,
        cast(
            case when own_value is not null then {{ rounded_quotient('doubled_rank * 5000', 'enough') }} end
            * cast(0.01 as decimal(3, 2)) as decimal(5, 2)
        ) as percentile
    from shown

)

select * from final
