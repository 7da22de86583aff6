-- depends_on: {{ ref('int_touched_posts') }}
-- depends_on: {{ ref('int_touched_before') }}
-- depends_on: {{ ref('int_loads') }}
{{ config(materialized='incremental', pre_hook="{{ delete_touched_snapshots() }}") }}

{%- set last_totals = as_last_built('intermediate', 'int_post_totals') %}

with

{% if not is_incremental() -%}
snapshots as (

    select * from {{ ref('analytics_snapshots') }}

),

{% else -%}
touched as (

    select
        touched.post_id,
        touched.first_slot,
        touched.last_slot,
        {{ is_found_by_load('touched', 'goes_on') }} as is_by_load
    from {{ ref('int_touched_posts') }} as touched

),

searched as (

    select * from touched
    where not is_by_load

),

snapshots as (

    select snapshots.*
    from {{ ref('analytics_snapshots') }} as snapshots
    inner join searched
        on
            snapshots.post_id = searched.post_id
            and snapshots.slot_start between searched.first_slot and searched.last_slot
    union all
    select snapshots.*
    from {{ ref('analytics_snapshots') }} as snapshots
    inner join {{ ref('int_loads') }} as loads
        on
            snapshots.load_id = loads.load_id
            and loads.is_new
    inner join touched
        on
            snapshots.post_id = touched.post_id
            and touched.is_by_load

),

-- Where the increments of touched posts go on from: the last known values, which are the sums of the
-- increments so far, and the snapshot that the last of them closed. Of a post that only goes on, its totals
-- say both: asked here, for where this part is built again they hold what it wrote before.
known_totals as (

    {% if last_totals -%}
    select
        touched.post_id,
        totals.last_slot as slot_start,
        {%- for metric in gained_metrics() %}
        totals.{{ metric }},
        {%- endfor %}
        totals.newest_collected_at as collected_at,
        totals.unique_impressions,
        totals.newest_source as layout
    from touched
    inner join {{ last_totals }} as totals
        on
            touched.post_id = totals.post_id
            and touched.first_slot > totals.last_slot
    {%- else -%}
    select
        post_id,
        slot_start,
        {%- for metric in gained_metrics() %}
        {{ metric }},
        {%- endfor %}
        collected_at,
        unique_impressions,
        layout
    from snapshots
    where 1 = 0
    {%- endif %}

),

others as (

    select touched.*
    from touched
    left join known_totals as known on touched.post_id = known.post_id
    where known.post_id is null

),

kept_sums as (

    select
        increments.post_id,
        max(increments.slot_start) as slot_start,
        {%- for metric in gained_metrics() %}
        cast(sum(increments.new_{{ metric }}) as bigint) as {{ metric }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ this }} as increments
    inner join others
        on
            increments.post_id = others.post_id
            and increments.slot_start < others.first_slot
    group by increments.post_id

),

kept as (

    select * from known_totals
    union all
    select
        sums.*,
        increments.collected_at,
        increments.unique_impressions,
        increments.source as layout
    from kept_sums as sums
    inner join {{ this }} as increments
        on
            sums.post_id = increments.post_id
            and sums.slot_start = increments.slot_start

),

