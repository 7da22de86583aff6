-- depends_on: {{ ref('int_touched_posts') }}
-- depends_on: {{ ref('int_loads') }}
{{ config(
    materialized='incremental',
    pre_hook=["{{ delete_added_snapshots() }}", "{{ delete_touched_snapshots(but='only_adds') }}"]
) }}

with

posts as (

    select
        posts.post_id,
        cast(posts.post_id as string) as landed_post_id,
        posts.account_id,
        posts.platform,
        posts.account_kind,
        posts.published_at,
        {% if is_incremental() %}touched.first_slot{% else %}{{ beginning() }} as first_slot{% endif %},
        {% if is_incremental() %}touched.last_slot{% else %}{{ ending() }} as last_slot{% endif %},
        {% if is_incremental() %}{{ is_found_by_load('touched', 'only_adds') }}{% else %}false{% endif %} as is_by_load
    from {{ ref('int_posts') }} as posts
    {% if is_incremental() %}
    inner join {{ ref('int_touched_posts') }} as touched on posts.post_id = touched.post_id
    {% endif %}

),

-- Of a post that is only added to, the readings are those of the new loads.
added_posts as (

    select * from posts
    where is_by_load

),

-- For others the history is searched, and the files are.
searched_posts as (

    select * from posts
    where not is_by_load

),

-- Archived readings are asked for only where a post is built from its beginning.
whole_posts as (

    select * from posts
    where first_slot = {{ beginning() }}

),

new_loads as (

    select load_id
    from {{ ref('int_loads') }}
    where is_new

),

