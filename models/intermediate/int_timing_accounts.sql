with

sums as (

    select
        account_id,
        timezone,
        measure,
        cast(sum(n) as double) as n,
        count(*) as cells,
        cast(sum(total) as double) as total,
        cast(sum(squares) as double) as squares,
        sum(cast(total as double) * total / n) as cell_squares,
        cast(sum(n * n) as double) as squared_sizes,
        concat_ws(
            ' ',
            cast(sum(n) as string),
            cast(sum(total) as string),
            cast(sum(squares) as string),
            cast(sum(marks * (24 * weekday + hour)) as string)
        ) as fingerprint
    from {{ ref('int_timing_cells') }}
    group by account_id, timezone, measure

),

-- Variance within and between the cells by the method of moments; no more between them than chance puts
-- there means that they are taken as equal (METRICS.md 7). Rounding may leave less than nothing within.
moments as (

    select
        *,
        total / n as mean,
        case when n > cells then greatest(squares - cell_squares, 0) / (n - cells) end as within_variance,
        case when cells > 1 then (cell_squares - total * total / n) / (cells - 1) end as between_squares,
        case when cells > 1 then (n - squared_sizes / n) / (cells - 1) end as typical_size,
        case when n > 1 and squares > total * total / n then sqrt((squares - total * total / n) / (n - 1)) end
            as deviation
    from sums

),

variances as (

    select
        *,
        (between_squares - within_variance) / typical_size as between_variance
    from moments

),

final as (

    select
        account_id,
        timezone,
        measure,
        n,
        mean,
        deviation,
        within_variance,
        case when between_variance > 0 then within_variance / between_variance end as k,
        fingerprint
    from variances

)

select * from final
