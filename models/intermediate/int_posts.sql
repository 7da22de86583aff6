with

live as (

    select
        posts.*,
        accounts.connected_at
    from {{ ref('int_posts_unioned') }} as posts
    inner join {{ ref('int_accounts_live') }} as accounts
        on posts.account_id = accounts.account_id

),

-- The platform's own description goes before a file's, the newest version before an older one.
ranked as (

    select
        *,
        min(published_at) over (partition by post_id) as first_published_at,
        row_number() over (
            partition by post_id
            order by source_rank asc, platform_post_id desc, known_at desc
        ) as preference
    from live

),

tracked as (

    select
        post_id,
        min(deleted_at) as deleted_at
    from {{ ref('stg_control__tracked_posts') }}
    where state = 'deleted'
    group by post_id

),

described as (

    select
        ranked.post_id,
        ranked.account_id,
        ranked.platform,
        ranked.platform_post_id,
        ranked.post_type,
        ranked.first_published_at as published_at,
        ranked.connected_at,
        tracked.post_id is not null as is_deleted,
        tracked.deleted_at,
        as_of.data_as_of
    from ranked
    inner join {{ ref('int_account_as_of') }} as as_of on ranked.account_id = as_of.account_id
    left join tracked on ranked.post_id = tracked.post_id
    where ranked.preference = 1

),

-- Due slots run from connection or publication, whichever is later, to the slot before deletion, to an
-- age of 30 days or to the newest reading of any account, whichever is first (METRICS.md 2).
due_moments as (

    select
        *,
        case when connected_at > published_at then connected_at else published_at end as due_start,
        case
            when data_as_of < published_at + interval '30' day - interval '1' microsecond then data_as_of
            else published_at + interval '30' day - interval '1' microsecond
        end as polled_until,
        {{ slot_start('deleted_at', 'published_at') }} - interval '1' microsecond as undeleted_until
    from described

),

due_spans as (

    select
        *,
        case when undeleted_until < polled_until then undeleted_until else polled_until end as due_end
    from due_moments

),

due_slots as (

    select
        *,
        {{ slot_start('due_start', 'published_at') }} as first_slot,
        {{ slot_start('due_end', 'published_at') }} as last_slot,
        connected_at is not null and due_start <= data_as_of as is_polled
    from due_spans

),

final as (

    select
        post_id,
        account_id,
        platform,
        platform_post_id,
        post_type,
        published_at,
        is_deleted,
        deleted_at,
        case when is_polled and first_slot <= last_slot then first_slot end as first_due_slot,
        case when is_polled and first_slot <= last_slot then last_slot end as last_due_slot
    from due_slots

)

select * from final
