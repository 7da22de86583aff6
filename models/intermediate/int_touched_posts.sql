{%- set built_days = as_last_built('intermediate', 'int_account_days') -%}
{%- set last_touched = as_last_built('intermediate', 'int_touched_posts') -%}
{%- set recorded_builds = recorded('recorded_builds') -%}

with

changes as (

    select * from {{ ref('int_post_changes') }}

),

-- What a build touched that did not complete may stand in some tables and not in others, and nothing else
-- may tell: the post may be erased since, or what changed may have changed back.
pending as (

    {%- if last_touched and recorded_builds %}
    select
        last_touched.post_id,
        last_touched.account_id,
        last_touched.earliest_published_at,
        last_touched.latest_published_at
    from {{ last_touched }} as last_touched
    where
        not exists (
            select 1
            from {{ recorded_builds }} as builds
            where builds.invocation_id = last_touched.build_id
        )
    {%- else %}
    select
        post_id,
        account_id,
        earliest_published_at,
        latest_published_at
    from changes
    where 1 = 0
    {%- endif %}

),

touched as (

    select
        post_id,
        first_slot,
        last_slot,
        goes_on,
        only_adds
    from {{ ref('int_touched_spans') }}
    union all
    select
        post_id,
        {{ beginning() }} as first_slot,
        {{ ending() }} as last_slot,
        false as goes_on,
        only_adds
    from changes
    where is_changed
    union all
    select
        post_id,
        {{ beginning() }} as first_slot,
        {{ ending() }} as last_slot,
        false as goes_on,
        false as only_adds
    from pending

),

spans as (

    select
        post_id,
        min(first_slot) as first_slot,
        max(last_slot) as last_slot,
        bool_and(goes_on) as goes_on,
        bool_and(only_adds) as only_adds
    from touched
    group by post_id

),

-- Where the post is or was in its account's timeline: later posts are compared with it.
direct as (

    select
        spans.post_id,
        spans.first_slot,
        spans.last_slot,
        spans.goes_on,
        spans.only_adds,
        coalesce(changes.account_id, pending.account_id) as account_id,
        coalesce(changes.earliest_published_at, pending.earliest_published_at) as earliest_published_at,
        coalesce(changes.latest_published_at, pending.latest_published_at) as latest_published_at
    from spans
    left join changes on spans.post_id = changes.post_id
    left join pending on spans.post_id = pending.post_id

),

archive as (

    select * from {{ ref('int_archive') }}

),

known_zones as (

    {%- if built_days %}
    select distinct
        account_id,
        timezone
    from {{ built_days }}
    {%- else %}
    select
        account_id,
        timezone
    from {{ ref('int_reader_zones') }}
    {%- endif %}

),

-- Where something changed in a time of which readings are archived, or a reader's zone is new, the days of
-- the account cannot be told from hot readings: it is built whole, from both. An increment may count up to
-- 30 days before its reading.
archived_accounts as (

    select direct.account_id
    from direct
    inner join archive
        on
            case
                when direct.first_slot < direct.earliest_published_at then direct.earliest_published_at
                else direct.first_slot
            end
            <= archive.newest_slot + interval '31' day
    union distinct
    select zones.account_id
    from {{ ref('int_reader_zones') }} as zones
    cross join archive
    left join known_zones
        on
            zones.account_id = known_zones.account_id
            and zones.timezone = known_zones.timezone
    where known_zones.account_id is null

),

whole as (

    select
        changes.post_id,
        changes.account_id,
        changes.earliest_published_at,
        changes.latest_published_at
    from changes
    inner join archived_accounts on changes.account_id = archived_accounts.account_id

),

final as (

    select
        coalesce(direct.post_id, whole.post_id) as post_id,
        case when whole.post_id is null then direct.first_slot else {{ beginning() }} end as first_slot,
        case when whole.post_id is null then direct.last_slot else {{ ending() }} end as last_slot,
        whole.post_id is null and direct.goes_on as goes_on,
        whole.post_id is null and direct.only_adds as only_adds,
        coalesce(direct.account_id, whole.account_id) as account_id,
        coalesce(direct.earliest_published_at, whole.earliest_published_at) as earliest_published_at,
        coalesce(direct.latest_published_at, whole.latest_published_at) as latest_published_at,
        '{{ invocation_id }}' as build_id
    from direct
    full outer join whole on direct.post_id = whole.post_id

)

select * from final
