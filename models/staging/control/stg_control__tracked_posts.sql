with

source as (

    select * from {{ source('control', 'tracked_posts') }}

),

final as (

    select
        -- ids
        cast(post_id as {{ uuid_type() }}) as post_id,
        cast(account_id as {{ uuid_type() }}) as account_id,
        platform_post_id,

        -- attributes
        platform,
        state,

        -- timestamps
        published_at,
        deleted_at,
        registered_at

    from source

)

select * from final
