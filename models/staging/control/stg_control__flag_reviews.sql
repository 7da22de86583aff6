with

source as (

    select * from {{ source('control', 'flag_reviews') }}

),

final as (

    select
        -- ids
        cast(snapshot_id as {{ uuid_type() }}) as snapshot_id,
        metric,

        -- attributes
        status,
        reviewed_by,

        -- timestamps
        reviewed_at

    from source

)

select * from final
