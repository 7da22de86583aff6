-- What: 7d, 30d and 90d hold what daily_metrics holds for the open local day and the 6, 29 or 89 days before it.
-- Why:  a card and the chart below it must show the same number.
-- Rows: account and window, with both figures of each metric that differs.
with

day_windows as (

    select
        metrics.*,
        cast({{ wall_clock('metrics.window_start', 'metrics.timezone') }} as date) as first_day
    from {{ ref('window_metrics') }} as metrics
    where metrics.window_name <> '24h'

),

day_sums as (

    select
        day_windows.account_id,
        day_windows.window_name,
        {%- for metric in gained_metrics() %}
        sum(days.new_{{ metric }}) as new_{{ metric }},
        sum(days.observed_{{ metric }}) as observed_{{ metric }},
        {%- endfor %}
        coalesce(sum(days.due_slots), 0) as due_slots,
        coalesce(sum(days.filled_slots), 0) as filled_slots
    from day_windows
    left join {{ ref('daily_metrics') }} as days
        on
            day_windows.account_id = days.account_id
            and day_windows.first_day <= days.day
    group by day_windows.account_id, day_windows.window_name

),

final as (

    select
        day_windows.account_id,
        day_windows.window_name,
        {%- for metric in gained_metrics() %}
        day_windows.new_{{ metric }} as window_{{ metric }},
        day_sums.new_{{ metric }} as days_{{ metric }},
        {%- endfor %}
        day_windows.due_slots as window_due_slots,
        day_sums.due_slots as days_due_slots,
        day_windows.filled_slots as window_filled_slots,
        day_sums.filled_slots as days_filled_slots
    from day_windows
    inner join day_sums
        on
            day_windows.account_id = day_sums.account_id
            and day_windows.window_name = day_sums.window_name
    where
        {%- for metric in gained_metrics() %}
        day_windows.new_{{ metric }} is distinct from day_sums.new_{{ metric }} or
        day_windows.observed_{{ metric }} is distinct from day_sums.observed_{{ metric }} or
        {%- endfor %}
        day_windows.due_slots <> day_sums.due_slots
        or day_windows.filled_slots <> day_sums.filled_slots

)

select * from final
