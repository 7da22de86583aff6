{{ config(materialized='view') }}

with

-- A view: who reads it asks for some of ten million rows, and each platform's part is asked alone.
final as (
    {% for platform in platforms() %}
    select
        snapshot_id,
        post_id,
        account_id,
        '{{ platform }}' as platform,
        platform_post_id,
        load_id,
        is_archived,
        slot_start,
        collected_at,
        first_landed_at,
        {%- for counter in counters() %}
        {{ counter }},
        {%- endfor %}
        unique_impressions
    from {{ ref('stg_' ~ platform ~ '__snapshots') }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

)

select * from final