readings as (
    {% for posts in ['added_posts', 'searched_posts', 'whole_posts'] %}
    select
        cast(readings.snapshot_id as {{ uuid_type() }}) as snapshot_id,
        posts.post_id,
        posts.account_id,
        posts.platform,
        posts.account_kind,
        posts.published_at,
        readings.platform_post_id,
        readings.load_id,
        readings.is_archived,
        readings.slot_start,
        readings.collected_at,
        readings.first_landed_at,
        {%- for counter in counters() %}
        readings.{{ counter }},
        {%- endfor %}
        readings.unique_impressions
    from {{ ref('int_readings') }} as readings
    {% if posts == 'added_posts' %}
    inner join new_loads on readings.load_id = new_loads.load_id
    {% endif %}
    inner join {{ posts }} as posts
        on
            readings.post_id = posts.landed_post_id
            and readings.slot_start between posts.first_slot and posts.last_slot
    where {% if posts != 'whole_posts' %}not {% endif %}readings.is_archived
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

-- Only a post with several ids, or with archived readings, can have more than one reading of a slot.
ids_of_posts as (
    {% if is_incremental() %}
    select
        post_id,
        min(platform_post_id) as first_id,
        max(platform_post_id) as last_id,
        max(case when is_archived then 1 else 0 end) as has_archived
    from readings
    group by post_id
    {%- else %}
    select
        cast(post_id as {{ uuid_type() }}) as post_id,
        min(platform_post_id) as first_id,
        max(platform_post_id) as last_id,
        max(case when is_archived then 1 else 0 end) as has_archived
    from {{ ref('int_readings') }}
    group by post_id
    {% endif %}

),

contested_posts as (

    select post_id
    from ids_of_posts
    where
        first_id <> last_id
        or has_archived = 1

),

-- A later reading of a slot replaces an earlier one, whichever of a post's ids it came under: the client
-- has already summed the versions of an edited X post.
ranked_readings as (

    select
        readings.*,
        row_number() over (
            partition by readings.post_id, readings.slot_start
            order by readings.collected_at desc, readings.platform_post_id desc, readings.is_archived asc
        ) as recency
    from readings
    inner join contested_posts on readings.post_id = contested_posts.post_id

),

api as (

    select
        readings.snapshot_id,
        readings.post_id,
        readings.account_id,
        readings.platform,
        readings.account_kind,
        readings.published_at,
        readings.platform_post_id,
        readings.load_id,
        readings.is_archived,
        readings.slot_start,
        readings.collected_at,
        readings.first_landed_at,
        {%- for counter in counters() %}
        readings.{{ counter }},
        {%- endfor %}
        readings.unique_impressions,
        cast(null as integer) as platform_engagements,
        'api' as source,
        'api' as layout,
        'observed' as collected_basis
    from readings
    left join contested_posts on readings.post_id = contested_posts.post_id
    where contested_posts.post_id is null
    union all
    select
        snapshot_id,
        post_id,
        account_id,
        platform,
        account_kind,
        published_at,
        platform_post_id,
        load_id,
        is_archived,
        slot_start,
        collected_at,
        first_landed_at,
        {%- for counter in counters() %}
        {{ counter }},
        {%- endfor %}
        unique_impressions,
        cast(null as integer) as platform_engagements,
        'api' as source,
        'api' as layout,
        'observed' as collected_basis
    from ranked_readings
    where recency = 1

),

-- Of several file rows of a post version the newest counts, the one with most impressions on a tie.
ranked_file_rows as (

    select
        files.*,
        posts.first_slot,
        posts.last_slot,
        row_number() over (
            partition by files.post_id, files.platform_post_id
            order by files.collected_at desc, files.impressions desc nulls last, files.file_sha256 asc
        ) as recency
    from {{ ref('stg_twitter__export_posts') }} as files
    inner join searched_posts as posts on files.post_id = posts.post_id

),

-- An edited post has a row for each version: the snapshot takes time and identity from the newest.
file_versions as (

    select
        *,
        row_number() over (
            partition by post_id
            order by collected_at desc, platform_post_id desc
        ) as version_recency
    from ranked_file_rows
    where recency = 1

),

summed_versions as (

    select
        post_id,
        max(platform_post_id) as platform_post_id,
        min(first_landed_at) as first_landed_at,
        max(layout) as layout,
        {%- for measure in file_measures() %}
        {{ sum_of_versions(measure) }} as {{ measure }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from file_versions
    group by post_id

),

-- For one slot an API row wins over a file row.
file as (

    select
        newest.snapshot_id,
        newest.post_id,
        posts.account_id,
        posts.platform,
        posts.account_kind,
        posts.published_at,
        summed.platform_post_id,
        newest.load_id,
        false as is_archived,
        newest.slot_start,
        newest.collected_at,
        summed.first_landed_at,
        summed.impressions,
        summed.likes,
        cast(null as integer) as comments,
        cast(null as integer) as shares,
        summed.clicks,
        summed.replies,
        summed.retweets,
        cast(null as integer) as quotes,
        summed.bookmarks,
        cast(null as integer) as unique_impressions,
        summed.platform_engagements,
        'file' as source,
        summed.layout,
        newest.collected_basis
    from file_versions as newest
    inner join summed_versions as summed on newest.post_id = summed.post_id
    inner join posts on newest.post_id = posts.post_id
    left join api
        on
            newest.post_id = api.post_id
            and newest.slot_start = api.slot_start
    where
        newest.version_recency = 1
        and newest.slot_start between newest.first_slot and newest.last_slot
        and api.post_id is null

),

unioned as (

    select * from api
    union all
    select * from file

),

formulas as (

    select * from {{ ref('int_metric_formulas') }}

),

-- A metric that the source does not offer is left out of the engagements; an offered one that is NULL
-- makes them NULL.
measured as (

    select
        unioned.*,
        formulas.engagements_basis,
        formulas.metric_version,
        cast(0 as bigint)
        {%- for counter in counters() if counter != 'impressions' %}
        + case when formulas.adds_{{ counter }} = 1 then unioned.{{ counter }} else 0 end
        {%- endfor %} as engagements,
        cast(0 as bigint)
        {%- for counter in counters() if counter != 'impressions' %}
        + case when formulas.adds_core_{{ counter }} = 1 then unioned.{{ counter }} else 0 end
        {%- endfor %} as engagements_core,
        {{ engagement_score('unioned', 'formulas') }} as engagement_score
    from unioned
    left join formulas
        on
            unioned.platform = formulas.platform
            and unioned.account_kind = formulas.account_kind
            and unioned.layout = formulas.layout

),

final as (

    select
        snapshot_id as id,
        post_id,
        platform,
        platform_post_id,
        {%- for counter in counters() %}
        {{ counter }},
        {%- endfor %}
        {{ rate('engagements', 'impressions') }} as engagement_rate,
        engagement_score,
        collected_at,
        first_landed_at as created_at,
        account_id,
        slot_start,
        published_at,
        unique_impressions,
        engagements,
        engagements_core,
        engagements_basis,
        platform_engagements,
        engagement_score = 1000 as score_capped,
        metric_version,
        source,
        collected_basis,
        layout,
        load_id,
        is_archived
    from measured

)

select * from final
