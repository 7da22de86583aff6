{%- set last_built = as_last_built('marts', 'analytics_snapshots') -%}
{%- set last_totals = as_last_built('intermediate', 'int_post_totals') -%}
{%- set landed_metrics = counters() + ['unique_impressions'] -%}
{%- set known_metrics = landed_metrics + ['engagements', 'engagements_core'] -%}

with

new_loads as (

    select load_id
    from {{ ref('int_loads') }}
    where is_new

),

new_readings as (

    select
        cast(readings.post_id as {{ uuid_type() }}) as post_id,
        readings.slot_start,
        {%- for metric in landed_metrics %}
        readings.{{ metric }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('int_readings') }} as readings
    inner join new_loads on readings.load_id = new_loads.load_id
    where not readings.is_archived

),

arrived as (

    select
        post_id,
        min(slot_start) as first_slot,
        max(slot_start) as newest_slot,
        {%- for metric in landed_metrics %}
        count({{ metric }}) as knows_{{ metric }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from new_readings
    group by post_id

),

-- Most posts go on from where they were. Of the others, something stands at or after the first new reading.
behind as (

    {%- if last_built and last_totals %}
    select
        arrived.post_id,
        arrived.first_slot
    from arrived
    inner join {{ last_totals }} as totals
        on
            arrived.post_id = totals.post_id
            and arrived.first_slot <= totals.last_slot
    {%- else %}
    select
        post_id,
        first_slot
    from arrived
    {%- endif %}

),

-- What stands there since the last build, from the first new reading on.
following as (

    {%- if last_built %}
    select
        {%- for metric in known_metrics %}
        snapshots.{{ metric }},
        {%- endfor %}
        snapshots.post_id,
        snapshots.slot_start
    from {{ last_built }} as snapshots
    inner join behind
        on
            snapshots.post_id = behind.post_id
            and snapshots.slot_start >= behind.first_slot
    {%- else %}
    select
        {%- for metric in landed_metrics %}
        {{ metric }},
        {%- endfor %}
        cast(null as bigint) as engagements,
        cast(null as bigint) as engagements_core,
        post_id,
        slot_start
    from new_readings
    where 1 = 0
    {%- endif %}

),

-- A new reading takes the place of one that stood in its slot, or is compared with it.
replaced as (

    select distinct new_readings.post_id
    from new_readings
    inner join following
        on
            new_readings.post_id = following.post_id
            and new_readings.slot_start = following.slot_start

),

known as (

    select
        post_id,
        {%- for metric in known_metrics %}
        count({{ metric }}) as knows_{{ metric }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from following
    group by post_id

),

-- An increment is measured against the last known value: from the first older snapshot on that knows all
-- that the new ones may have changed, increments are what they were.
settled as (

    select
        following.post_id,
        min(following.slot_start) as last_slot
    from following
    inner join arrived on following.post_id = arrived.post_id
    inner join known on following.post_id = known.post_id
    where
        following.slot_start > arrived.newest_slot
        {%- for metric in landed_metrics %}
        and (following.{{ metric }} is not null or known.knows_{{ metric }} + arrived.knows_{{ metric }} = 0)
        {%- endfor %}
        {%- for metric in ['engagements', 'engagements_core'] %}
        and (following.{{ metric }} is not null or known.knows_{{ metric }} = 0)
        {%- endfor %}
    group by following.post_id

),

-- A new file row may replace the snapshot of an older file anywhere in the history.
spans as (

    select
        arrived.post_id,
        arrived.first_slot,
        coalesce(settled.last_slot, {{ ending() }}) as last_slot,
        behind.post_id is null as goes_on,
        replaced.post_id is null as only_adds
    from arrived
    left join settled on arrived.post_id = settled.post_id
    left join behind on arrived.post_id = behind.post_id
    left join replaced on arrived.post_id = replaced.post_id
    union all
    select
        files.post_id,
        {{ beginning() }} as first_slot,
        {{ ending() }} as last_slot,
        false as goes_on,
        false as only_adds
    from {{ ref('stg_twitter__export_posts') }} as files
    inner join new_loads on files.load_id = new_loads.load_id

),

final as (

    select
        post_id,
        min(first_slot) as first_slot,
        max(last_slot) as last_slot,
        bool_and(goes_on) as goes_on,
        bool_and(only_adds) as only_adds
    from spans
    group by post_id

)

select * from final
