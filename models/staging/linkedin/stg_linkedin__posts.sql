with

source as (

    select * from {{ source('linkedin', 'posts') }}

),

final as (

    select
        -- ids
        cast(post_id as {{ uuid_type() }}) as post_id,
        cast(account_id as {{ uuid_type() }}) as account_id,
        platform_post_id,
        _dlt_load_id as load_id,

        -- attributes
        post_type,

        -- content
        text as post_text,
        url as post_url,

        -- timestamps
        published_at,
        fetched_at,
        first_landed_at

    from source

)

select * from final
