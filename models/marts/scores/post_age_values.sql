-- depends_on: {{ ref('int_touched_ages') }}
{{ config(materialized='incremental', pre_hook="{{ delete_posts_of('int_touched_ages', 'age_hours > 0') }}") }}

with

posts as (

    select *
    from {{ ref('int_posts') }}
    {% if is_incremental() %}
    where
        post_id in (
            select touched.post_id
            from {{ ref('int_touched_ages') }} as touched
            where touched.age_hours > 0
        )
    {% endif %}

),

-- Rows of files never feed age values: their counters hold at a moment that is only assumed.
readings as (

    select
        snapshots.*,
        {{ slot_index('snapshots.slot_start', 'posts.published_at') }} as slot_number
    from {{ ref('analytics_snapshots') }} as snapshots
    inner join posts on snapshots.post_id = posts.post_id
    where
        snapshots.source = 'api'
        and snapshots.slot_start < posts.published_at + interval '8' day

),

pairs as (

    select
        *,
        {%- for metric in gained_metrics() %}
        lead({{ metric }}) over (partition by post_id order by slot_start) as next_{{ metric }},
        {%- endfor %}
        lead(collected_at) over (partition by post_id order by slot_start) as next_collected_at,
        lead(slot_number) over (partition by post_id order by slot_start) as next_slot_number
    from readings

),

ages as (

    {{ comparison_ages() }}

),

targets as (

    select
        posts.post_id,
        ages.age_hours,
        posts.published_at + ages.age_hours * interval '1' hour as reached_at
    from posts
    cross join ages

),

-- The two readings around the age, with at most one empty slot between them; a reading at the very moment
-- needs no second one.
brackets as (

    select
        pairs.*,
        targets.age_hours,
        targets.reached_at,
        pairs.collected_at < targets.reached_at as is_interpolated,
        {{ integer_divide(
            epoch_microseconds('targets.reached_at') ~ ' - ' ~ epoch_microseconds('pairs.collected_at'), 1000
        ) }} as elapsed,
        case
            when pairs.collected_at = targets.reached_at then 1
            else {{ integer_divide(
                epoch_microseconds('pairs.next_collected_at') ~ ' - ' ~ epoch_microseconds('pairs.collected_at'), 1000
            ) }}
        end as span
    from targets
    inner join pairs
        on
            targets.post_id = pairs.post_id
            and (
                targets.reached_at = pairs.collected_at
                or (
                    targets.reached_at > pairs.collected_at
                    and targets.reached_at < pairs.next_collected_at
                    and pairs.next_slot_number - pairs.slot_number <= 2
                )
            )

),

aged as (

    select
        post_id,
        age_hours,
        account_id,
        platform,
        published_at,
        reached_at,
        is_interpolated,
        {%- for metric in gained_metrics() %}
        {{ interpolate(metric, 'next_' ~ metric, 'elapsed', 'span') }} as {{ metric }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from brackets

),

weights as (

    select * from {{ ref('int_score_weights') }}
    where is_current_version

),

scored as (

    select
        aged.*,
        weights.metric_version,
        {{ engagement_score('aged', 'weights') }} as engagement_score
    from aged
    inner join weights on aged.platform = weights.platform

),

final as (

    select
        post_id,
        age_hours,
        account_id,
        platform,
        published_at,
        reached_at,
        is_interpolated,
        {%- for counter in counters() %}
        cast({{ counter }} as integer) as {{ counter }},
        {%- endfor %}
        engagements,
        engagements_core,
        {{ rate('engagements', 'impressions') }} as engagement_rate,
        engagement_score,
        metric_version
    from scored

)

select * from final
