with

cells as (

    select
        account_id,
        timezone,
        measure,
        weekday,
        hour,
        n,
        total / cast(n as double) as mean
    from {{ ref('int_timing_cells') }}

),

scored as (

    select
        cells.account_id,
        cells.timezone,
        cells.measure,
        cells.weekday,
        cells.hour,
        cells.n,
        cells.mean,
        accounts.n as posts,
        accounts.mean as parent,
        accounts.within_variance,
        accounts.k,
        {{ is_enough_posts('cells', 'accounts') }} as is_enough,
        case
            when {{ is_enough_posts('cells', 'accounts') }}
                then {{ standard_errors('cells.mean', 'cells.n', 'accounts') }}
        end as z
    from cells
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
    from scored

)

select * from final
