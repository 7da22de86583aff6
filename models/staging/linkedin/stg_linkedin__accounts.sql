with

source as (

    select * from {{ source('linkedin', 'accounts') }}

),

final as (

    select
        -- ids
        cast(account_id as {{ uuid_type() }}) as account_id,
        platform_account_id,
        _dlt_load_id as load_id,

        -- attributes
        account_kind,
        handle,
        display_name,

        -- counters
        cast(followers_count as integer) as followers,

        -- timestamps
        slot_start,
        collected_at,
        first_landed_at

    from source

)

select * from final
