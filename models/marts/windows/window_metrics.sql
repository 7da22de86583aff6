with

periods as (

    select
        account_id,
        window_name,
        'current' as period,
        window_start as period_start,
        window_end as period_end
    from {{ ref('int_window_bounds') }}
    union all
    select
        account_id,
        window_name,
        'previous' as period,
        previous_start as period_start,
        previous_end as period_end
    from {{ ref('int_window_bounds') }}

),

-- The 24 hours go by slots, the other windows by the quarter hours that hold the activity.
slot_sums as (

    select
        periods.account_id,
        periods.window_name,
        periods.period,
        {{ sum_increments() }}
    from periods
    inner join {{ ref('post_increments') }} as increments
        on
            periods.account_id = increments.account_id
            and periods.period_start <= increments.activity_slot
            and periods.period_end > increments.activity_slot
    where periods.window_name = '24h'
    group by periods.account_id, periods.window_name, periods.period

),

quarter_sums as (

    select
        periods.account_id,
        periods.window_name,
        periods.period,
        {{ sum_sums() }}
    from periods
    inner join {{ ref('quarter_hour_metrics') }} as metrics
        on
            periods.account_id = metrics.account_id
            and periods.period_start <= metrics.quarter_hour
            and periods.period_end > metrics.quarter_hour
    where periods.window_name <> '24h'
    group by periods.account_id, periods.window_name, periods.period

),

gained as (

    select * from slot_sums
    union all
    select * from quarter_sums

),

-- No activity of an account is later than its window's end: a post is active in the window if its last
-- activity is not before the start.
active as (

    select
        periods.account_id,
        periods.window_name,
        cast(count(*) as integer) as active_posts
    from periods
    inner join {{ ref('int_posts') }} as posts on periods.account_id = posts.account_id
    inner join {{ ref('int_post_totals') }} as totals on posts.post_id = totals.post_id
    where
        periods.period = 'current'
        and case when periods.window_name = '24h' then totals.last_activity_slot else totals.last_activity_at end
        >= periods.period_start
    group by periods.account_id, periods.window_name

),

coverage as (

    select
        periods.account_id,
        periods.window_name,
        periods.period,
        cast(sum(slots.due_slots) as integer) as due_slots,
        cast(sum(slots.filled_slots) as integer) as filled_slots
    from periods
    inner join {{ ref('int_slot_coverage') }} as slots
        on
            periods.account_id = slots.account_id
            and periods.period_start <= slots.slot_start
            and periods.period_end > slots.slot_start
    group by periods.account_id, periods.window_name, periods.period

),

published as (

    select
        periods.account_id,
        periods.window_name,
        cast(count(*) as integer) as posts_published
    from periods
    inner join {{ ref('int_posts') }} as posts
        on
            periods.account_id = posts.account_id
            and periods.period_start <= posts.published_at
            and periods.period_end > posts.published_at
    where periods.period = 'current'
    group by periods.account_id, periods.window_name

),

joined as (

    select
        bounds.account_id,
        bounds.platform,
        bounds.window_name,
        bounds.window_start,
        bounds.window_end,
        bounds.previous_start,
        bounds.previous_end,
        bounds.timezone,
        {%- for total in increment_sums() %}
        gained.{{ total }},
        {%- endfor %}
        {%- for metric in gained_metrics() %}
        previous_gained.observed_{{ metric }} as previous_observed_{{ metric }},
        {%- endfor %}
        previous_gained.observed_rated_impressions as previous_rated_impressions,
        previous_gained.observed_rated_engagements as previous_rated_engagements,
        coalesce(active.active_posts, 0) as active_posts,
        coalesce(published.posts_published, 0) as posts_published,
        coalesce(coverage.due_slots, 0) as due_slots,
        coalesce(coverage.filled_slots, 0) as filled_slots,
        coalesce(previous_coverage.due_slots, 0) as previous_due_slots,
        coalesce(previous_coverage.filled_slots, 0) as previous_filled_slots
    from {{ ref('int_window_bounds') }} as bounds
    left join gained
        on
            bounds.account_id = gained.account_id
            and bounds.window_name = gained.window_name
            and gained.period = 'current'
    left join gained as previous_gained
        on
            bounds.account_id = previous_gained.account_id
            and bounds.window_name = previous_gained.window_name
            and previous_gained.period = 'previous'
            -- A period that began before the account was connected was not observed whole.
            and (bounds.connected_at is null or bounds.previous_start >= bounds.connected_at)
    left join coverage
        on
            bounds.account_id = coverage.account_id
            and bounds.window_name = coverage.window_name
            and coverage.period = 'current'
    left join coverage as previous_coverage
        on
            bounds.account_id = previous_coverage.account_id
            and bounds.window_name = previous_coverage.window_name
            and previous_coverage.period = 'previous'
    left join active
        on
            bounds.account_id = active.account_id
            and bounds.window_name = active.window_name
    left join published
        on
            bounds.account_id = published.account_id
            and bounds.window_name = published.window_name

),

final as (

    select
        account_id,
        platform,
        window_name,
        window_start,
        window_end,
        previous_start,
        previous_end,
        timezone,
        {%- for metric in gained_metrics() %}
        new_{{ metric }},
        {%- endfor %}
        {%- for metric in gained_metrics() %}
        observed_{{ metric }},
        {%- endfor %}
        {%- for metric in gained_metrics() %}
        previous_observed_{{ metric }},
        {%- endfor %}
        active_posts,
        posts_published,
        due_slots,
        filled_slots,
        {{ rate('filled_slots', 'due_slots') }} as coverage,
        {{ rate('previous_filled_slots', 'previous_due_slots') }} as previous_coverage,
        {{ rate('rated_engagements', 'rated_impressions') }} as engagement_rate,
        {{ rate('observed_rated_engagements', 'observed_rated_impressions') }} as observed_engagement_rate,
        {{ rate('previous_rated_engagements', 'previous_rated_impressions') }} as previous_engagement_rate,
        {%- for metric in ['impressions', 'engagements'] %}
        {{ change_state(
            'observed_' ~ metric, 'previous_observed_' ~ metric,
            [('filled_slots', 'due_slots'), ('previous_filled_slots', 'previous_due_slots')]
        ) }} as change_{{ metric }}_state
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from joined

)

select * from final
