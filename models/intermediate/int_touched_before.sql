-- depends_on: {{ ref('int_touched_posts') }}
{{ config(materialized='incremental') }}
{%- set increments = as_last_built('marts', 'post_increments') %}

with

before as (

    {%- if increments %}
    select distinct
        increments.account_id,
        increments.slot_start,
        {{ floor_to('increments.activity_at', 15) }} as activity_quarter,
        {{ floor_to('increments.collected_at', 15) }} as reading_quarter
    from {{ increments }} as increments
    inner join {{ ref('int_touched_posts') }} as touched
        on
            increments.post_id = touched.post_id
            and increments.slot_start between touched.first_slot and touched.last_slot
    where not touched.goes_on
    {%- else %}
    select
        account_id,
        published_at as slot_start,
        published_at as activity_quarter,
        published_at as reading_quarter
    from {{ ref('int_posts') }}
    where 1 = 0
    {% endif %}

),

-- What the touched posts count in as last built: this build may move it elsewhere. Rows stay until a build
-- is complete, because after one that failed half-way the increments no longer know where they were.
final as (

    select before.*
    from before
    {% if is_incremental() %}
    left join {{ this }} as known
        on
            before.account_id = known.account_id
            and before.slot_start = known.slot_start
            and before.activity_quarter = known.activity_quarter
            and before.reading_quarter = known.reading_quarter
    where known.account_id is null
    {% endif %}

)

select * from final
