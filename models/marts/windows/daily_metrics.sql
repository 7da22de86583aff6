-- depends_on: {{ ref('int_touched_days') }}
{{ config(materialized='incremental', pre_hook="{{ delete_touched_days('day', 'int_accounts_live') }}") }}

with

accounts as (

    select
        account_id,
        platform,
        timezone
    from {{ ref('int_accounts_live') }}

),

{% if is_incremental() -%}
new_accounts as (

    select
        accounts.account_id,
        accounts.timezone
    from accounts
    where
        not exists (
            select 1
            from {{ this }} as built
            where built.account_id = accounts.account_id
        )

),

days_to_build as (

    select
        accounts.account_id,
        touched.local_day
    from accounts
    inner join {{ ref('int_touched_days') }} as touched
        on
            accounts.account_id = touched.account_id
            and accounts.timezone = touched.timezone
    union distinct
    select
        new_accounts.account_id,
        days.local_day
    from new_accounts
    inner join {{ ref('int_day_spans') }} as days on new_accounts.timezone = days.timezone

),

{% endif -%}
days as (

    select
        accounts.account_id,
        accounts.platform,
        accounts.timezone,
        days.local_day,
        days.utc_day,
        days.span_start,
        days.span_end
    from accounts
    inner join {{ ref('int_day_spans') }} as days on accounts.timezone = days.timezone
    {% if is_incremental() %}
    inner join days_to_build
        on
            accounts.account_id = days_to_build.account_id
            and days.local_day = days_to_build.local_day
    {% endif %}

),

sums as (

    select
        days.account_id,
        days.platform,
        days.timezone,
        days.local_day,
        {{ sum_sums() }},
        cast(sum(metrics.due_slots) as integer) as due_slots,
        cast(sum(metrics.filled_slots) as integer) as filled_slots
    from {{ ref('quarter_hour_metrics') }} as metrics
    inner join days
        on
            metrics.account_id = days.account_id
            and {{ floor_to('metrics.quarter_hour', 1440) }} = days.utc_day
            and metrics.quarter_hour >= days.span_start
            and metrics.quarter_hour < days.span_end
    group by days.account_id, days.platform, days.timezone, days.local_day

),

-- A post that was active in two quarter hours of a day counts once: this cannot be summed.
active as (

    select
        days.account_id,
        days.local_day,
        cast(count(distinct increments.post_id) as integer) as active_posts
    from {{ ref('post_increments') }} as increments
    inner join days
        on
            increments.account_id = days.account_id
            and {{ floor_to('increments.activity_at', 1440) }} = days.utc_day
            and increments.activity_at >= days.span_start
            and increments.activity_at < days.span_end
    group by days.account_id, days.local_day

),

final as (

    select
        sums.account_id,
        sums.platform,
        sums.local_day as day,
        sums.timezone,
        {%- for total in increment_sums() %}
        sums.{{ total }},
        {%- endfor %}
        coalesce(active.active_posts, 0) as active_posts,
        sums.due_slots,
        sums.filled_slots
    from sums
    left join active
        on
            sums.account_id = active.account_id
            and sums.local_day = active.local_day

)

select * from final
