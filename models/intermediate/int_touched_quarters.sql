{%- set last_built = as_last_built('marts', 'quarter_hour_metrics') %}
{%- set last_touched = as_last_built('intermediate', 'int_touched_quarters') %}
{%- set recorded_builds = recorded('recorded_builds') %}

with

-- Slots become due as time goes on, and are due no more where a post was deleted.
coverage as (

    {%- if last_built %}
    select
        coalesce(slots.account_id, built.account_id) as account_id,
        coalesce(slots.slot_start, built.quarter_hour) as quarter_hour
    from {{ ref('int_slot_coverage') }} as slots
    full outer join {{ last_built }} as built
        on
            slots.account_id = built.account_id
            and slots.slot_start = built.quarter_hour
    where
        coalesce(slots.due_slots, 0) is distinct from coalesce(built.due_slots, 0)
        or coalesce(slots.filled_slots, 0) is distinct from coalesce(built.filled_slots, 0)
    {%- else %}
    select
        account_id,
        slot_start as quarter_hour
    from {{ ref('int_slot_coverage') }}
    {% endif %}

),

quarters as (

    select
        account_id,
        activity_quarter as quarter_hour
    from {{ ref('int_touched_times') }}
    union distinct
    select
        account_id,
        reading_quarter as quarter_hour
    from {{ ref('int_touched_times') }}
    union distinct
    select
        account_id,
        quarter_hour
    from coverage
    {%- if last_touched and recorded_builds %}
    union distinct
    -- Of a build that did not complete the days may be old, while the quarter hours are new.
    select
        account_id,
        quarter_hour
    from {{ last_touched }}
    where build_id not in (select builds.invocation_id from {{ recorded_builds }} as builds)
    {%- endif %}

),

final as (

    select
        account_id,
        quarter_hour,
        '{{ invocation_id }}' as build_id
    from quarters

)

select * from final
