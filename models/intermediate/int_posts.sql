with

known as (

    {%- for platform in platforms() %}
    select
        post_id,
        account_id,
        platform_post_id,
        published_at,
        post_type,
        fetched_at as known_at,
        1 as source_rank
    from {{ ref('stg_' ~ platform ~ '__posts') }}
    union all
    {%- endfor %}
    select
        post_id,
        account_id,
        platform_post_id,
        published_at,
        post_type,
        collected_at as known_at,
        2 as source_rank
    from {{ ref('stg_twitter__export_posts') }}
    union all
    select
        post_id,
        account_id,
        platform_post_id,
        published_at,
        cast(null as string) as post_type,
        registered_at as known_at,
        3 as source_rank
    from {{ ref('stg_control__tracked_posts') }}
    where published_at is not null

),

-- The platform's own description goes before a file's, the newest version before an older one.
ranked as (

    select
        *,
        min(published_at) over (partition by post_id) as first_published_at,
        row_number() over (
            partition by post_id
            order by source_rank asc, platform_post_id desc nulls last, known_at desc, post_type asc
        ) as preference
    from known

),

deletions as (

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
        accounts.platform,
        accounts.account_kind,
        ranked.platform_post_id,
        ranked.post_type,
        ranked.first_published_at as published_at,
        deletions.post_id is not null as is_deleted,
        deletions.deleted_at,
        accounts.connected_at,
        as_of.data_as_of,
        case
            when accounts.connected_at > ranked.first_published_at then accounts.connected_at
            when accounts.connected_at is not null then ranked.first_published_at
        end as due_start
    from ranked
    inner join {{ ref('int_accounts_live') }} as accounts on ranked.account_id = accounts.account_id
    inner join {{ ref('int_account_as_of') }} as as_of on ranked.account_id = as_of.account_id
    left join deletions on ranked.post_id = deletions.post_id
    where ranked.preference = 1

),

-- Due slots run from connection or publication, whichever is later, to the slot before deletion, to an
-- age of 30 days or to the newest reading of any account, whichever is first (METRICS.md 2).
due_moments as (

    select
        *,
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
        {{ slot_start('due_end', 'published_at') }} as last_slot
    from due_spans

),

due_posts as (

    select
        *,
        case when due_start <= data_as_of and first_slot <= last_slot then first_slot end as first_due_slot,
        case when due_start <= data_as_of and first_slot <= last_slot then last_slot end as last_due_slot
    from due_slots

),

-- The fingerprint is all that a post's snapshots, increments and comparisons follow from, readings aside:
-- when it changes, the post is built anew.
final as (

    select
        post_id,
        account_id,
        platform,
        account_kind,
        platform_post_id,
        post_type,
        published_at,
        is_deleted,
        deleted_at,
        first_due_slot,
        last_due_slot,
        concat_ws(
            '|',
            cast(account_id as string),
            account_kind,
            coalesce(post_type, 'type not known'),
            '{{ code_fingerprint() }}',
            cast({{ epoch_microseconds('published_at') }} as string),
            coalesce(cast({{ epoch_microseconds('first_due_slot') }} as string), 'not due'),
            coalesce(cast({{ epoch_microseconds('deleted_at') }} as string), 'not deleted')
        ) as fingerprint
    from due_posts

)

select * from final
