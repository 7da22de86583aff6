-- depends_on: {{ ref('int_touched_posts') }}
{{ config(materialized='incremental', pre_hook="{{ delete_touched_snapshots() }}") }}

with

jumps as (

    select increments.*
    from {{ ref('post_increments') }} as increments
    {% if is_incremental() %}
    inner join {{ ref('int_touched_posts') }} as touched
        on
            increments.post_id = touched.post_id
            and increments.slot_start between touched.first_slot and touched.last_slot
    {% endif %}
    where increments.is_jump

),

values_of_jumps as (

    select
        jumps.*,
        snapshots.published_at,
        {%- for counter in counters() %}
        snapshots.{{ counter }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from jumps
    inner join {{ ref('analytics_snapshots') }} as snapshots on jumps.id = snapshots.id

),

changes as (
    {% for counter in counters() %}
    select
        id as snapshot_id,
        '{{ counter }}' as metric,
        post_id,
        account_id,
        platform,
        published_at,
        slot_start,
        collected_at,
        {{ counter }} - new_{{ counter }} as previous_value,
        {{ counter }} as current_value,
        new_{{ counter }} as change
    from values_of_jumps
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

final as (

    select * from changes
    where {{ is_jump('change', 'previous_value') }}

)

select * from final
