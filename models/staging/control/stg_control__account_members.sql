with

source as (

    select * from {{ source('control', 'account_members') }}

),

final as (

    select
        -- ids
        cast(account_id as {{ uuid_type() }}) as account_id,
        user_key,

        -- attributes
        role

    from source

)

select * from final
