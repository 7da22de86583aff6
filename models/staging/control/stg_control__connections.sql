with

source as (

    select * from {{ source('control', 'connections') }}

),

final as (

    select
        -- ids
        connection_id,
        cast(account_id as {{ uuid_type() }}) as account_id,

        -- attributes
        platform,
        state,
        scopes,

        -- timestamps
        connected_at,
        expires_at,
        last_success_at,
        cooldown_until

    from source

)

select * from final
