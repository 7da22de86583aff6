with

cells as (

    select
        cells.account_id,
        cells.timezone,
        cells.measure,
        cells.weekday,
        cells.hour,
        cells.n,
        cells.total / cast(cells.n as double) as mean,
        cells.n >= 3 and accounts.n >= 20 as is_enough,
        accounts.n as posts,
        accounts.mean as parent,
        accounts.deviation
    from {{ ref('int_timing_cells') }} as cells
    inner join {{ ref('int_timing_accounts') }} as accounts
        on
            cells.account_id = accounts.account_id
            and cells.timezone = accounts.timezone
            and cells.measure = accounts.measure

),

-- How far a cell's mean lies from the account's, in standard errors of a mean of posts dealt at random.
standardised as (

    select
        account_id,
        timezone,
        measure,
        weekday,
        hour,
        n,
        is_enough,
        case when is_enough and n < posts then (mean - parent) / (deviation * sqrt(1.0 / n - 1.0 / posts)) end as z
    from cells

),

final as (

    select
        *,
        row_number() over (
            partition by account_id, timezone, measure
            order by z desc nulls last, weekday asc, hour asc
        ) as place
    from standardised

)

select * from final