{% endif -%}
-- As narrow as can be: ten million rows of it are sorted.
history as (

    select
        id,
        post_id,
        slot_start,
        collected_at,
        unique_impressions,
        layout,
        {%- for metric in gained_metrics() %}
        {{ metric }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from snapshots
    {%- if is_incremental() %}
    union all
    select
        cast(null as {{ uuid_type() }}) as id,
        post_id,
        slot_start,
        collected_at,
        unique_impressions,
        layout,
        {%- for metric in gained_metrics() %}
        {{ metric }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from kept
    {% endif %}

),

-- All that looks at the row before goes through one window: sorting the history is what costs.
with_previous as (

    select
        *,
        {%- for counter in counters() %}
        {{ last_known_before(counter, 'post_id', 'slot_start') }} as before_{{ counter }},
        {%- endfor %}
        {{ last_known_before('unique_impressions', 'post_id', 'slot_start') }} as before_unique_impressions,
        lag(layout) over (partition by post_id order by slot_start) as previous_layout,
        lag(collected_at) over (partition by post_id order by slot_start) as previous_collected_at,
        lag(slot_start) over (partition by post_id order by slot_start) as previous_slot
    from history

),

-- A file that lacks a metric of the formula says nothing of it: the last known value stays in the sum,
-- or a file row after API rows would look like a fall.
carried as (

    select
        with_previous.id,
        with_previous.post_id,
        with_previous.slot_start,
        with_previous.collected_at,
        with_previous.layout,
        with_previous.previous_layout,
        with_previous.previous_collected_at,
        with_previous.previous_slot,
        coalesce(with_previous.unique_impressions, with_previous.before_unique_impressions) as unique_impressions,
        {%- for counter in counters() %}
        with_previous.{{ counter }},
        with_previous.before_{{ counter }},
        {%- endfor %}
        with_previous.engagements
        {%- for counter in counters() if counter != 'impressions' %}
        + coalesce(
            formulas.lacks_{{ counter }} * coalesce(with_previous.{{ counter }}, with_previous.before_{{ counter }}), 0
        )
        {%- endfor %} as engagements,
        with_previous.engagements_core
        {%- for counter in counters() if counter != 'impressions' %}
        + coalesce(
            formulas.lacks_core_{{ counter }}
            * coalesce(with_previous.{{ counter }}, with_previous.before_{{ counter }}), 0
        )
        {%- endfor %} as engagements_core
    from with_previous
    inner join {{ ref('int_posts') }} as posts on with_previous.post_id = posts.post_id
    left join {{ ref('int_metric_formulas') }} as formulas
        on
            posts.platform = formulas.platform
            and posts.account_kind = formulas.account_kind
            and with_previous.layout = formulas.layout

),

known as (

    select
        *,
        {{ last_known_before('engagements', 'post_id', 'slot_start') }} as before_engagements,
        {{ last_known_before('engagements_core', 'post_id', 'slot_start') }} as before_engagements_core
    from carried

),

-- Which slot numbers lie between two snapshots, within the slots that were due.
with_slots as (

    select
        known.*,
        posts.account_id,
        posts.platform,
        posts.published_at,
        case when known.layout = 'api' then 'api' else 'file' end as source,
        {{ slot_index('known.slot_start', 'posts.published_at') }} as this_index,
        {{ slot_index('known.previous_slot', 'posts.published_at') }} as previous_index,
        {{ slot_index('posts.first_due_slot', 'posts.published_at') }} as first_due_index,
        {{ slot_index('posts.last_due_slot', 'posts.published_at') }} as last_due_index
    from known
    inner join {{ ref('int_posts') }} as posts on known.post_id = posts.post_id
    where known.id is not null

),

with_basis as (

    select
        *,
        case
            when source = 'file' then 'lifetime'
            when previous_layout = 'api' and collected_at <= previous_collected_at + interval '48' hour then 'observed'
            when previous_layout is not null then 'catch_up'
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
        id,
        post_id,
        account_id,
        platform,
        slot_start,
        collected_at,
        case when basis = 'lifetime' then published_at else collected_at end as activity_at,
        case when basis = 'lifetime' then {{ floor_to('published_at', 120) }} else slot_start end as activity_slot,
        source,
        basis,
        is_gap,
        {% for counter in counters() %}coalesce(new_{{ counter }} < 0, false)
        {%- if not loop.last %} or {% endif %}{% endfor %} as is_correction,
        {% for counter in counters() %}coalesce({{ is_jump('new_' ~ counter, 'before_' ~ counter) }}, false)
        {%- if not loop.last %} or {% endif %}{% endfor %} as is_jump,
        {%- for counter in counters() %}
        cast(new_{{ counter }} as integer) as new_{{ counter }},
        {%- endfor %}
        cast(new_engagements as bigint) as new_engagements,
        cast(new_engagements_core as bigint) as new_engagements_core,
        unique_impressions
    from differences

)

select * from final
