-- depends_on: {{ ref('int_touched_days') }}
{{ config(materialized='incremental', pre_hook="{{ delete_touched_days('local_day', 'int_reader_zones') }}") }}

with

zones as (

    select * from {{ ref('int_reader_zones') }}

),

{% if is_incremental() -%}
new_zones as (

    select
        zones.account_id,
        zones.timezone
    from zones
    where
        not exists (
            select 1
            from {{ this }} as built
            where
                built.account_id = zones.account_id
                and built.timezone = zones.timezone
        )

),

days_to_build as (

    select
        account_id,
        timezone,
        local_day
    from {{ ref('int_touched_days') }}
    union distinct
    select
        new_zones.account_id,
        new_zones.timezone,
        days.local_day
    from new_zones
    inner join {{ ref('int_day_spans') }} as days on new_zones.timezone = days.timezone

),

{% endif -%}
days as (

    select
        zones.account_id,
        zones.timezone,
        days.local_day,
        days.utc_day,
        days.span_start,
        days.span_end
    from zones
    inner join {{ ref('int_day_spans') }} as days on zones.timezone = days.timezone
    {% if is_incremental() %}
    inner join days_to_build
        on
            zones.account_id = days_to_build.account_id
            and zones.timezone = days_to_build.timezone
            and days.local_day = days_to_build.local_day
    {% endif %}

),

readings as (

    select
        days.account_id,
        days.timezone,
        days.local_day,
        snapshots.impressions,
        snapshots.likes,
        snapshots.engagement_rate,
        snapshots.engagement_score,
        row_number() over (
            partition by snapshots.post_id, days.timezone, days.local_day
            order by snapshots.slot_start desc
        ) as recency
    from {{ ref('analytics_snapshots') }} as snapshots
    inner join days
        on
            snapshots.account_id = days.account_id
            and {{ floor_to('snapshots.collected_at', 1440) }} = days.utc_day
            and snapshots.collected_at >= days.span_start
            and snapshots.collected_at < days.span_end

),

-- Each post's last snapshot of the day: counters are cumulative, a sum over every poll would multiply them.
final as (

    select
        account_id,
        timezone,
        local_day,
        cast(sum(impressions) as bigint) as total_impressions,
        cast(sum(likes) as bigint) as total_likes,
        cast(sum(cast(engagement_rate * 10000 as bigint)) as bigint) as rate_sum,
        count(engagement_rate) as rate_count,
        max(engagement_score) as peak_engagement_score
    from readings
    where recency = 1
    group by account_id, timezone, local_day

)

select * from final
