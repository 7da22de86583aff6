with

source as (

    select * from {{ source('control', 'users') }}

),

final as (

    select
        -- ids
        user_key,

        -- attributes
        timezone,

        -- timestamps
        created_at

    from source

)

select * from final
