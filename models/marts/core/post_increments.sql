with

snapshots as (

    select
        known.*,
        posts.first_due_slot,
        posts.last_due_slot
    from {{ ref('int_snapshots_known') }} as known
    inner join {{ ref('int_posts') }} as posts on known.post_id = posts.post_id

),

with_previous as (

    select
        *,
        {%- for metric in gained_metrics() %}
        lag(known_{{ metric }}) over (partition by post_id order by slot_start) as before_{{ metric }},
        {%- endfor %}
        lag(source) over (partition by post_id order by slot_start) as previous_source,
        lag(collected_at) over (partition by post_id order by slot_start) as previous_collected_at,
        lag(slot_start) over (partition by post_id order by slot_start) as previous_slot
    from snapshots

),

-- Which slot numbers lie between two snapshots, within the slots that were due.
with_slots as (

    select
        *,
        {{ slot_index('slot_start', 'published_at') }} as this_index,
        {{ slot_index('previous_slot', 'published_at') }} as previous_index,
        {{ slot_index('first_due_slot', 'published_at') }} as first_due_index,
        {{ slot_index('last_due_slot', 'published_at') }} as last_due_index
    from with_previous

),

with_basis as (

    select
        *,
        case
            when source = 'file' then 'lifetime'
            when previous_source = 'api' and collected_at <= previous_collected_at + interval '48' hour then 'observed'
            when previous_source is not null then 'catch_up'
            when collected_at <= published_at + interval '24' hour then 'observed'
            else 'lifetime'
        end as basis,
        coalesce(
            first_due_index is not null
            and case when this_index > last_due_index + 1 then last_due_index + 1 else this_index end
            - case when previous_index < first_due_index - 1 then first_due_index - 1 else previous_index end > 1,
            false
        ) as is_gap
    from with_slots

),

differences as (

    select
        *,
        {%- for metric in gained_metrics() %}
        {{ metric }} - coalesce(before_{{ metric }}, 0) as new_{{ metric }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from with_basis

),

final as (

    select
        snapshot_id as id,
        post_id,
        account_id,
        platform,
        slot_start,
        collected_at,
        case when basis = 'lifetime' then published_at else collected_at end as activity_at,
        case when basis = 'lifetime' then {{ floor_to('published_at', 120) }} else slot_start end as activity_slot,
        basis,
        is_gap,
        {% for counter in counters() %}coalesce(new_{{ counter }} < 0, false)
        {%- if not loop.last %} or {% endif %}{% endfor %} as is_correction,
        {%- for counter in counters() %}
        cast(new_{{ counter }} as integer) as new_{{ counter }},
        {%- endfor %}
        cast(new_engagements as bigint) as new_engagements,
        cast(new_engagements_core as bigint) as new_engagements_core
    from differences

)

select * from final
