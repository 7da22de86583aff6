with

-- How far a cell's mean lies from the account's, in standard errors of a mean of posts dealt at random.
standardised as (

    select
        cells.account_id,
        cells.timezone,
        cells.measure,
        cells.weekday,
        cells.hour,
        cells.n,
        case
            when cells.n >= 3 and cells.n < accounts.n and accounts.n >= 20
                then
                    (cells.total / cast(cells.n as double) - accounts.mean)
                    / (accounts.deviation * sqrt(1.0 / cells.n - 1.0 / accounts.n))
        end as z
    from {{ ref('int_timing_cells') }} as cells
    inner join {{ ref('int_timing_accounts') }} as accounts
        on
            cells.account_id = accounts.account_id
            and cells.timezone = accounts.timezone
            and cells.measure = accounts.measure

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
