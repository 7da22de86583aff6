with

flagged as (

    select * from {{ ref('int_metric_jumps') }}

),

final as (

    select
        flagged.snapshot_id,
        flagged.metric,
        flagged.post_id,
        flagged.account_id,
        flagged.platform,
        flagged.published_at,
        flagged.collected_at,
        cast(flagged.previous_value as integer) as previous_value,
        flagged.current_value,
        cast({{ integer_divide('cast(flagged.change as bigint) * 100', 'flagged.previous_value') }} as bigint)
            as change_percent,
        coalesce(
            reviews.status,
            case
                when flagged.collected_at < flagged.published_at + interval '48' hour then 'expected'
                when flagged.previous_value < 100 then 'expected'
                else 'open'
            end
        ) as status,
        reviews.reviewed_by,
        reviews.reviewed_at
    from flagged
    left join {{ ref('stg_control__flag_reviews') }} as reviews
        on
            flagged.snapshot_id = reviews.snapshot_id
            and flagged.metric = reviews.metric

)

select * from final
