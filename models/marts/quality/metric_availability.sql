with

final as (

    select
        platform,
        account_kind,
        source,
        layout,
        metric,
        availability,
        in_engagements,
        in_engagements_core,
        platform_field,
        note
    from {{ ref('metric_offers') }}

)

select * from final
