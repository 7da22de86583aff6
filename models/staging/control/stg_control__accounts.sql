with

source as (

    select * from {{ source('control', 'accounts') }}

),

final as (

    select
        -- ids
        cast(account_id as {{ uuid_type() }}) as account_id,
        platform_account_id,
        cast(merged_into as {{ uuid_type() }}) as merged_into,

        -- attributes
        platform,
        account_kind,
        handle,
        display_name,
        timezone,
        is_proven,

        -- timestamps
        created_at

    from source

)

select * from final
