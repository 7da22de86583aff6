with

ages as (

    {{ window_ages() }}

),

windows as (

    select
        bounds.*,
        ages.age_hours,
        case
            when ages.age_hours < 48 then {{ floor_to('bounds.as_of', 120) }}
            else {{ floor_to('bounds.as_of', 360) }}
        end as read_until
    from {{ ref('int_window_bounds') }} as bounds
    inner join ages on bounds.window_name = ages.window_name

),

-- A post is ripe if it had reached the age when the newest slot of that age began: it can have been read since. Of
-- the period before, at that time shifted back with it: so both periods leave out as much.
periods as (

    select
        account_id,
        window_name,
        age_hours,
        'current' as period,
        window_start as period_start,
        window_end as period_end,
        read_until as ripe_until
    from windows
    union all
    select
        account_id,
        window_name,
        age_hours,
        'previous' as period,
        previous_start as period_start,
        previous_end as period_end,
        previous_end - (window_end - read_until) as ripe_until
    from windows

),

published as (

    select
        periods.account_id,
        periods.window_name,
        periods.period,
        posts.published_at + periods.age_hours * interval '1' hour <= periods.ripe_until as is_ripe,
        age_values.post_id is not null as is_known,
        {%- for metric in gained_metrics() %}
        age_values.{{ metric }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from periods
    inner join {{ ref('int_posts') }} as posts
        on
            periods.account_id = posts.account_id
            and periods.period_start <= posts.published_at
            and periods.period_end > posts.published_at
    left join {{ ref('post_age_values') }} as age_values
        on
            posts.post_id = age_values.post_id
            and periods.age_hours = age_values.age_hours

),

sums as (

    select
        account_id,
        window_name,
        period,
        cast(count(*) as integer) as posts_published,
        cast(sum(case when is_ripe then 1 else 0 end) as integer) as ripe_posts,
        cast(sum(case when is_ripe and is_known then 1 else 0 end) as integer) as compared_posts,
        {%- for metric in gained_metrics() %}
        cast(sum(case when is_ripe then {{ metric }} end) as bigint) as {{ metric }},
        {%- endfor %}
        cast(sum(case when is_ripe and engagements is not null then impressions end) as bigint) as rated_impressions,
        cast(sum(case when is_ripe and impressions is not null then engagements end) as bigint) as rated_engagements
    from published
    group by account_id, window_name, period

),

joined as (

    select
        windows.account_id,
        windows.platform,
        windows.window_name,
        windows.window_start,
        windows.window_end,
        windows.previous_start,
        windows.previous_end,
        windows.timezone,
        windows.age_hours,
        coalesce(now.posts_published, 0) as posts_published,
        coalesce(now.ripe_posts, 0) as ripe_posts,
        coalesce(now.compared_posts, 0) as compared_posts,
        coalesce(before.ripe_posts, 0) as previous_ripe_posts,
        coalesce(before.compared_posts, 0) as previous_compared_posts,
        {%- for metric in gained_metrics() %}
        now.{{ metric }},
        before.{{ metric }} as previous_{{ metric }},
        {%- endfor %}
        now.rated_impressions,
        now.rated_engagements,
        before.rated_impressions as previous_rated_impressions,
        before.rated_engagements as previous_rated_engagements
    from windows
    left join sums as now
        on
            windows.account_id = now.account_id
            and windows.window_name = now.window_name
            and now.period = 'current'
    left join sums as before
        on
            windows.account_id = before.account_id
            and windows.window_name = before.window_name
            and before.period = 'previous'

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
        age_hours,
        posts_published,
        compared_posts,
        posts_published - ripe_posts as too_young_posts,
        ripe_posts - compared_posts as unrecorded_posts,
        previous_compared_posts,
        previous_ripe_posts - previous_compared_posts as previous_unrecorded_posts,
        {%- for metric in gained_metrics() %}
        {{ metric }},
        {%- endfor %}
        {%- for metric in gained_metrics() %}
        previous_{{ metric }},
        {%- endfor %}
        {{ rate('rated_engagements', 'rated_impressions') }} as engagement_rate,
        {{ rate('previous_rated_engagements', 'previous_rated_impressions') }} as previous_engagement_rate,
        {%- for metric in ['impressions', 'engagements'] %}
        {{ change_state(
            metric, 'previous_' ~ metric,
            [('compared_posts', 'ripe_posts'), ('previous_compared_posts', 'previous_ripe_posts')]
        ) }} as change_{{ metric }}_state
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from joined

)

select * from final
