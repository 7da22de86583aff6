with

described as (

    {%- for platform in platforms() %}
    select
        post_id,
        account_id,
        platform_post_id,
        post_text,
        post_url,
        fetched_at as known_at,
        1 as source_rank
    from {{ ref('stg_' ~ platform ~ '__posts') }}
    union all
    {%- endfor %}
    select
        post_id,
        account_id,
        platform_post_id,
        post_text,
        post_url,
        collected_at as known_at,
        2 as source_rank
    from {{ ref('stg_twitter__export_posts') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by post_id
            order by source_rank asc, platform_post_id desc, known_at desc
        ) as preference
    from described

),

-- Text and link of a post that its platform deleted are dropped (METRICS.md 8).
final as (

    select
        ranked.post_id,
        ranked.account_id,
        ranked.post_text as text,
        ranked.post_url as url
    from ranked
    inner join {{ ref('int_posts') }} as posts on ranked.post_id = posts.post_id
    where
        ranked.preference = 1
        and not posts.is_deleted

)

select * from final
