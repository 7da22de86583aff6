-- What: 7d, 30d and 90d hold what daily_metrics holds for the open local day and the 6, 29 or 89 days before it,
--       and every window has the due and filled slots of the quarter hours within its bounds.
-- Why:  a card and the chart below it must show the same number.
-- Rows: account, window and figure, as found in the window and as expected by its days or quarter hours.
{%- set day_figures = [] %}
{%- for metric in gained_metrics() %}
{%- do day_figures.extend(['new_' ~ metric, 'observed_' ~ metric]) %}
{%- endfor %}
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
        {%- for figure in day_figures %}
        sum(days.{{ figure }}) as {{ figure }}
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

compared as (

    select
        windows.account_id,
        windows.window_name,
        {%- for figure in day_figures %}
        windows.{{ figure }} as found_{{ figure }},
        case when windows.window_name = '24h' then windows.{{ figure }} else day_sums.{{ figure }} end
            as expected_{{ figure }},
        {%- endfor %}
        windows.due_slots as found_due_slots,
        slot_sums.due_slots as expected_due_slots,
        windows.filled_slots as found_filled_slots,
        slot_sums.filled_slots as expected_filled_slots
    from windows
    inner join slot_sums
        on
            windows.account_id = slot_sums.account_id
            and windows.window_name = slot_sums.window_name
    left join day_sums
        on
            windows.account_id = day_sums.account_id
            and windows.window_name = day_sums.window_name

),

final as (

    {{ each_difference('compared', ['account_id', 'window_name'], day_figures + ['due_slots', 'filled_slots']) }}

)

select * from final
