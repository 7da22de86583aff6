-- What: 7d, 30d and 90d hold what daily_metrics holds for the open local day and the 6, 29 or 89 days before it,
--       and every window has the due and filled slots of the quarter hours within its bounds.
-- Why:  a card and the chart below it must show the same number.
-- Rows: account and window, with both figures of each metric.
with

windows as (

    select
        metrics.*,
        cast({{ wall_clock('metrics.window_start', 'metrics.timezone') }} as date) as first_day
    from {{ ref('window_metrics') }} as metrics

),

day_sums as (

    select
        windows.account_id,
        windows.window_name,
        {%- for metric in gained_metrics() %}
        sum(days.new_{{ metric }}) as new_{{ metric }},
        sum(days.observed_{{ metric }}) as observed_{{ metric }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from windows
    left join {{ ref('daily_metrics') }} as days
        on
            windows.account_id = days.account_id
            and windows.first_day <= days.day
    where windows.window_name <> '24h'
    group by windows.account_id, windows.window_name

),

slot_sums as (

    select
        windows.account_id,
        windows.window_name,
        coalesce(sum(quarter_hours.due_slots), 0) as due_slots,
        coalesce(sum(quarter_hours.filled_slots), 0) as filled_slots
    from windows
    left join {{ ref('quarter_hour_metrics') }} as quarter_hours
        on
            windows.account_id = quarter_hours.account_id
            and windows.window_start <= quarter_hours.quarter_hour
            and windows.window_end > quarter_hours.quarter_hour
    group by windows.account_id, windows.window_name

),

final as (

    select
        windows.account_id,
        windows.window_name,
        {%- for metric in gained_metrics() %}
        windows.new_{{ metric }} as window_{{ metric }},
        day_sums.new_{{ metric }} as days_{{ metric }},
        {%- endfor %}
        windows.due_slots as window_due_slots,
        slot_sums.due_slots as quarter_hours_due_slots,
        windows.filled_slots as window_filled_slots,
        slot_sums.filled_slots as quarter_hours_filled_slots
    from windows
    inner join slot_sums
        on
            windows.account_id = slot_sums.account_id
            and windows.window_name = slot_sums.window_name
    left join day_sums
        on
            windows.account_id = day_sums.account_id
            and windows.window_name = day_sums.window_name
    where
        windows.due_slots <> slot_sums.due_slots
        or windows.filled_slots <> slot_sums.filled_slots
        or (
            windows.window_name <> '24h'
            and (
                {%- for metric in gained_metrics() %}
                windows.new_{{ metric }} is distinct from day_sums.new_{{ metric }}
                or windows.observed_{{ metric }} is distinct from day_sums.observed_{{ metric }}
                {%- if not loop.last %} or{% endif %}
                {%- endfor %}
            )
        )

)

select * from final
