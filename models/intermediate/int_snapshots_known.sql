with

measured as (

    select * from {{ ref('int_snapshots_measured') }}

),

known_counters as (

    select
        *,
        {%- for counter in counters() + ['unique_impressions'] %}
        {{ last_known(counter, 'post_id', 'slot_start') }} as known_{{ counter }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from measured

),

-- A file that lacks a metric of the formula says nothing of it: the last known value stays in the sum,
-- or a file row after API rows would look like a fall.
carried as (

    select
        known_counters.*,
        known_counters.engagements
        {%- for counter in counters() if counter != 'impressions' %}
        + formulas.lacks_{{ counter }} * coalesce(known_counters.known_{{ counter }}, 0)
        {%- endfor %} as carried_engagements,
        known_counters.engagements_core
        {%- for counter in counters() if counter != 'impressions' %}
        + formulas.lacks_core_{{ counter }} * coalesce(known_counters.known_{{ counter }}, 0)
        {%- endfor %} as carried_engagements_core
    from known_counters
    left join {{ ref('int_metric_formulas') }} as formulas
        on
            known_counters.platform = formulas.platform
            and known_counters.account_kind = formulas.account_kind
            and known_counters.source = formulas.source

),

final as (

    select
        snapshot_id,
        post_id,
        account_id,
        platform,
        published_at,
        slot_start,
        collected_at,
        source,
        {%- for counter in counters() %}
        {{ counter }},
        {%- endfor %}
        cast(carried_engagements as bigint) as engagements,
        cast(carried_engagements_core as bigint) as engagements_core,
        {%- for counter in counters() + ['unique_impressions'] %}
        known_{{ counter }},
        {%- endfor %}
        cast({{ last_known('carried_engagements', 'post_id', 'slot_start') }} as bigint) as known_engagements,
        cast({{ last_known('carried_engagements_core', 'post_id', 'slot_start') }} as bigint)
            as known_engagements_core,
        row_number() over (partition by post_id order by slot_start desc) as recency
    from carried

)

select * from final
